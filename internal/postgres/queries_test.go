package postgres_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"fileroom/internal/postgres/postgrestest"
)

// TestQueriesPrepare has the server parse and plan every statement of the
// package, so a misspelt column fails here and not in a ward at night.
func TestQueriesPrepare(t *testing.T) {
	t.Parallel()

	conn, err := postgrestest.New(t).Acquire(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Release()
	n := 0
	for name, statement := range statements(t) {
		if name == "foundationSQL" { // Not a statement that can be prepared; TestMigrate runs it.
			continue
		}
		n++
		sql, _, err := pgx.NamedArgs{}.RewriteQuery(t.Context(), conn.Conn(), statement, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Conn().Prepare(t.Context(), "", sql); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if n < 70 {
		t.Errorf("%d statements were found, want all, which are more than 70", n)
	}
}

// statements returns every constant of the package whose name ends in SQL.
func statements(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || !strings.HasSuffix(spec.Names[0].Name, "SQL") {
				return true
			}
			literal, ok := spec.Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s is put together; a statement is one literal", spec.Names[0].Name)
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			found[spec.Names[0].Name] = text
			return true
		})
	}
	return found
}
