// Package agent puts the rooms of the program together.
//
//	cmd/oauth-agent ──► agent/config ──► registration
//	      │
//	      ▼
//	    agent   New(ctx, config, options) · Handler() · Admin() · Close()
//	      │     Live: one whose settings change while it serves
//	      ├──► login ──────► session ──► cookie ──► seal ──► secret
//	      │      └──► authserver ──► secret
//	      ├──► apiproxy ───► session
//	      ├──► pkceproxy ──► authserver, oauthsyntax
//	      ├──► spa ────────► httperr
//	      ├──► middleware    origins, CORS, limits, headers
//	      ├──► clientip      the address of the client, behind proxies
//	      ├──► observe ────► trace
//	      │                  log, metrics, requests; W3C trace context, spans
//	      └──► httperr       handlers return errors; here they become HTTP
//
// It is the only package that knows all of them; routes.go is the whole HTTP
// surface. The allowed imports are a table in imports_test.go.
package agent
