package login

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"oauth-agent/agent/internal/httperr"
)

func TestParsePageURL(t *testing.T) {
	for _, tt := range []struct {
		raw                  string
		want                 authorizationResponse
		present, unambiguous bool
	}{
		{"https://www.example.com/", authorizationResponse{location: "https://www.example.com/"}, false, false},
		{"https://www.example.com", authorizationResponse{location: "https://www.example.com/"}, false, false},
		{"HTTPS://WWW.Example.COM:443/App/", authorizationResponse{location: "https://www.example.com/App/"}, false, false},
		{"http://localhost:80?x", authorizationResponse{location: "http://localhost/"}, false, false},
		{"https://localhost:80/", authorizationResponse{location: "https://localhost:80/"}, false, false},
		{"http://[::1]:3000/", authorizationResponse{location: "http://[::1]:3000/"}, false, false},

		{"https://a/?code=c&state=s", authorizationResponse{location: "https://a/", code: "c", state: "s"}, true, true},
		{"https://a/?state=s&code=c&iss=https%3A%2F%2Fas%2Fo&session_state=1", authorizationResponse{location: "https://a/", code: "c", state: "s", iss: "https://as/o"}, true, true},
		{"https://a/?error=access_denied&state=s&error_description=x", authorizationResponse{location: "https://a/", err: "access_denied", state: "s"}, true, true},
		{"https://a/?co%64e=%63&state=a+b%20c", authorizationResponse{location: "https://a/", code: "c", state: "a b c"}, true, true},
		{"https://a/?code=a=b&state=s", authorizationResponse{location: "https://a/", code: "a=b", state: "s"}, true, true},
		{"https://a/?&&code=c&", authorizationResponse{location: "https://a/", code: "c"}, true, true},
		{"https://a/?code=c?d", authorizationResponse{location: "https://a/", code: "c?d"}, true, true},

		{"https://a/?code=c&error=e&state=s", authorizationResponse{location: "https://a/", code: "c", err: "e", state: "s"}, true, false},
		{"https://a/?code=c&code=c&state=s", authorizationResponse{location: "https://a/", code: "c", state: "s", repeated: true}, true, false},
		{"https://a/?code=c&c%6fde=d&state=s", authorizationResponse{location: "https://a/", code: "d", state: "s", repeated: true}, true, false},
		{"https://a/?code=c&state=s&state=t", authorizationResponse{location: "https://a/", code: "c", repeated: true}, true, false},
		{"https://a/?code=c&state=s&state=t&state=s", authorizationResponse{location: "https://a/", code: "c", repeated: true}, true, false},
		{"https://a/?code=c&state=s&iss=i&iss=j", authorizationResponse{location: "https://a/", code: "c", state: "s", iss: "j", repeated: true}, true, false},

		// Without a value a parameter counts as absent (RFC 6749 3.1).
		{"https://a/?code=&state=s", authorizationResponse{location: "https://a/", state: "s"}, false, false},
		{"https://a/?code&state=s", authorizationResponse{location: "https://a/", state: "s"}, false, false},
		// Beside another it does not: two readers may take different ones.
		{"https://a/?code&code=c&state=s", authorizationResponse{location: "https://a/", code: "c", state: "s", repeated: true}, true, false},
		{"https://a/?code=c&state=s&iss=&iss=", authorizationResponse{location: "https://a/", code: "c", state: "s", repeated: true}, true, false},
		{"https://a/?code=c&state=s&state=", authorizationResponse{location: "https://a/", code: "c", repeated: true}, true, false},
		// A fragment is the application's own.
		{"https://a/#?code=c&state=s", authorizationResponse{location: "https://a/"}, false, false},
		{"https://a/?code=c#&code=d", authorizationResponse{location: "https://a/", code: "c"}, true, true},
		// What cannot be decoded, and names that are not quite ours.
		{"https://a/?code=%zz&state=%", authorizationResponse{location: "https://a/", code: "%zz", state: "%"}, true, true},
		{"https://a/?Code=c&state[]=s&;code=d", authorizationResponse{location: "https://a/"}, false, false},
	} {
		got, ok := parsePageURL(tt.raw)
		if !ok || got != tt.want || got.present() != tt.present || got.unambiguous() != tt.unambiguous {
			t.Errorf("%s: %+v, present %v, unambiguous %v", tt.raw, got, got.present(), got.unambiguous())
		}
	}
	for _, raw := range []string{
		"", "/", "?code=c&state=s", "//a/", "https:a/", "https:///", "https://?code=c", "ftp://a/", "javascript://a/", "file:///x",
		"https://a b/", "https://a\\b/", "https://a\tb/", " https://a/", "data:text/html,https://a/", "blob:https://a/1",
	} {
		if got, ok := parsePageURL(raw); ok || got != (authorizationResponse{}) {
			t.Errorf("%q is a page: %+v", raw, got)
		}
	}
}

// A script says what the page's URL is. Whatever that is, reading it must not panic, and
// where another parser has no doubts, ours reads the same.
func FuzzPageURL(f *testing.F) {
	for _, seed := range []string{
		"https://www.example.com/?code=c&state=s", "https://a/?code=c&code=d&state=s", "https://a/?co%64e=c&code=d", "https://a/?state=a+b&error=%C3%A9",
		"https://a/#?code=c", "https://a/?state=&state=0", "https://a/?code=%zz", "HTTP://A:80?&=&code", "https://a/?code=c;state=s", "", "://", "https://\x00/?\xff=code",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, ok := parsePageURL(raw)
		if !ok {
			if p != (authorizationResponse{}) {
				t.Errorf("no page, but %+v", p)
			}
			return
		}
		if !strings.HasPrefix(p.location, "http://") && !strings.HasPrefix(p.location, "https://") || strings.ContainsAny(p.location, "?#") {
			t.Errorf("location %q", p.location)
		}
		if p.unambiguous() && (!p.present() || p.repeated || p.code != "" && p.err != "") {
			t.Errorf("ambiguous: %+v", p)
		}
		raw, _, _ = strings.Cut(raw, "#")
		_, query, _ := strings.Cut(raw, "?")
		if values, err := url.ParseQuery(query); err == nil {
			agree(t, p, values)
		}
	})
}

// agree compares with the standard library's reading. A parameter that is there twice is
// repeated, even if one of the two is empty.
func agree(t *testing.T, p authorizationResponse, values url.Values) {
	for key, got := range map[string]string{"state": p.state, "code": p.code, "error": p.err, "iss": p.iss} {
		switch given := values[key]; {
		case len(given) <= 1 && got != values.Get(key):
			t.Errorf("%s is %q, given %q", key, got, given)
		case len(given) > 1 && (p.unambiguous() || !p.repeated || key == "state" && got != ""):
			t.Errorf("%s was given as %q and is unambiguous: %+v", key, given, p)
		}
	}
}

func TestResponseError(t *testing.T) {
	for code, want := range map[string]struct {
		status int
		code   string
	}{
		"access_denied":              {400, "access_denied"},
		"login_required":             {401, "login_required"},
		"interaction_required":       {401, "interaction_required"},
		"consent_required":           {401, "consent_required"},
		"account_selection_required": {401, "account_selection_required"},
		"LOGIN_REQUIRED":             {400, "LOGIN_REQUIRED"},
		"x-1.2":                      {400, "x-1.2"},
		strings.Repeat("x", 64):      {400, strings.Repeat("x", 64)},
		strings.Repeat("x", 65):      {400, "authorization_error"},
		"two words":                  {400, "authorization_error"},
		"<script>":                   {400, "authorization_error"},
		"é":                          {400, "authorization_error"},
		"a\x00":                      {400, "authorization_error"},
	} {
		var e *httperr.Error
		if !errors.As(responseError(code), &e) || e.Status != want.status || e.Code != want.code || e.Message == "" {
			t.Errorf("%q: %v", code, e)
		}
	}
}
