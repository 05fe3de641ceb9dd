package pkceproxy_test

import (
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"oauth-agent/agent/internal/pkceproxy"
	"oauth-agent/agent/internal/secret"
)

func TestTokenRefusals(t *testing.T) {
	w := newWorld(t, func(c *pkceproxy.Config) { c.AllowedClientIDs = []string{clientID, "second-app"} })
	code := w.code()
	foreign := newWorld(t, func(c *pkceproxy.Config) { c.EncryptionKey = secret.New(strings.Repeat("x", 32)) })
	for _, tt := range []struct{ name, change, want string }{
		{"no grant type", "grant_type=", "invalid_request"},
		{"password", "grant_type=password", "unsupported_grant_type"},
		{"client credentials", "grant_type=client_credentials", "unsupported_grant_type"},
		{"case", "grant_type=Authorization_Code", "unsupported_grant_type"},
		{"no client", "client_id=", "invalid_request"},
		{"unknown client", "client_id=evil", "invalid_client"},
		{"client with a secret", "client_secret=x", "invalid_client"},
		{"client with an assertion", "client_assertion=x", "invalid_client"},
		{"another client", "client_id=second-app", "invalid_grant"},
		{"no redirect_uri", "redirect_uri=", "invalid_request"},
		{"another redirect_uri", "redirect_uri=" + webURI, "invalid_grant"},
		{"the proxy's redirect_uri", "redirect_uri=https://pkce.example.com/callback", "invalid_grant"},
		{"no verifier", "code_verifier=", "invalid_request"},
		{"short verifier", "code_verifier=" + strings.Repeat("v", 42), "invalid_request"},
		{"long verifier", "code_verifier=" + strings.Repeat("v", 129), "invalid_request"},
		{"verifier of bad characters", "code_verifier=" + strings.Repeat("v", 43) + "+", "invalid_request"},
		{"verifier not ASCII", "code_verifier=" + strings.Repeat("v", 43) + "é", "invalid_request"},
		{"wrong verifier", "code_verifier=" + strings.Repeat("x", 45), "invalid_grant"},
		{"challenge as verifier", "code_verifier=" + challenge, "invalid_grant"},
		{"no code", "code=", "invalid_request"},
		{"the AS's code", "code=" + asCode, "invalid_grant"},
		{"a state", "code=" + w.authorize(), "invalid_grant"},
		{"foreign", "code=" + foreign.code(), "invalid_grant"},
		{"cut", "code=" + code[:len(code)-2], "invalid_grant"},
		{"huge", "code=" + strings.Repeat("A", 25<<10), "invalid_grant"},
		{"code twice", "+code=" + code, "invalid_request"},
		{"verifier twice", "+code_verifier=" + verifier, "invalid_request"},
		{"unknown twice", "unknown=a", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			form := tokenForm(code, tt.change)
			if tt.want == "" {
				form["unknown"], tt.want = []string{"a", "b"}, "invalid_request"
			}
			wantError(t, w.token(form), http.StatusBadRequest, tt.want)
		})
	}
	if got := w.as.got(); len(got) != 0 {
		t.Errorf("the AS was asked: %v", got)
	}
	// None of this has used the code up.
	if r := w.token(tokenForm(code)); r.body != answerBody {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

// A code changed at any place does not open.
func TestFlippedCodes(t *testing.T) {
	w := newWorld(t)
	code := w.code()
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range len(code) {
		if code[i] == '.' {
			continue
		}
		// The neighbour differs in the last bit, which the last character of a
		// part may leave unused.
		next := alphabet[strings.IndexByte(alphabet, code[i])^1]
		wantError(t, w.token(tokenForm(code[:i]+string(next)+code[i+1:])), 400, "invalid_grant")
	}
	parts := strings.Split(code, ".")
	wantError(t, w.token(tokenForm(parts[0]+".AAAA."+strings.Join(parts[2:], "."))), 400, "invalid_grant")
	wantError(t, w.token(tokenForm(code+".")), 400, "invalid_grant")
	wantError(t, w.token(tokenForm(code[:40]+"\n"+code[40:])), 400, "invalid_grant")
}

func TestCodeExpires(t *testing.T) {
	w := newWorld(t)
	first, second := w.codeFor("1"), w.codeFor("2")
	w.clock.Add(59 * time.Second)
	if r := w.token(tokenForm(first)); r.body != answerBody {
		t.Errorf("after 59 s: %d %s", r.StatusCode, r.body)
	}
	w.clock.Add(time.Second)
	wantError(t, w.token(tokenForm(second)), 400, "invalid_grant")
}

// One replica sends a code of the AS once: however many calls come at once,
// and however often the callback sealed it.
func TestCodeIsSentOnce(t *testing.T) {
	w := newWorld(t)
	code := w.code()
	var granted, refused atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			resp, err := http.PostForm(w.proxy.URL+"/oauth/token", tokenForm(code))
			if err != nil {
				t.Error(err)
				return
			}
			_ = resp.Body.Close()
			switch resp.StatusCode {
			case 200:
				granted.Add(1)
			case 400:
				refused.Add(1)
			}
		})
	}
	wg.Wait()
	if granted.Load() != 1 || refused.Load() != 7 || len(w.as.got()) != 1 {
		t.Errorf("%d granted, %d refused", granted.Load(), refused.Load())
	}
	w.clock.Add(9 * time.Minute)
	wantError(t, w.token(tokenForm(w.code())), 400, "invalid_grant")

	// Nor again when the AS failed: it may have used the code up.
	w.as.replies(http.StatusInternalServerError, "")
	failed := w.codeFor("another")
	wantError(t, w.token(tokenForm(failed)), 502, "server_error")
	w.as.replies(http.StatusOK, answerBody)
	wantError(t, w.token(tokenForm(failed)), 400, "invalid_grant")
}

func TestTokenBodies(t *testing.T) {
	w := newWorld(t)
	form := "application/x-www-form-urlencoded"
	for _, tt := range []struct {
		name, contentType, body string
		status                  int
	}{
		{"JSON", "application/json", `{"grant_type":"refresh_token"}`, 400},
		{"JSON said to be a form", form, `{"grant_type":"refresh_token"}`, 400},
		{"multipart", "multipart/form-data; boundary=x", "--x--", 400},
		{"no type", "", refreshForm().Encode(), 400},
		{"bad type", "application/x-www-form-urlencoded; =", refreshForm().Encode(), 400},
		{"bad escape", form, "grant_type=%zz", 400},
		{"semicolon", form, "grant_type=a;b", 400},
		{"empty", form, "", 400},
		{"a megabyte", form, "refresh_token=" + strings.Repeat("x", 1<<20), 413},
		{"a byte too many", form, strings.Repeat("x", 64<<10+1), 413},
		{"many parameters", form, strings.Repeat("a&", 30<<10), 400},
	} {
		t.Run(tt.name, func(t *testing.T) {
			wantError(t, w.postRaw(w.proxy.URL, "/oauth/token", tt.contentType, tt.body), tt.status, "invalid_request")
		})
	}
	if r := w.postRaw(w.proxy.URL, "/oauth/token", form+"; charset=UTF-8", refreshForm().Encode()); r.body != answerBody {
		t.Errorf("charset: %d %s", r.StatusCode, r.body)
	}
	// Parameters in the URL do not count.
	wantError(t, w.post(w.proxy.URL, "/oauth/token?"+refreshForm().Encode(), url.Values{"client_id": {clientID}}), 400, "invalid_request")
}

// The clients are public. RFC 6749 5.2: who tries a header gets 401 and the
// scheme; an empty password is as good as none (2.3.1).
func TestBasicFromTheClient(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name    string
		headers []string
		ok      bool
	}{
		{"empty password", []string{basic(clientID, "")}, true},
		{"empty header", []string{""}, true},
		{"password", []string{basic(clientID, "x")}, false},
		{"another client", []string{basic("other", "")}, false},
		{"bearer", []string{"Bearer x"}, false},
		{"garbage", []string{"Basic !!!"}, false},
		{"bad escape", []string{basic("%zz", "")}, false},
		{"two clients", []string{basic(clientID, ""), basic("other", "x")}, false},
		{"an empty one first", []string{"", basic(clientID, "x")}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req, err := http.NewRequest(http.MethodPost, w.proxy.URL+"/oauth/token", strings.NewReader(refreshForm().Encode()))
			fatalIf(t, err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header["Authorization"] = tt.headers
			r := w.do(req)
			if tt.ok {
				if r.body != answerBody {
					t.Errorf("%d %s", r.StatusCode, r.body)
				}
				return
			}
			wantError(t, r, http.StatusUnauthorized, "invalid_client")
			if !strings.HasPrefix(r.Header.Get("WWW-Authenticate"), "Basic ") {
				t.Error("no challenge")
			}
		})
	}
	// The header alone names the client.
	req, err := http.NewRequest(http.MethodPost, w.proxy.URL+"/oauth/token", strings.NewReader(refreshForm("client_id=").Encode()))
	fatalIf(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", basic("mobile%2Dapp", ""))
	if r := w.do(req); r.body != answerBody {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func basic(user, password string) string {
	r, _ := http.NewRequest(http.MethodGet, "/", nil)
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

func TestRefreshRefusals(t *testing.T) {
	w := newWorld(t, func(c *pkceproxy.Config) { c.AllowedClientIDs = []string{clientID} })
	for _, tt := range []struct{ change, want string }{
		{"refresh_token=", "invalid_request"},
		{"client_id=", "invalid_request"},
		{"client_id=unlisted", "invalid_client"},
		{"+refresh_token=b", "invalid_request"},
	} {
		wantError(t, w.token(refreshForm(tt.change)), 400, tt.want)
	}
	if len(w.as.got()) != 0 {
		t.Error("the AS was asked")
	}
}

// A refresh token stays with the client that it was issued to, as far as this
// replica has seen it: the first one, and those that rotation brings.
func TestRefreshTokenIsBoundToItsClient(t *testing.T) {
	w := newWorld(t)
	w.token(tokenForm(w.code()))
	wantError(t, w.token(refreshForm("client_id=other-app")), 400, "invalid_grant")
	wantError(t, w.post(w.proxy.URL, "/oauth/revoke", url.Values{"token": {"rt-c4nary"}, "client_id": {"other-app"}}), 400, "invalid_grant")
	w.as.replies(200, `{"access_token":"a","refresh_token":"rotated"}`)
	if r := w.token(refreshForm()); r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	wantError(t, w.token(refreshForm("client_id=other-app", "refresh_token=rotated")), 400, "invalid_grant")
	if r := w.token(refreshForm("refresh_token=rotated")); r.StatusCode != 200 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}
