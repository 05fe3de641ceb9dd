package config

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"
)

// This file turns what the YAML library says into mistakes that name a setting.
// No value gets through, and no anchor or key that could be one: a secret on
// the wrong line would be printed.

var (
	unknownKey = regexp.MustCompile(`(?s)^field .* not found in type \S+$`)
	keyTwice   = regexp.MustCompile(`(?s)^mapping key .* already defined|^field .* already set in type`)
	wrongType  = regexp.MustCompile(`(?s)^cannot construct .* into (\S+)`)
	listIndex  = regexp.MustCompile(`\[\d+\]`)
	plainKey   = regexp.MustCompile(`^[A-Za-z][A-Za-z_-]{0,31}$`)
)

// tellYAML tells what err says of the file; ok is false when it could not be
// read as settings at all, so that nothing more can be said of it.
func tellYAML(ms *Mistakes, path string, text []byte, err error) (ok bool) {
	stands := newPlaces(text)
	for _, e := range loadErrors(err) {
		// What does not end is looked for where it began.
		where := whereIn(path, cmp.Or(e.ContextMark.Line, e.Mark.Line))
		at := [2]int{e.Mark.Line, e.Mark.Column}
		switch m := wrongType.FindStringSubmatch(e.Message); {
		case strings.Contains(e.Message, "no documents in stream"): // comments alone
		case unknownKey.MatchString(e.Message):
			ms.addSetting(stands.keys[at], where, "unknown key", didYouMean(stands.written[at], stands.sections[at]))
		case m != nil && stands.values[at] != "":
			ms.addSetting(stands.values[at], where, "not "+yamlWants(m[1]), "Compare with the list of settings.")
		default:
			ms.add(where, "", "not YAML with settings: "+whyNot(e), "Correct the file; put quotes around a value with special characters.")
			return false
		}
	}
	return true
}

func whereIn(path string, line int) string {
	if line == 0 {
		return path
	}
	return fmt.Sprintf("%s, line %d", path, line)
}

// hasTwice tells whether a key stands twice in one section.
func hasTwice(err error) bool {
	return err != nil && slices.ContainsFunc(loadErrors(err), isTwice)
}

func isTwice(e *yaml.LoadError) bool { return keyTwice.MatchString(e.Message) }

// tellTwice tells every key that stands there once more, for which err found at
// least one.
func tellTwice(ms *Mistakes, path string, text []byte, err error) {
	more := newPlaces(text).twice
	if len(more) == 0 { // one spelled in a way that only the library sees through
		i := slices.IndexFunc(loadErrors(err), isTwice)
		more = []place{{line: loadErrors(err)[i].Mark.Line}}
	}
	for _, s := range more {
		ms.addSetting(s.key, whereIn(path, s.line), "set twice", "Keep one of the two.")
	}
}

// loadErrors lists what the library found.
func loadErrors(err error) []*yaml.LoadError {
	var several *yaml.LoadErrors
	var one *yaml.LoadError
	switch {
	case errors.As(err, &several):
		return several.Errors
	case errors.As(err, &one):
		return []*yaml.LoadError{one}
	default:
		return []*yaml.LoadError{{}}
	}
}

// whyNot is what the library says before it looks at values. Its later stages
// quote them.
func whyNot(e *yaml.LoadError) string {
	switch {
	case slices.Contains([]string{"reader", "scanner", "parser"}, string(e.Stage)):
		return e.Message
	case strings.Contains(e.Message, "anchor"):
		return "a value begins with *, which refers to an anchor"
	case strings.Contains(e.Message, "multiple"):
		return "there is more than one document in it"
	default:
		return "it is no mapping of settings"
	}
}

func yamlWants(goType string) string {
	switch goType {
	case "int", "int64", "bool", "time.Duration":
		return wants(goType)
	case "string", "secret.String":
		return "a text"
	case "config.List", "config.Secrets", "config.Routes":
		return "a list, such as [one, two]"
	default:
		return "a section of settings"
	}
}

// places tells which setting stands where in a file, by line and column. Keys
// and values are apart, since a mapping begins where its first key does.
type places struct {
	keys, values map[[2]int]string
	// written and sections are what the keys are in the file, and under what.
	written, sections map[[2]int]string

	twice []place // those that stand in their section already
}

type place struct {
	key  string
	line int
}

func newPlaces(text []byte) *places {
	p := &places{keys: map[[2]int]string{}, values: map[[2]int]string{}, written: map[[2]int]string{}, sections: map[[2]int]string{}}
	var doc yaml.Node
	if err := yaml.Load(text, &doc, yaml.WithV4Defaults()); err == nil {
		p.walk(&doc, "")
	}
	return p
}

func (p *places) walk(n *yaml.Node, path string) {
	p.values[[2]int{n.Line, n.Column}] = path
	if n.Kind != yaml.MappingNode {
		for i, item := range n.Content {
			inner := path
			if n.Kind == yaml.SequenceNode && item.Kind == yaml.MappingNode {
				inner = fmt.Sprintf("%s[%d]", path, i)
			}
			p.walk(item, inner)
		}
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		inner := strings.TrimPrefix(path+"."+key.Value, ".")
		if key.Kind != yaml.ScalarNode || !plainKey.MatchString(key.Value) {
			inner = path
		}
		at := [2]int{key.Line, key.Column}
		p.keys[at], p.written[at], p.sections[at] = inner, key.Value, listIndex.ReplaceAllString(path, "[]")
		if key.Kind == yaml.ScalarNode && seen[key.Value] {
			p.twice = append(p.twice, place{inner, key.Line})
		}
		seen[key.Value] = true
		p.walk(value, inner)
	}
}
