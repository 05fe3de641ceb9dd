package config

import (
	"reflect"
	"slices"
	"strings"
)

// didYouMean returns the remedy for a key that does not exist, as it was written
// in a section: the setting that was probably meant. Only names of settings are in
// it, never what was written.
func didYouMean(written, section string) string {
	key := similar(written, section)
	if key == "" {
		return "Compare with the list of settings."
	}
	parent, name := "", key
	if i := strings.LastIndex(key, "."); i >= 0 {
		parent, name = key[:i], key[i+1:]
	}
	switch {
	case parent == section:
		return "Did you mean " + name + "?"
	case parent == "":
		return "Did you mean " + name + ", outside of any section?"
	default:
		return "Did you mean " + name + ", in the section " + parent + "?"
	}
}

// similar finds a setting: the very name in another section or spelling, such as
// clientId or the environment's name, or else one with a typing error, of the same
// section first. It returns an empty text for none.
func similar(written, section string) string {
	bare := letters(written)
	best, least := "", 2*max(1, len(bare)/4)+2
	for _, s := range knownKeys() {
		parent, name := "", s.key
		if i := strings.LastIndex(s.key, "."); i >= 0 {
			parent, name = s.key[:i], s.key[i+1:]
		}
		if parent == section && letters(name) == bare || letters(s.key) == bare || s.env == written {
			return s.key
		}
		away := 2 * distance(bare, letters(name))
		if parent != section {
			away = 2*away + 3 // so that a typing error is nearer than another section
		}
		if away < least {
			best, least = s.key, away
		}
	}
	return best
}

// knownKeys lists the settings, their sections, and what a route has.
func knownKeys() []setting {
	all := settings(reflect.TypeFor[Config](), "")
	for _, s := range all {
		section, _, nested := strings.Cut(s.key, ".")
		if nested && !slices.ContainsFunc(all, func(known setting) bool { return known.key == section }) {
			all = append(all, setting{key: section})
		}
	}
	for f := range reflect.TypeFor[Route]().Fields() {
		all = append(all, setting{key: "routes[]." + f.Tag.Get("yaml")})
	}
	return all
}

// letters is a name without case and separators.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, strings.ToLower(name))
}

// distance counts the letters to insert, remove, replace or swap with their
// neighbour that turn a into b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		for j := range rows[i] {
			rows[i][j] = max(i, j)
			if i == 0 || j == 0 {
				continue
			}
			change := rows[i-1][j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

// similarVariable returns a variable of the environment that is none of the
// settings' and was probably meant to be the one of that name.
func similarVariable(vars map[string]string, name string) string {
	known := settings(reflect.TypeFor[Config](), "")
	var near []string
	for v := range vars {
		isKnown := slices.ContainsFunc(known, func(s setting) bool { return s.env == v })
		if !isKnown && (distance(letters(v), letters(name)) == 1 || distance(letters(v), letters(name+"_FILE")) == 1) {
			near = append(near, v)
		}
	}
	slices.Sort(near)
	if len(near) == 0 {
		return ""
	}
	return near[0]
}

// inSyntaxOf words the mistakes as their writer has set the values: in the
// environment or in the file.
func (ms Mistakes) inSyntaxOf(vars map[string]string) {
	for i := range ms {
		m := &ms[i]
		switch {
		case m.Env == "ROUTES" && vars[m.Env] == "":
			m.Env = "" // one route of the file is no variable
		case m.envRemedy != "" && vars[m.Env] != "":
			m.Remedy = m.envRemedy
		case m.Reason == notSet && m.Env != "":
			if v := similarVariable(vars, m.Env); v != "" {
				m.Remedy += " The environment has " + v + ": did you mean " + m.Env + "?"
			}
		}
	}
}
