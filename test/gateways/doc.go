// Package gateways tries the snippets of deployments/gateways with the real
// programs, and the OAuth Proxy itself beside them: the same calls by a page of
// another origin, the same attacks, the same look at what reaches the API.
//
// It runs with -tags interop, and needs nginx, caddy, haproxy, apache2 and chromium
// in the PATH. What is missing is skipped.
package gateways
