package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestSBOMOfThisTest(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var one, two bytes.Buffer
	for _, out := range []*bytes.Buffer{&one, &two} {
		if err := run([]string{self}, out); err != nil {
			t.Fatal(err)
		}
	}
	if one.String() != two.String() {
		t.Error("it is another one the second time")
	}
	var d document
	if err := json.Unmarshal(one.Bytes(), &d); err != nil {
		t.Fatal(err)
	}
	if std := d.Components[0]; std.Name != "std" || !strings.HasPrefix(std.PURL, "pkg:golang/std@1.") {
		t.Errorf("the standard library is %+v", std)
	}
	if sum := d.Metadata.Component.Hashes[0]; sum.Algorithm != "SHA-256" || len(sum.Content) != 64 {
		t.Errorf("%+v", sum)
	}
}

func TestSBOMOfWhatIsNoBinary(t *testing.T) {
	for _, args := range [][]string{nil, {"a", "b"}, {"main.go"}, {"not-there"}} {
		if err := run(args, new(bytes.Buffer)); err == nil {
			t.Errorf("%v: no error", args)
		}
	}
}
