package e2e

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more tests run at once than there are processors: most of what
// takes time here is waiting for a server that does not answer.
func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "8"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}
