package main

import (
	"context"
	"fmt"
	"io"

	"fileroom/internal/mimemail"
	"fileroom/internal/pages"
	"fileroom/internal/pdf"
)

// childCommand is what the program runs as a child of itself, to take apart
// what may hang or crash who takes it apart.
type childCommand struct {
	Name string `arg:"" help:"What to take apart: mime, pdf or picture."`
}

// Run takes standard input apart.
func (k childCommand) Run(_ context.Context, c console) error {
	children := map[string]func(io.Reader, io.Writer) error{
		"mime":    mimemail.Main,
		"pdf":     pdf.Main,
		"picture": pages.Main,
	}
	child, ok := children[k.Name]
	if !ok {
		return fmt.Errorf("there is no child %q", k.Name)
	}
	return child(c.in, c.out)
}
