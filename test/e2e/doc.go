// Package e2e walks the program's flows through its front door: the whole agent
// behind a real listener, the dev identity provider as authorization server,
// and a small client that shows every cookie and header as it was on the wire.
package e2e
