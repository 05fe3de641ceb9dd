package login

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"oauth-agent/agent/internal/authserver"
	"oauth-agent/agent/internal/httperr"
)

func TestReadStartRequest(t *testing.T) {
	for body, want := range map[string]startRequest{
		"":                                   {},
		" \r\n":                              {},
		"{}":                                 {},
		`{"other":1}`:                        {},
		`{"extraParams":null}`:               {},
		`{"extraParams":[],"returnTo":null}`: {},
		`{"extraParams":[{"key":"ui_locales","value":"fr"},{"key":"","value":""}]}`:     {extraParams: []authserver.Param{{Key: "ui_locales", Value: "fr"}, {}}},
		`{"extraParams":[{"key":"a","value":"\u00e9&=","more":1}],"returnTo":"/x?y#z"}`: {extraParams: []authserver.Param{{Key: "a", Value: "é&="}}, returnTo: "/x?y#z"},
	} {
		got, err := readStartRequest(httptest.NewRequest("POST", "/", strings.NewReader(body)))
		if err != nil || !slices.Equal(got.extraParams, want.extraParams) || got.returnTo != want.returnTo {
			t.Errorf("%s: %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{
		"x", "[]", "null", "1", `"x"`, "{", "{}{}", `{"extraParams":[]}x`, "{\"a\":\"\xff\"}",
		`{"extraParams":{}}`, `{"extraParams":"a"}`, `{"extraParams":[1]}`, `{"extraParams":[null]}`, `{"extraParams":[[]]}`,
		`{"extraParams":[{}]}`, `{"extraParams":[{"key":"a"}]}`, `{"extraParams":[{"key":1,"value":"b"}]}`, `{"extraParams":[{"key":"a","value":null}]}`,
		`{"extraParams":[{"Key":"a","Value":"b"}]}`, `{"extraParams":[{"key":"a","key":"b","value":"c"}]}`, `{"extraParams":[],"extraParams":[]}`,
		`{"returnTo":1}`, `{"returnTo":"https://evil.example/"}`, `{"returnTo":"//evil.example"}`, `{"returnTo":"x"}`,
	} {
		_, err := readStartRequest(httptest.NewRequest("POST", "/", strings.NewReader(body)))
		wantBadRequest(t, body, err)
	}
}

func wantBadRequest(t *testing.T, body string, err error) {
	t.Helper()
	var e *httperr.Error
	if !errors.As(err, &e) || e.Status != 400 || e.Code != httperr.InvalidRequest || e.Message == "" {
		t.Errorf("%q: %v", body, err)
	}
}

func TestIsLocalPath(t *testing.T) {
	for _, path := range []string{"/", "/orders?page=2#top", "/é", "/.well-known/x", "/a..b/...", "/?a/../b", "/a:b@c", "/?//evil.example", "/" + strings.Repeat("x", maxReturnTo-1)} {
		if !isLocalPath(path) {
			t.Errorf("%q is refused", path)
		}
	}
	for _, path := range []string{
		"", "orders", "/a//b", "/.//evil.example", "/x/..//evil.example", "/%2E%2e//evil.example", "/.", "/a/..", "?a", "#a", "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/\n/evil.example", "\t//evil.example",
		" //evil.example", "https://evil.example", "javascript:alert(1)", "/a\x00", "/a\x7f", "/" + strings.Repeat("x", maxReturnTo),
	} {
		if isLocalPath(path) {
			t.Errorf("%q is taken", path)
		}
	}
}

func TestReadPageURL(t *testing.T) {
	const form, plain = "application/x-www-form-urlencoded", "application/json"
	for _, tt := range []struct{ kind, body, want string }{
		{plain, `{"pageUrl":"https://a/?x=1&y=2"}`, "https://a/?x=1&y=2"},
		{"", `{"pageUrl":""}`, ""},
		{form, "pageUrl=https%3A%2F%2Fa%2F%3Fx%3D1%26y%3D2&other=1", "https://a/?x=1&y=2"},
		{form + "; charset=UTF-8", "pageUrl=a+b", "a b"},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.kind)
		if got, err := readPageURL(r); err != nil || got != tt.want {
			t.Errorf("%s: %q, %v", tt.body, got, err)
		}
	}
	for _, tt := range []struct{ kind, body string }{
		{plain, ""}, {plain, "{}"}, {plain, `{"pageUrl":1}`}, {plain, `{"pageUrl":null}`}, {plain, `{"pageurl":"x"}`},
		{plain, "pageUrl=x"}, {form, `{"pageUrl":"x"}`}, {form, ""}, {form, "pageUrl=a&pageUrl=a"}, {form, "pageUrl=%zz"},
		{form + "; charset=\"", "pageUrl=a"},
	} {
		r := httptest.NewRequest("POST", "/", strings.NewReader(tt.body))
		r.Header.Set("Content-Type", tt.kind)
		_, err := readPageURL(r)
		wantBadRequest(t, tt.kind+" "+tt.body, err)
	}
}

func FuzzBody(f *testing.F) {
	for _, seed := range []string{
		`{"extraParams":[{"key":"a","value":"b"}],"returnTo":"/x"}`, `{"extraParams":[{"key":"a","value":"b","value":"c"}]}`, `{"returnTo":"/\\x"}`,
		`{"extraParams":[{"KEY":"a"}]}`,
		`{"extraParams":[{"key":"a","value":"b","Value":1}],"ExtraParams":[]}`, "{}", "", "[[[[", `{"pageUrl":"https://a/"}`, "pageUrl=x", "\xff",
	} {
		f.Add([]byte(seed), true)
		f.Add([]byte(seed), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, form bool) {
		r := httptest.NewRequest("POST", "/", bytes.NewReader(body))
		if form {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		if _, err := readPageURL(r); err != nil {
			wantBadRequest(t, string(body), err)
		}
		got, err := readStartRequest(httptest.NewRequest("POST", "/", bytes.NewReader(body)))
		if err != nil {
			wantBadRequest(t, string(body), err)
			return
		}
		if u, err := url.Parse("https://www.example.com" + got.returnTo); got.returnTo != "" && err == nil && u.Host != "www.example.com" {
			t.Errorf("returnTo %q leads to %s", got.returnTo, u.Host)
		}
		// What was read is what another parser finds under the very same names.
		var members map[string]json.RawMessage
		var params []map[string]json.RawMessage
		if len(got.extraParams) == 0 {
			return
		}
		if json.Unmarshal(body, &members) != nil || json.Unmarshal(members["extraParams"], &params) != nil || len(params) != len(got.extraParams) {
			t.Fatalf("%q: %v", body, got)
		}
		for i, p := range got.extraParams {
			var key, value string
			if json.Unmarshal(params[i]["key"], &key) != nil || json.Unmarshal(params[i]["value"], &value) != nil || key != p.Key || value != p.Value {
				t.Fatalf("%q: %v, not %q=%q", body, got, key, value)
			}
		}
	})
}
