package desk

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"fileroom/internal/library"
)

//go:embed static
var staticFiles embed.FS

// An asset is a file that every page may load. It holds nothing of anybody.
type asset struct {
	name    string // With a part of its digest: another content has another name.
	content []byte
}

// readAssets returns the assets by their plain names.
func readAssets() (map[string]asset, error) {
	entries, err := staticFiles.ReadDir("static")
	if err != nil {
		return nil, library.Fault("read assets", "", err)
	}
	assets := map[string]asset{}
	for _, e := range entries {
		content, err := staticFiles.ReadFile("static/" + e.Name())
		if err != nil {
			return nil, library.Fault("read assets", e.Name(), err)
		}
		sum := sha256.Sum256(content)
		ext := path.Ext(e.Name())
		assets[e.Name()] = asset{
			name:    strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:6]) + ext,
			content: content,
		}
	}
	return assets, nil
}

// assetPath returns the path of an asset, for the templates.
func (d *Desk) assetPath(name string) string { return "/desk/static/" + d.assets[name].name }

func (d *Desk) static(w http.ResponseWriter, r *http.Request) {
	for _, a := range d.assets {
		if a.name == r.PathValue("file") {
			w.Header().Set("Content-Type", mime.TypeByExtension(path.Ext(a.name)))
			w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
			http.ServeContent(w, r, a.name, time.Time{}, bytes.NewReader(a.content))
			return
		}
	}
	http.NotFound(w, r)
}
