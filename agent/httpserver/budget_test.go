package httpserver

import "testing"

func TestConnBudget(t *testing.T) {
	for _, tt := range []struct {
		most  int
		files uint64
		with  bool
		want  ConnBudget
	}{
		{4096, 128, false, ConnBudget{36, 0, 60}}, {4096, 128, true, ConnBudget{27, 9, 51}}, {4096, 1024, false, ConnBudget{372, 0, 620}},
		{1 << 20, 65536, true, ConnBudget{24372, 8124, 24884}}, {4096, 65536, false, ConnBudget{4096, 0, 4608}},
		{4096, 65536, true, ConnBudget{3072, 1024, 3584}}, {16, 1024, true, ConnBudget{12, 4, 260}},
		{4096, 0, true, ConnBudget{leastConns, leastConns, leastConns}}, {4096, 1<<64 - 1, false, ConnBudget{4096, 0, 4608}}, // RLIM_INFINITY
	} {
		if got := shareFiles(tt.most, tt.files, tt.with); got != tt.want {
			t.Errorf("%d of %d files: %v, want %v", tt.most, tt.files, got, tt.want)
		}
	}
}
