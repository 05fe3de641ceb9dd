package secret_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"oauth-agent/agent/internal/secret"
)

const canary = "c4nary-s3cret"

func TestStringIsNeverPrinted(t *testing.T) {
	s := secret.New(canary)
	holder := struct {
		Key  secret.String
		Keys []secret.String
		Ptr  *secret.String
		Map  map[string]secret.String
	}{s, []secret.String{s}, &s, map[string]secret.String{"k": s}}

	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%T", "%c"} {
		fmt.Fprintf(&out, verb+"\n", s)
		fmt.Fprintf(&out, verb+"\n", &s)
		fmt.Fprintf(&out, verb+"\n", holder)
	}
	fmt.Fprintln(&out, errors.Join(fmt.Errorf("bad key %v", s)))
	if err := json.NewEncoder(&out).Encode(holder); err != nil {
		t.Fatal(err)
	}
	if err := xml.NewEncoder(&out).Encode(s); err != nil {
		t.Fatal(err)
	}
	slog.New(slog.NewJSONHandler(&out, nil)).Info("x", "a", s, "b", holder)
	slog.New(slog.NewTextHandler(&out, nil)).Info("x", "a", s, "b", holder)

	if text := out.String(); strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
		t.Fatalf("the secret was printed:\n%s", text)
	}
	if got := s.Reveal(); got != canary {
		t.Fatalf("Reveal() = %q", got)
	}
}

func TestEqual(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want bool
	}{{"", "", true}, {"a", "a", true}, {"a", "b", false}, {"a", "aa", false}, {"", "a", false}} {
		if got := secret.New(tt.a).Equal(secret.New(tt.b)); got != tt.want {
			t.Errorf("Equal(%q, %q) = %v", tt.a, tt.b, got)
		}
	}
}
