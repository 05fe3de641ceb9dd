package config

import (
	"errors"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v11"
)

// tellEnvironment tells what the environment library found, without the value.
func tellEnvironment(ms *Mistakes, err error) {
	var several env.AggregateError
	if err != nil && !errors.As(err, &several) {
		several.Errors = []error{err}
	}
	for _, e := range several.Errors {
		var parse env.ParseError
		if !errors.As(e, &parse) {
			ms.add("environment", "", "it cannot be read", "Compare with the list of settings.")
			continue
		}
		s := settingOfField(parse.Name)
		ms.add(s.key, s.env, "not "+wants(parse.Type.String()), "Correct the variable.")
	}
}

// wants describes the types that a text can fail to be.
func wants(goType string) string {
	switch goType {
	case "time.Duration":
		return "a duration, such as 10s or 5m"
	case "bool":
		return "a switch: true or false"
	default:
		return "a whole number"
	}
}

// setting is one field of [Config] by all its names.
type setting struct {
	field, key, env string
	kind            reflect.Type
}

// isList reports whether the setting has items, separated by commas in the
// environment.
func (s setting) isList() bool { return s.kind.Kind() == reflect.Slice }

// settings lists every field that has a value of its own.
func settings(t reflect.Type, prefix string) []setting {
	var out []setting
	for f := range t.Fields() {
		if f.Anonymous {
			out = append(out, settings(f.Type, prefix)...)
			continue
		}
		key := prefix + f.Tag.Get("yaml")
		if f.Tag.Get("env") == "" && f.Type.Kind() == reflect.Struct {
			out = append(out, settings(f.Type, key+".")...)
			continue
		}
		out = append(out, setting{f.Name, key, f.Tag.Get("env"), f.Type})
	}
	return out
}

// settingOfField finds the names of a field. Only numbers, switches and
// durations can fail to parse, and their fields have names of their own.
func settingOfField(field string) setting {
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		if s.field == field {
			return s
		}
	}
	return setting{key: field}
}

// addSetting tells of a key of the file that stands at where, as far as it can
// be named.
func (ms *Mistakes) addSetting(key, where, reason, remedy string) {
	if key == "" {
		ms.add(where, "", reason, remedy)
		return
	}
	variable := ""
	for _, s := range settings(reflect.TypeFor[Config](), "") {
		if s.key == key {
			variable = s.env
		}
	}
	ms.add(key, variable, reason+" ("+where+")", remedy)
}

// beyond lists those of more that ms has not told already: of a key that could
// not be read it says nothing that it is not set.
func (ms Mistakes) beyond(more Mistakes) Mistakes {
	var out Mistakes
	for _, m := range more {
		known := false
		for _, told := range ms {
			known = known || m.Key == told.Key || m.Key == strings.TrimSuffix(told.Key, "_file") || strings.HasPrefix(m.Key, told.Key+".")
		}
		if !known {
			out = append(out, m)
		}
	}
	return out
}
