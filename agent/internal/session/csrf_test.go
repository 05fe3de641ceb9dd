package session

import (
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"oauth-agent/agent/internal/cookie"
	"oauth-agent/agent/internal/secret"
)

func TestCheckCSRF(t *testing.T) {
	st := store(t, newClock(), 0)
	b, csrf := start(t, st, tokens("1"))
	_, other := start(t, st, tokens("2"))
	good := csrf.Reveal()
	for _, tt := range []struct {
		name  string
		token []string
		want  error
	}{
		{"the session's", []string{good}, nil},
		{"missing", nil, ErrCSRF},
		{"empty", []string{""}, ErrCSRF},
		{"twice", []string{good, good}, ErrCSRF},
		{"good and wrong", []string{good, "x"}, ErrCSRF},
		{"another session's", []string{other.Reveal()}, ErrCSRF},
		{"cut", []string{good[:42]}, ErrCSRF},
		{"longer", []string{good + "A"}, ErrCSRF},
		{"another case", []string{strings.ToLower(good)}, ErrCSRF},
		{"a list", []string{good + ", " + good}, ErrCSRF},
		{"sealed", []string{b["example-csrf"]}, ErrCSRF},
	} {
		if err := current(t, st, b).CheckCSRF(tt.token); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	delete(b, "example-csrf")
	s := current(t, st, b)
	for _, token := range [][]string{nil, {""}, {good}} {
		if err := s.CheckCSRF(token); !errors.Is(err, ErrCSRF) || !s.CSRF().Empty() {
			t.Errorf("without a cookie %v is good: %v", token, err)
		}
	}
}

func TestCSRFTokenOfAPriorSessionGoesOn(t *testing.T) {
	st := store(t, newClock(), 0)
	b, csrf := start(t, st, tokens("1"))
	for _, tt := range []struct {
		name  string
		prior secret.String
		kept  bool
	}{
		{"a good one", csrf, true},
		{"none", secret.String{}, false},
		{"too short", secret.New("AAAA"), false},
		{"no base64", secret.New(strings.Repeat("!", 43)), false},
	} {
		w := httptest.NewRecorder()
		got, err := st.Start(w, b.got(), tokens("2"), NewSeed(), tt.prior)
		if err != nil {
			t.Fatal(err)
		}
		b.keep(w)
		if got.Equal(tt.prior) != tt.kept || len(got.Reveal()) != 43 || !current(t, st, b).CSRF().Equal(got) {
			t.Errorf("%s: got %s", tt.name, got.Reveal())
		}
	}
}

func TestRestoreCSRF(t *testing.T) {
	c := newClock()
	st := store(t, c, time.Hour)
	b, before := start(t, st, tokens("1"))
	delete(b, "example-csrf")
	w := httptest.NewRecorder()
	got, err := st.RestoreCSRF(w, current(t, st, b))
	if err != nil || got.Empty() || got.Equal(before) {
		t.Fatalf("%v, %v", got, err)
	}
	set := b.keep(w)
	if len(set) != 1 || set[0].Name != "example-csrf" || set[0].MaxAge != 3600 {
		t.Errorf("set %v", set)
	}
	if s := current(t, st, b); !s.CSRF().Equal(got) || s.CheckCSRF([]string{got.Reveal()}) != nil {
		t.Error("the new token is not the session's")
	}
}

// A CSRF cookie whose token has another size is none.
func TestCSRFTokenOfAnotherSize(t *testing.T) {
	st := store(t, newClock(), 0)
	b, _ := start(t, st, tokens("1"))
	s := current(t, st, b)
	w := httptest.NewRecorder()
	if err := st.jar.Set(w, b.got(), cookie.CSRF, "", record(s.head, []byte("short")), 0); err != nil {
		t.Fatal(err)
	}
	b.keep(w)
	if s := current(t, st, b); !s.CSRF().Empty() {
		t.Errorf("the CSRF token is %q", s.CSRF().Reveal())
	}
}
