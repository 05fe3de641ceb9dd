package strictjson_test

import (
	"strings"
	"testing"

	"oauth-agent/agent/internal/strictjson"
)

func TestParse(t *testing.T) {
	for body, ok := range map[string]bool{
		`{}`:                           true,
		` {"a":1,"b":{"a":1}} `:        true,
		`{"a":[{"a":1},{"a":2}]}`:      true,
		``:                             false,
		`null`:                         false,
		`[]`:                           false,
		`"{}"`:                         false,
		`{"a":1}{}`:                    false,
		`{"a":1} x`:                    false,
		`{"a":1,"a":1}`:                false,
		`{"a":1,"\u0061":1}`:           false,
		`{"a":`:                        false,
		`{"a":1,}`:                     false,
		"{\"a\":\"\xff\"}":             false,
		strings.Repeat(`{"a":`, 20000): false,
	} {
		if _, err := strictjson.Parse([]byte(body)); (err == nil) != ok {
			t.Errorf("%.40q: %v", body, err)
		}
	}
}

func TestMembersByExactNameAndType(t *testing.T) {
	o, err := strictjson.Parse([]byte(`{"s":"x","S":"y","n":1.5,"ns":"1","z":null,"l":["a","b"],"m":["a",1],"k":[null]}`))
	if err != nil {
		t.Fatal(err)
	}
	if s, ok := o.Text("s"); s != "x" || !ok {
		t.Error("s", s, ok)
	}
	if _, ok := o.Text("n"); ok {
		t.Error("a number as text")
	}
	if _, ok := o.Text("absent"); ok {
		t.Error("an absent member as text")
	}
	if s, ok := o.OptionalText("z"); s != "" || !ok || o.Has("z") {
		t.Error("null counts as absent")
	}
	if n, ok := o.Number("n"); n != 1.5 || !ok {
		t.Error("n", n, ok)
	}
	if _, ok := o.Number("ns"); ok {
		t.Error("a text as number")
	}
	if l, ok := o.Texts("l"); len(l) != 2 || !ok {
		t.Error("l", l, ok)
	}
	for _, key := range []string{"m", "k", "s", "absent"} {
		if _, ok := o.Texts(key); ok {
			t.Errorf("%s as a list of texts", key)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"a":1,"b":"\ud800"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		o, err := strictjson.Parse(body)
		if err != nil {
			return
		}
		for key := range o {
			o.Text(key)
			o.Number(key)
			o.Texts(key)
		}
	})
}
