// Package interop runs the program itself against real authorization servers:
// npm oidc-provider and Django OAuth Toolkit. A browser logs in through their
// own pages, over real HTTP.
//
// The tests need these servers installed, so they are behind the build tag
// "interop"; ./test/run installs them and runs the tests:
//
//	./test/run interop-oidc-provider interop-django
//
// Between the program and each server stands a [tap], which knows every secret
// that passes. When a test ends, none of them may be in anything that the
// program told a browser or printed.
package interop
