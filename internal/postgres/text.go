package postgres

import (
	"encoding/json"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5"
)

// text returns s as PostgreSQL can keep it: what is no UTF-8, and the NUL that
// neither text nor jsonb may hold, become U+FFFD. Letters and archives hold
// such bytes, and a case must not stop at them.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// storable makes every text among args storable.
func storable(args pgx.StrictNamedArgs) pgx.StrictNamedArgs {
	for name, arg := range args {
		switch v := reflect.ValueOf(arg); {
		case v.Kind() == reflect.String:
			args[name] = text(v.String())
		case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.String:
			args[name] = texts(v)
		}
	}
	return args
}

// texts returns a slice of any string type as storable strings. It is never
// nil, for no column holds null in place of an empty list.
func texts(v reflect.Value) []string {
	all := make([]string, v.Len())
	for i := range all {
		all[i] = text(v.Index(i).String())
	}
	return all
}

// document returns v as the text of a jsonb value.
func document(v any) (string, error) {
	raw, err := json.Marshal(v)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for i := 0; i < len(raw); i++ {
		switch {
		case raw[i] != '\\':
			b.WriteByte(raw[i])
		case strings.HasPrefix(string(raw[i:min(i+6, len(raw))]), `\u0000`): // A NUL: see text.
			b.WriteString("\uFFFD")
			i += 5
		default: // An escape of two characters, or the beginning of a longer one.
			b.Write(raw[i : i+2])
			i++
		}
	}
	return b.String(), nil
}

// read returns the value of a jsonb column.
func read[T any](raw []byte) (T, error) {
	var v T
	err := json.Unmarshal(raw, &v)
	return v, err
}

// plain returns v as it will be read back from a jsonb column.
func plain[T any](v T) (T, error) {
	raw, err := document(v)
	if err != nil {
		return v, err
	}
	return read[T]([]byte(raw))
}

// typed returns the strings of an array column as the library's type; an empty
// array is nil.
func typed[T ~string](all []string) []T {
	var out []T
	for _, s := range all {
		out = append(out, T(s))
	}
	return out
}

// program is the actor of what nobody but the program did.
const program = "program"
