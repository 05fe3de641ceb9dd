// Package deploy tries what is in deployments as far as one machine can: charts
// are rendered and their settings loaded, the image's steps are replayed and the
// program runs on what comes of them, units are looked at by systemd, rules by
// Prometheus.
//
// It runs with -tags interop. The programs of its tools are built by test/run into
// the user's cache; a test whose program is missing is skipped, or fails where CI
// is set. -update writes the files that are rendered anew.
package deploy
