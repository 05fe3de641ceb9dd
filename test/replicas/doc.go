// Package replicas runs three processes of the program behind nginx, and stops,
// restarts and changes them while users go on; and one process at full load for a
// while, to see that nothing grows.
//
// The tests need nginx, and the build tag interop.
package replicas
