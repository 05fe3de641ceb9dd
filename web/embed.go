// Package web holds what runs in the browser: the client library and the demo
// that shows it. Both are plain files, served as they are written.
package web

import "embed"

// Files has client/ and demo/, with paths as the pages themselves name them.
//
//go:embed client/*.js demo/*.html demo/*.css demo/*.js demo/*.svg
var Files embed.FS
