package config

import (
	"fmt"
	"strings"
)

// Mistake is one thing wrong with the settings.
type Mistake struct {
	Key    string // in the YAML file
	Env    string // the environment variable, where there is one
	Reason string // what is wrong
	Remedy string // what to do

	envRemedy string // in place of Remedy where the environment sets it
	cause     error  // why a file cannot be read
}

func (m Mistake) String() string {
	name := m.Key
	if m.Env != "" {
		name += " (" + m.Env + ")"
	}
	return strings.TrimRight(name+": "+m.Reason+". "+m.Remedy, " ")
}

// Mistakes is everything wrong with the settings, told at once.
type Mistakes []Mistake

func (ms Mistakes) Error() string {
	var b strings.Builder
	if len(ms) == 1 {
		b.WriteString("1 mistake in the settings:")
	} else {
		fmt.Fprintf(&b, "%d mistakes in the settings:", len(ms))
	}
	for _, m := range ms {
		b.WriteString("\n  " + m.String())
	}
	return b.String()
}

// Unwrap gives why files could not be read.
func (ms Mistakes) Unwrap() []error {
	var causes []error
	for _, m := range ms {
		if m.cause != nil {
			causes = append(causes, m.cause)
		}
	}
	return causes
}

// addUnread adds a file that cannot be read. Its path is named where it looks like
// one: a secret may be given where its file belongs.
func (ms *Mistakes) addUnread(key, env, path string, err error) {
	reason := "cannot be read: " + err.Error()
	if path != key && isPath(path) {
		reason += ": " + path
	}
	*ms = append(*ms, Mistake{
		Key: key, Env: env, Reason: reason, Remedy: "Give the path of a readable file.", cause: err,
	})
}

// isPath reports whether a text begins as a path does.
func isPath(text string) bool {
	return strings.HasPrefix(text, "/") || strings.HasPrefix(text, "./") || strings.HasPrefix(text, "../")
}

func (ms *Mistakes) add(key, env, reason, remedy string) {
	*ms = append(*ms, Mistake{Key: key, Env: env, Reason: reason, Remedy: remedy})
}
