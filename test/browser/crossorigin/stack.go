package main

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"oauth-agent/agent"
	"oauth-agent/agent/config"
	"oauth-agent/test/idp"
	"oauth-agent/web"
)

// stack is all that answers, by host name.
type stack struct {
	ctx      context.Context
	settings []string
	keys     []string // of the cookies
	provider *idp.Server
	agent    atomic.Pointer[agent.Server]
	page     http.Handler

	report string
	mu     sync.Mutex // an older report must not replace a newer one
}

func newStack(ctx context.Context, page, api, report string) (*stack, error) {
	clientSecret := random()
	provider, err := idp.Start(ctx, "127.0.0.1:0", idp.Config{
		Clients: []idp.Client{{
			ID: "page", Secret: clientSecret,
			RedirectURIs: []string{page + "/"}, PostLogoutRedirectURIs: []string{page + "/"},
		}},
		Users: []idp.User{{Username: "ada", Password: "ada", Sub: "1", Claims: map[string]any{"name": "Ada Lovelace"}}},
	})
	if err != nil {
		return nil, err
	}
	upstream, err := startAPI(ctx, provider)
	if err != nil {
		return nil, err
	}
	spa, err := web.Demo(api + "/oauth-agent")
	if err != nil {
		return nil, err
	}
	st := &stack{ctx: ctx, provider: provider, page: spa, report: report, settings: []string{
		"ISSUER=" + provider.Issuer, "CLIENT_ID=page", "CLIENT_SECRET=" + clientSecret,
		"REDIRECT_URI=" + page + "/", "POST_LOGOUT_REDIRECT_URI=" + page + "/",
		"TRUSTED_WEB_ORIGIN=" + page, "ROUTES=/api=" + upstream, "INSECURE_HTTP=" + strconv.FormatBool(strings.HasPrefix(page, "http:")),
	}}
	return st, st.restart([]string{random()})
}

// restart replaces the agent by one that knows nothing but its settings.
func (st *stack) restart(keys []string) error {
	cfg, err := config.Load("", append([]string{"COOKIE_ENCRYPTION_KEY=" + strings.Join(keys, ",")}, st.settings...))
	if err != nil {
		return err
	}
	next, err := agent.New(st.ctx, cfg, agent.Options{})
	if err != nil {
		return err
	}
	st.keys = keys
	if last := st.agent.Swap(next); last != nil {
		return last.Close()
	}
	return nil
}

func (st *stack) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch name, _, _ := strings.Cut(r.Host, ":"); name {
	case "www.app.local":
		st.page.ServeHTTP(w, r)
	case "portal.app.local":
		if !strings.HasPrefix(r.URL.Path, "/oauth-agent/") && !strings.HasPrefix(r.URL.Path, "/api/") {
			st.page.ServeHTTP(w, r)
			return
		}
		st.agent.Load().Handler().ServeHTTP(w, r)
		st.writeReport()
	case "api.app.local":
		st.agent.Load().Handler().ServeHTTP(w, r)
		st.writeReport()
	default:
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<!doctype html><title>stranger</title>")
	}
}

func (st *stack) writeReport() {
	st.mu.Lock()
	defer st.mu.Unlock()
	b, err := json.Marshal(map[string]any{"issued": append([]string{}, st.provider.Issued()...), "counts": st.provider.Counts()})
	if err == nil {
		err = os.WriteFile(st.report+".part", b, 0o600)
	}
	if err == nil {
		err = os.Rename(st.report+".part", st.report) // a reader never sees half of it
	}
	if err != nil {
		panic(err)
	}
}

// startAPI is an API that wants the provider's bearer tokens.
func startAPI(ctx context.Context, provider *idp.Server) (string, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	srv := &http.Server{ReadHeaderTimeout: 10 * time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, ok := provider.Subject(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")); !ok {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `[{"id":1,"item":"Tea"}]`)
	})}
	context.AfterFunc(ctx, func() { _ = srv.Close() })
	go func() { _ = srv.Serve(ln) }()
	return "http://" + ln.Addr().String(), nil
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}
