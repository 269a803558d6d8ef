package failure_test

import (
	"errors"
	"fmt"
	"testing"

	"go.temporal.io/sdk/temporal"

	"fileroom/internal/failure"
	"fileroom/internal/library"
)

func TestEncode(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		err   error
		want  library.Kind
		final bool
	}{
		"nil":     {},
		"unknown": {err: errors.New("connection reset")},
		"kind":    {err: library.Errorf(library.Conflict, "move case", "K7MQ-42XD", "is closed"), want: library.Conflict, final: true},
		"wrapped": {err: fmt.Errorf("later: %w", library.Errorf(library.Invalid, "parse", "", "no")), want: library.Invalid, final: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got := failure.Encode(tt.err)
			if k := failure.KindOf(got); k != tt.want {
				t.Errorf("KindOf(Encode(%v)) = %q, want %q", tt.err, k, tt.want)
			}
			if k := failure.KindOf(temporal.NewApplicationError("refused", "joinError")); k != "" {
				t.Errorf("KindOf of an error without a kind = %q", k)
			}
			app, ok := errors.AsType[*temporal.ApplicationError](got)
			if final := ok && app.NonRetryable(); final != tt.final {
				t.Errorf("Encode(%v) non-retryable = %t, want %t", tt.err, final, tt.final)
			}
		})
	}
}
