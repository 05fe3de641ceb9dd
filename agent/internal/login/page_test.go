package login

import (
	"net/url"
	"strings"
	"testing"
)

func TestReadPage(t *testing.T) {
	for _, tt := range []struct {
		raw             string
		want            page
		answered, sound bool
	}{
		{"https://www.example.com/", page{location: "https://www.example.com/"}, false, false},
		{"https://www.example.com", page{location: "https://www.example.com/"}, false, false},
		{"HTTPS://WWW.Example.COM:443/App/", page{location: "https://www.example.com/App/"}, false, false},
		{"http://localhost:80?x", page{location: "http://localhost/"}, false, false},
		{"https://localhost:80/", page{location: "https://localhost:80/"}, false, false},
		{"http://[::1]:3000/", page{location: "http://[::1]:3000/"}, false, false},

		{"https://a/?code=c&state=s", page{location: "https://a/", code: "c", state: "s"}, true, true},
		{"https://a/?state=s&code=c&iss=https%3A%2F%2Fas%2Fo&session_state=1", page{location: "https://a/", code: "c", state: "s", iss: "https://as/o"}, true, true},
		{"https://a/?error=access_denied&state=s&error_description=x", page{location: "https://a/", err: "access_denied", state: "s"}, true, true},
		{"https://a/?co%64e=%63&state=a+b%20c", page{location: "https://a/", code: "c", state: "a b c"}, true, true},
		{"https://a/?code=a=b&state=s", page{location: "https://a/", code: "a=b", state: "s"}, true, true},
		{"https://a/?&&code=c&", page{location: "https://a/", code: "c"}, true, true},
		{"https://a/?code=c?d", page{location: "https://a/", code: "c?d"}, true, true},

		{"https://a/?code=c&error=e&state=s", page{location: "https://a/", code: "c", err: "e", state: "s"}, true, false},
		{"https://a/?code=c&code=c&state=s", page{location: "https://a/", code: "c", state: "s", doubled: true}, true, false},
		{"https://a/?code=c&c%6fde=d&state=s", page{location: "https://a/", code: "d", state: "s", doubled: true}, true, false},
		{"https://a/?code=c&state=s&state=t", page{location: "https://a/", code: "c", doubled: true}, true, false},
		{"https://a/?code=c&state=s&state=t&state=s", page{location: "https://a/", code: "c", doubled: true}, true, false},
		{"https://a/?code=c&state=s&iss=i&iss=j", page{location: "https://a/", code: "c", state: "s", iss: "j", doubled: true}, true, false},

		// Without a value a parameter counts as absent (RFC 6749 3.1).
		{"https://a/?code=&state=s", page{location: "https://a/", state: "s"}, false, false},
		{"https://a/?code&state=s", page{location: "https://a/", state: "s"}, false, false},
		// Beside another it does not: which of the two a reader takes is anybody's guess.
		{"https://a/?code&code=c&state=s", page{location: "https://a/", code: "c", state: "s", doubled: true}, true, false},
		{"https://a/?code=c&state=s&iss=&iss=", page{location: "https://a/", code: "c", state: "s", doubled: true}, true, false},
		{"https://a/?code=c&state=s&state=", page{location: "https://a/", code: "c", doubled: true}, true, false},
		// A fragment is the application's own.
		{"https://a/#?code=c&state=s", page{location: "https://a/"}, false, false},
		{"https://a/?code=c#&code=d", page{location: "https://a/", code: "c"}, true, true},
		// What cannot be decoded, and names that are not quite ours.
		{"https://a/?code=%zz&state=%", page{location: "https://a/", code: "%zz", state: "%"}, true, true},
		{"https://a/?Code=c&state[]=s&;code=d", page{location: "https://a/"}, false, false},
	} {
		got, ok := readPage(tt.raw)
		if !ok || got != tt.want || got.answered() != tt.answered || got.sound() != tt.sound {
			t.Errorf("%s: %+v, answered %v, sound %v", tt.raw, got, got.answered(), got.sound())
		}
	}
	for _, raw := range []string{
		"", "/", "?code=c&state=s", "//a/", "https:a/", "https:///", "https://?code=c", "ftp://a/", "javascript://a/", "file:///x",
		"https://a b/", "https://a\\b/", "https://a\tb/", " https://a/", "data:text/html,https://a/", "blob:https://a/1",
	} {
		if got, ok := readPage(raw); ok || got != (page{}) {
			t.Errorf("%q is a page: %+v", raw, got)
		}
	}
}

// The page's URL is told by a script. Whatever it is, it must not panic, and
// where another parser has no doubts, ours reads the same.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		"https://www.example.com/?code=c&state=s", "https://a/?code=c&code=d&state=s", "https://a/?co%64e=c&code=d", "https://a/?state=a+b&error=%C3%A9",
		"https://a/#?code=c", "https://a/?state=&state=0", "https://a/?code=%zz", "HTTP://A:80?&=&code", "https://a/?code=c;state=s", "", "://", "https://\x00/?\xff=code",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		p, ok := readPage(raw)
		if !ok {
			if p != (page{}) {
				t.Errorf("no page, but %+v", p)
			}
			return
		}
		if !strings.HasPrefix(p.location, "http://") && !strings.HasPrefix(p.location, "https://") || strings.ContainsAny(p.location, "?#") {
			t.Errorf("location %q", p.location)
		}
		if p.sound() && (!p.answered() || p.doubled || p.code != "" && p.err != "") {
			t.Errorf("not sound: %+v", p)
		}
		raw, _, _ = strings.Cut(raw, "#")
		_, query, _ := strings.Cut(raw, "?")
		if values, err := url.ParseQuery(query); err == nil {
			agree(t, p, values)
		}
	})
}

// agree compares with the standard library's reading. A parameter given twice
// is doubled, be one of the two empty.
func agree(t *testing.T, p page, values url.Values) {
	for key, got := range map[string]string{"state": p.state, "code": p.code, "error": p.err, "iss": p.iss} {
		switch given := values[key]; {
		case len(given) <= 1 && got != values.Get(key):
			t.Errorf("%s is %q, given %q", key, got, given)
		case len(given) > 1 && (p.sound() || !p.doubled || key == "state" && got != ""):
			t.Errorf("%s was given as %q and is sound: %+v", key, given, p)
		}
	}
}
