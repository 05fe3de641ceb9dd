package idp

import (
	"strconv"
	"testing"
)

func TestMemoryIsBounded(t *testing.T) {
	var m memory[int]
	for i := range 3 * maxEntries {
		m.put(strconv.Itoa(i), i)
	}
	if len(m.entries) != maxEntries || len(m.order) != maxEntries {
		t.Errorf("%d entries, %d names", len(m.entries), len(m.order))
	}
	if _, ok := m.entries[strconv.Itoa(2*maxEntries)]; !ok {
		t.Error("the youngest went first")
	}
	few := memory[int]{max: 2}
	for i := range 5 {
		few.put(strconv.Itoa(i), i)
	}
	if len(few.entries) != 2 || len(few.order) != 2 {
		t.Errorf("%d entries of two", len(few.entries))
	}
}

func TestIssuedIsBounded(t *testing.T) {
	l := newIssuedLog()
	for i := range maxIssued + 5 {
		l.add(strconv.Itoa(i))
	}
	if len(l.values) != maxIssued || l.values[0] != "5" {
		t.Errorf("%d values, the first is %s", len(l.values), l.values[0])
	}
}
