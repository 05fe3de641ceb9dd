package config

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/secret"
)

func TestEveryFieldHasItsNames(t *testing.T) {
	yamlName, envName := regexp.MustCompile(`^[a-z_]+$`), regexp.MustCompile(`^[A-Z_]+$`)
	keys, names := map[string]bool{}, map[string]bool{}
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		last := s.key[strings.LastIndex(s.key, ".")+1:]
		if !yamlName.MatchString(last) || !envName.MatchString(s.env) {
			t.Errorf("%s: yaml %q, env %q", s.field, s.key, s.env)
		}
		if keys[s.key] || names[s.env] {
			t.Errorf("%s shares its key %s or variable %s with another field", s.field, s.key, s.env)
		}
		keys[s.key], names[s.env] = true, true
	}
	if len(keys) < 40 {
		t.Errorf("only %d settings were found", len(keys))
	}
}

// The environment library names a field that does not parse without its
// section, so that such names must not repeat.
func TestFieldsThatCanFailToParseHaveNamesOfTheirOwn(t *testing.T) {
	seen := map[string]string{}
	var walk func(reflect.Type)
	walk = func(section reflect.Type) {
		for f := range section.Fields() {
			switch f.Type.Kind() {
			case reflect.Struct:
				walk(f.Type)
			case reflect.Bool, reflect.Int, reflect.Int64, reflect.Float64:
				if seen[f.Name] != "" {
					t.Errorf("%s is in %s and in %s", f.Name, seen[f.Name], section)
				}
				seen[f.Name] = section.String()
			}
		}
	}
	walk(reflect.TypeFor[Config]())
}

// Every secret has a setting beside it that names its file.
func TestEverySecretMayComeFromAFile(t *testing.T) {
	byFile := map[string]string{}
	c := defaults()
	for _, s := range c.secrets() {
		byFile[s.key] = s.env
	}
	all := map[string]bool{}
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		all[s.key+" "+s.env] = true
	}
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		typ := fieldAt(reflect.ValueOf(c).Elem(), s.key).Type()
		if typ != reflect.TypeFor[secret.String]() && typ != reflect.TypeFor[Secrets]() {
			continue
		}
		if byFile[s.key] != s.env || !all[s.key+"_file "+s.env+"_FILE"] {
			t.Errorf("%s has no %s_FILE", s.key, s.env)
		}
	}
}

// One value of each type for the file, and another for the environment.
func samples(typ reflect.Type) (inFile, inEnvironment string, want any) {
	switch typ {
	case reflect.TypeFor[secret.String]():
		return "from-file", "from-environment", secret.New("from-environment")
	case reflect.TypeFor[Secrets]():
		return "[one, two]", "three , four,", Secrets{secret.New("three"), secret.New("four")}
	case reflect.TypeFor[List]():
		return "[one, two]", " three,four ,,", List{"three", "four"}
	case reflect.TypeFor[Tenants]():
		return "any", " three,four ,,", Tenants{"three", "four"}
	case reflect.TypeFor[time.Duration]():
		return "7s", "9m", 9 * time.Minute
	}
	switch typ.Kind() {
	case reflect.String:
		return "from-file", "from-environment", "from-environment"
	case reflect.Int:
		return "7", "9", 9
	case reflect.Float64:
		return "0.25", "0.5", 0.5
	case reflect.Bool:
		return "false", "true", true
	}
	return "", "", nil
}

func TestEveryVariableWinsOverTheFile(t *testing.T) {
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		t.Run(s.env, func(t *testing.T) {
			typ := fieldAt(reflect.ValueOf(defaults()).Elem(), s.key).Type()
			inFile, inEnvironment, want := samples(typ)
			if want == nil {
				t.Skipf("%s has a test of its own", typ)
			}
			c := readOnly(t, s.key, inFile)
			if got := text(fieldAt(reflect.ValueOf(c).Elem(), s.key)); got == text(reflect.ValueOf(want)) || got == text(fieldAt(reflect.ValueOf(defaults()).Elem(), s.key)) && inFile != "false" {
				t.Errorf("the file gave %s", got)
			}
			var ms Mistakes
			c.readEnvironment([]string{s.env + "=" + inEnvironment}, &ms)
			c.trimLists()
			got := fieldAt(reflect.ValueOf(c).Elem(), s.key)
			if len(ms) > 0 || text(got) != text(reflect.ValueOf(want)) {
				t.Errorf("got %s, want %s; %v", text(got), text(reflect.ValueOf(want)), ms)
			}
		})
	}
}

// readOnly reads a file of one setting, without validation.
func readOnly(t *testing.T, key, value string) *Config {
	t.Helper()
	yaml, indent := "", ""
	for part := range strings.SplitSeq(key, ".") {
		yaml += "\n" + indent + part + ":"
		indent += "  "
	}
	var ms Mistakes
	c := defaults()
	if c.readFile(writeFile(t, "agent.yaml", yaml+" "+value+"\n"), OpenRegular, &ms); len(ms) > 0 {
		t.Fatal(ms)
	}
	return c
}

// fieldAt finds the field of a dotted key.
func fieldAt(v reflect.Value, key string) reflect.Value {
	first, rest, more := strings.Cut(key, ".")
	for f, value := range v.Fields() {
		if f.Anonymous {
			if found := fieldAt(value, key); found.IsValid() {
				return found
			}
			continue
		}
		if f.Tag.Get("yaml") == first {
			if more {
				return fieldAt(value, rest)
			}
			return value
		}
	}
	return reflect.Value{}
}

// text shows a value, secrets revealed.
func text(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case secret.String:
		return x.Reveal()
	case Secrets:
		var out []string
		for _, s := range x {
			out = append(out, s.Reveal())
		}
		return fmt.Sprint(out)
	default:
		return fmt.Sprint(x)
	}
}
