// Package spa serves a built single-page app: its files, and its index.html for
// every path that the page's own router knows.
//
// # What is never served
//
// A path is a file only when its bytes are: one segment after the other, none of
// them empty or beginning with a dot, and no slash that came encoded. Directories
// are not listed. What is not a regular file does not exist. Links are up to the
// file system: that of [os.Root] follows none out of its directory.
//
// # Caching (RFC 9111)
//
// A file whose name has a hash of its content never changes: it is immutable for
// a year, see [hashed]. Everything else is asked for again each time, which an
// ETag makes cheap. The rule for names is strict on purpose: to miss a hash costs
// a 304, to see one where there is none keeps an old file in browsers for a year.
//
// # Encodings
//
// Files beside a file, with .br or .gz behind its name, are its encodings, and
// are taken for it by Accept-Encoding (RFC 9110 12.5.3). They are made by the
// build, since nothing is compressed here: no secret ever stands beside what a
// client chose (BREACH).
package spa
