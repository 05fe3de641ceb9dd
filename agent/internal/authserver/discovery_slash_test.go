package authserver

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

// Debian's Django OAuth Toolkit has the document one slash further.
func TestDiscoveryOneSlashFurther(t *testing.T) {
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/o/.well-known/openid-configuration":
			w.Header().Set("Location", "http://c4nary.example/")
			w.WriteHeader(http.StatusMovedPermanently)
		case "/o/.well-known/openid-configuration/":
			o := srv.URL + "/o"
			_, _ = w.Write([]byte(`{"issuer":"` + o + `","authorization_endpoint":"` + o + `/authorize/","token_endpoint":"` + o + `/token/","jwks_uri":"` + o + `/jwks"}`))
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer srv.Close()
	c := New(Config{Issuer: srv.URL + "/o", Scope: []string{"openid"}}, Options{HTTP: NewHTTP(nil, 5*time.Second)})
	if err := c.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
}
