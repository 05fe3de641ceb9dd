package agent

import "oauth-agent/agent/internal/cookie"

// beside is the room for what is not a token in the headers of a request or an
// answer: the CSRF token, logins that are under way, and all ordinary headers.
const beside = 4 << 10

// checkHeaderSizes says how large headers may become, since a session is in its
// cookies, and what the gateways in front need for it. By default they take less,
// and then a login ends in 502, or the calls after it in 400.
func (a *App) checkHeaderSizes(line teller) {
	token := cookie.MaxPieces * cookie.MaxSize
	all := 3*token + beside // access, refresh and ID token
	api := token + beside
	if a.jar.Policy().BasePath == "/" {
		api = all
	}
	kb := func(bytes int) int { return (bytes + 1023) >> 10 }
	n := kb(all)
	line("header sizes", "up to %d KB in answers that set cookies, %d KB in requests to the agent, %d KB in API calls, "+
		"and more with cookies of the application", n, n, kb(api))
	line("  nginx", "large_client_header_buffers 4 %[1]dk; proxy_buffer_size %[1]dk; proxy_buffers 4 %[1]dk; proxy_busy_buffers_size %[2]dk", n, 2*n)
	line("  ingress-nginx", "annotations proxy-buffer-size: %[1]dk, proxy-buffers-number: \"4\", proxy-busy-buffers-size: %[2]dk; "+
		"in its ConfigMap large-client-header-buffers: 4 %[1]dk", n, 2*n)
	line("  Envoy", "max_request_headers_kb: %[1]d; of the agent's cluster max_response_headers_kb: %[1]d", n*3/2)
	line("  HAProxy", "tune.bufsize %d", (n+16)<<10)
	line("  Apache", "LimitRequestFieldSize %d", n<<10)
}

// checkLogoutURL says where a logout goes on, which no setting alone decides.
func (a *App) checkLogoutURL(line teller) {
	if a.cfg.Logout.URL == "direct" {
		return
	}
	elsewhere := a.cfg.PublicURL
	switch {
	case elsewhere != "":
	case len(a.cfg.TrustedProxies) > 0:
		elsewhere = "X-Forwarded-Host of a trusted proxy or else Host, which the gateway must keep, or set public_url"
	default:
		elsewhere = "the Host of the request, which a gateway in front must keep, or set public_url"
	}
	line("logout", "goes on at %s/logout/continue: for a page of the agent's own origin under that, for others under %s", a.base(), elsewhere)
}
