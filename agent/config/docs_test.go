package config

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// The manual and the program must not drift apart.
func TestEverySettingIsInTheManual(t *testing.T) {
	text, err := os.ReadFile("../../docs/settings.md")
	if err != nil {
		t.Fatal(err)
	}
	manual := string(text)
	var walk func(t *testing.T, typ reflect.Type, prefix string)
	walk = func(t *testing.T, typ reflect.Type, prefix string) {
		for f := range typ.Fields() {
			if f.Anonymous {
				walk(t, f.Type, prefix)
				continue
			}
			key := prefix + f.Tag.Get("yaml")
			if f.Type.Kind() == reflect.Struct && f.Tag.Get("env") == "" {
				walk(t, f.Type, key+".")
				continue
			}
			if strings.HasSuffix(key, "_file") && !strings.HasPrefix(key, "tls.") {
				continue // told once, for all secrets
			}
			for _, name := range []string{key, f.Tag.Get("env")} {
				if name != "" && !strings.Contains(manual, "`"+name+"`") {
					t.Errorf("docs/settings.md does not have %s", name)
				}
			}
		}
	}
	walk(t, reflect.TypeFor[Config](), "")
}
