// Package bench measures the agent's endpoints over loopback:
//
//	go test -run '^$' -bench . ./test/bench
//
// Client, agent and a trivial authorization server share the process, so that a
// figure holds all three of them. [BenchmarkBaseline] is the client and an empty
// handler alone.
package bench
