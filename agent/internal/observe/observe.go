// Package observe is what an operator sees of a running process: its log, with a
// line a request and one a security event, and its metrics.
//
// [Requests] is around every request and keeps a [Record] of it in its context;
// [Metrics] are those of the process, and count what the rooms tell; [Events] are
// what happens to users. Nothing here names a user, a path or a token: routes are
// templates, methods and codes come from fixed sets, and a subject is a keyed
// hash, where it is told at all.
//
// It is the only package that knows Prometheus.
package observe
