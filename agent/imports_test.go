package agent

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The rooms, and which of them each may import: the picture of doc.go, held by
// a test. Handler rooms (login, logout, sessionapi, apiproxy,
// pkceproxy, spa) never import each other, and
// nothing imports up. A row or an edge that is not there any more fails as well.
var rooms = map[string]string{
	"cmd/oauth-agent": "agent config httpserver",
	"cmd/demo":        "agent config test/idp web",

	"agent":      "apiproxy config authserver cookie middleware httperr httproute login logout observe pkceproxy seal session sessionapi spa store tokens trace upstream web/client",
	"config":     "oauthsyntax seal secret",
	"login":      "authserver cookie httperr httproute seal secret session strictjson tokens",
	"logout":     "authserver clientip cookie httperr httproute seal secret session store",
	"sessionapi": "authserver cookie httperr httproute secret session",
	"apiproxy":   "cookie httperr httpsem secret session upstream",
	"pkceproxy":  "authserver httperr httproute oauthsyntax secret store strictjson",
	"spa":        "httperr",

	"upstream":    "clientip httperr httpsem secret",
	"session":     "cookie httperr seal secret",
	"cookie":      "seal",
	"tokens":      "authserver secret sharedcall store",
	"authserver":  "httperr oauthsyntax secret sharedcall strictjson",
	"middleware":  "clientip httperr httpsem",
	"seal":        "secret",
	"clientip":    "",
	"httperr":     "",
	"httproute":   "httperr",
	"httpserver":  "",
	"httpsem":     "",
	"observe":     "clientip httperr trace",
	"oauthsyntax": "",
	"secret":      "",
	"sharedcall":  "",
	"store":       "",
	"strictjson":  "",
	"trace":       "",
	"web":         "",
	"web/client":  "",

	"roomtest":        "cookie httperr httproute seal secret session test/double",
	"store/storetest": "store",

	"authserver/authservertest": "test/double",
}

// The libraries, and the rooms that each is for: replacing one is a change in
// one room. pkceproxy takes the S256 helper of oauth2, and has envelopes of
// its own on go-jose.
var libraries = map[string]string{
	"github.com/gorilla/mux":            "agent",
	"github.com/gorilla/securecookie":   "seal",
	"github.com/coreos/go-oidc/v3/oidc": "authserver",
	"github.com/go-jose/go-jose/v4":     "authserver authserver/authservertest pkceproxy",
	"golang.org/x/oauth2":               "authserver pkceproxy",
	"golang.org/x/sync/singleflight":    "sharedcall",
	"golang.org/x/time/rate":            "middleware",
	"github.com/rs/cors":                "middleware pkceproxy",
	"go.yaml.in/yaml/v4":                "config",
	"github.com/caarlos0/env/v11":       "config",

	"github.com/coreos/go-systemd/v22/activation": "httpserver",
	"github.com/coreos/go-systemd/v22/daemon":     "cmd/oauth-agent",

	"github.com/prometheus/client_golang/prometheus":            "observe",
	"github.com/prometheus/client_golang/prometheus/collectors": "observe",
	"github.com/prometheus/client_golang/prometheus/promhttp":   "observe",

	"go.opentelemetry.io/otel/attribute":                "trace",
	"go.opentelemetry.io/otel/codes":                    "trace",
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace": "trace",
	"go.opentelemetry.io/otel/propagation":              "trace",
	"go.opentelemetry.io/otel/sdk/resource":             "trace",
	"go.opentelemetry.io/otel/sdk/trace":                "trace",
	"go.opentelemetry.io/otel/trace":                    "trace",
	"go.opentelemetry.io/proto/otlp/trace/v1":           "trace",
	"google.golang.org/protobuf/proto":                  "trace",
}

// sources is the program: every file but tests, by room and name.
func sources(t *testing.T) map[string]map[string]*ast.File {
	t.Helper()
	out := map[string]map[string]*ast.File{}
	for _, root := range []string{"agent", "cmd", "web"} {
		err := filepath.WalkDir(filepath.Join("..", root), func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments|parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			dir := room("oauth-agent" + strings.TrimPrefix(filepath.ToSlash(filepath.Dir(path)), ".."))
			if out[dir] == nil {
				out[dir] = map[string]*ast.File{}
			}
			out[dir][filepath.Base(path)] = file
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// room is the short name of one of our packages.
func room(path string) string {
	path = strings.TrimPrefix(path, "oauth-agent/")
	return strings.TrimPrefix(strings.TrimPrefix(path, "agent/internal/"), "agent/")
}

func imports(file *ast.File) []string {
	var out []string
	for _, spec := range file.Imports {
		out = append(out, strings.Trim(spec.Path.Value, `"`))
	}
	return out
}

func TestRoomsImportAsThePictureSays(t *testing.T) {
	found := map[string]map[string]bool{}
	for from, files := range sources(t) {
		found[from] = map[string]bool{}
		for name, file := range files {
			for _, path := range imports(file) {
				if !strings.HasPrefix(path, "oauth-agent/") {
					continue
				}
				to := room(path)
				found[from][to] = true
				if !slices.Contains(strings.Fields(rooms[from]), to) {
					t.Errorf("%s must not import %s (%s)", from, to, name)
				}
			}
		}
		if _, ok := rooms[from]; !ok {
			t.Errorf("%s is not in the picture", from)
		}
	}
	for from, allowed := range rooms {
		for _, to := range strings.Fields(allowed) {
			if !found[from][to] {
				t.Errorf("%s does not import %s any more", from, to)
			}
		}
		if found[from] == nil {
			t.Errorf("%s is in the picture and does not exist", from)
		}
	}
}

func TestOneLibraryOneRoom(t *testing.T) {
	found := map[string]map[string]bool{}
	for from, files := range sources(t) {
		for name, file := range files {
			for _, path := range imports(file) {
				if host, _, _ := strings.Cut(path, "/"); !strings.Contains(host, ".") {
					continue // the standard library's, or ours
				}
				if found[path] == nil {
					found[path] = map[string]bool{}
				}
				found[path][from] = true
				if !slices.Contains(strings.Fields(libraries[path]), from) {
					t.Errorf("%s must not import %s (%s)", from, path, name)
				}
				if path == "github.com/gorilla/mux" && name != "routes.go" {
					t.Errorf("%s imports %s: the HTTP surface is routes.go alone", name, path)
				}
			}
		}
	}
	for path, allowed := range libraries {
		if got := slices.Sorted(maps.Keys(found[path])); !slices.Equal(got, strings.Fields(allowed)) {
			t.Errorf("%s is for %s, and imported by %v", path, allowed, got)
		}
	}
}

func TestEveryPackageHasAComment(t *testing.T) {
	for name, files := range sources(t) {
		comments := 0
		for _, file := range files {
			if file.Doc != nil && !strings.HasPrefix(file.Doc.Text(), "go:") {
				comments++
			}
		}
		if comments != 1 {
			t.Errorf("%s has %d package comments", name, comments)
		}
	}
}

// variables are those that may be beside errors, regular expressions and
// embedded files: they never change.
var variables = map[string]string{}

func TestNoGlobals(t *testing.T) {
	left := maps.Clone(variables)
	for name, files := range sources(t) {
		for _, file := range files {
			for _, decl := range file.Decls {
				switch d := decl.(type) {
				case *ast.FuncDecl:
					if d.Recv == nil && d.Name.Name == "init" {
						t.Errorf("%s has a func init", name)
					}
				case *ast.GenDecl:
					for _, v := range globals(d) {
						if _, ok := left[name+"."+v]; !ok {
							t.Errorf("%s has the global variable %s", name, v)
						}
						delete(left, name+"."+v)
					}
				}
			}
		}
	}
	for v := range left {
		t.Errorf("%s is not there any more", v)
	}
}

// globals lists the variables of a declaration that could change.
func globals(d *ast.GenDecl) []string {
	if d.Tok != token.VAR || d.Doc != nil && slices.ContainsFunc(d.Doc.List, isEmbed) {
		return nil
	}
	var out []string
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		if v.Doc != nil && slices.ContainsFunc(v.Doc.List, isEmbed) {
			continue
		}
		for i, name := range v.Names {
			if name.Name != "_" && (i >= len(v.Values) || !isFixed(v.Values[i])) {
				out = append(out, name.Name)
			}
		}
	}
	return out
}

func isEmbed(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed ") }

// isFixed tells an error or a compiled regular expression.
func isFixed(value ast.Expr) bool {
	call, ok := value.(*ast.CallExpr)
	if !ok {
		return false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := f.X.(*ast.Ident)
	return ok && slices.Contains([]string{"errors.New", "fmt.Errorf", "httperr.New", "regexp.MustCompile"}, pkg.Name+"."+f.Sel.Name)
}
