// Package agent puts the rooms of the program together.
//
//	cmd/oauth-agent ──► agent/config, httpserver
//	      │
//	      ▼
//	    agent   New(ctx, config, options) · Handler() · Reload() · Close()
//	      ├──► login, logout, sessionapi
//	      │      ├──► session ──► cookie ──► seal ──► secret
//	      │      ├──► tokens ──► authserver
//	      │      └──► store
//	      ├──► apiproxy ─────► session, upstream
//	      ├──► pkceproxy ────► authserver, store
//	      ├──► spa
//	      ├──► middleware    origins, CORS, limits, headers
//	      ├──► observe ──────► trace
//	      └──► httperr, httproute
//
// Three lifetimes: a [Server] is the process, and holds what outlives a reload; an
// [App] is one issuer, client, page and set of routes, made by one function, and never
// changes; the rest is a request's. A reload compiles a new generation of apps and
// swaps one pointer; the old one ends with its last request.
//
// It is the only package that knows all rooms. routes.go is the whole HTTP surface, and
// testdata/routes.txt shows it as a table. The allowed imports are a table in
// imports_test.go.
package agent
