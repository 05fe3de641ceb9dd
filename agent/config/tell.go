package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/caarlos0/env/v11"
	"go.yaml.in/yaml/v4"
)

// This file turns what the YAML and environment libraries say into mistakes
// that name a setting, without the value: a secret on the wrong line would be
// printed.

var (
	quotedValue = regexp.MustCompile("`[^`]*`")
	unknownKey  = regexp.MustCompile(`field (\S+) not found in type \S+`)
	wrongType   = regexp.MustCompile(`cannot construct !!(\w+).* into (\S+)`)
	yamlKey     = regexp.MustCompile(`^[\s-]*([A-Za-z_]+)\s*:`)
)

func tellYAML(ms *Mistakes, path, text string, err error) {
	var several *yaml.LoadErrors
	if !errors.As(err, &several) {
		ms.add(path, "", "not YAML: "+quotedValue.ReplaceAllString(err.Error(), "(value)"), "Correct the file.")
		return
	}
	lines := strings.Split(text, "\n")
	for _, e := range several.Errors {
		where := fmt.Sprintf("%s, line %d", path, e.Mark.Line)
		key := where
		if i := e.Mark.Line - 1; i >= 0 && i < len(lines) {
			if m := yamlKey.FindStringSubmatch(lines[i]); m != nil {
				key = m[1]
			}
		}
		switch message := quotedValue.ReplaceAllString(e.Message, "(value)"); {
		case unknownKey.MatchString(message):
			ms.add(unknownKey.FindStringSubmatch(message)[1], "", "unknown key ("+where+")", "Compare with the list of settings.")
		case wrongType.MatchString(message):
			m := wrongType.FindStringSubmatch(message)
			ms.add(key, "", fmt.Sprintf("a %s is not what belongs here (%s)", m[1], where), "Compare with the list of settings.")
		default:
			ms.add(key, "", message+" ("+where+")", "Compare with the list of settings.")
		}
	}
}

func tellEnvironment(ms *Mistakes, err error) {
	var several env.AggregateError
	if err != nil && !errors.As(err, &several) {
		several.Errors = []error{err}
	}
	for _, e := range several.Errors {
		var parse env.ParseError
		if !errors.As(e, &parse) {
			ms.add("environment", "", e.Error(), "Correct the variable.")
			continue
		}
		key, variable := settingOf(reflect.TypeFor[Config](), parse.Name)
		ms.add(key, variable, "not a "+kindOf(parse.Type), "Compare with the list of settings.")
	}
}

// settingOf finds the names of a field. Only numbers, switches and durations
// can fail to parse, and their fields have names of their own.
func settingOf(t reflect.Type, field string) (key, variable string) {
	for f := range t.Fields() {
		if f.Name == field && f.Tag.Get("env") != "" {
			return f.Tag.Get("yaml"), f.Tag.Get("env")
		}
		if f.Type.Kind() == reflect.Struct {
			if key, variable := settingOf(f.Type, field); variable != "" {
				return f.Tag.Get("yaml") + "." + key, variable
			}
		}
	}
	return field, ""
}

func kindOf(t reflect.Type) string {
	switch {
	case t.String() == "time.Duration":
		return "duration, such as 10s or 5m"
	case t.Kind() == reflect.Bool:
		return "switch: true or false"
	default:
		return "number"
	}
}
