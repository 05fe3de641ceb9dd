package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestOrders(t *testing.T) {
	t.Parallel()
	api := newOrders(func(token string) (string, bool) { return "sub of " + token, strings.HasPrefix(token, "good") })
	call := func(method, path, authorization, body string) *http.Response {
		r := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		r.Header.Set("Authorization", authorization)
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w.Result()
	}
	list := func(token string) (orders []order) {
		if err := json.NewDecoder(call("GET", "/api/orders", "Bearer "+token, "").Body).Decode(&orders); err != nil {
			t.Fatal(err)
		}
		return orders
	}
	for _, c := range []struct {
		method, path, authorization, body string
		status                            int
		challenge                         string
	}{
		{"GET", "/api/orders", "", "", 401, "Bearer"},
		{"GET", "/api/orders", "Basic x", "", 401, "Bearer"},
		{"GET", "/api/orders", "Bearer bad", "", 401, `Bearer error="invalid_token"`},
		{"GET", "/api/orders", "Bearer good", "", 200, ""},
		{"POST", "/api/orders", "Bearer good", `{"item":" Milk "}`, 201, ""},
		{"POST", "/api/orders", "Bearer good", `{"item":" "}`, 422, ""},
		{"POST", "/api/orders", "Bearer good", `{"item":"` + strings.Repeat("é", 61) + `"}`, 422, ""},
		{"POST", "/api/orders", "Bearer good", `{`, 400, ""},
		{"POST", "/api/orders", "Bearer good", `{"item":"` + strings.Repeat("x", maxOrderBody) + `"}`, 400, ""},
		{"DELETE", "/api/orders/2", "Bearer good2", "", 404, ""}, // somebody else's
		{"DELETE", "/api/orders/2", "Bearer good", "", 204, ""},
		{"DELETE", "/api/orders/2", "Bearer good", "", 404, ""},
		{"DELETE", "/api/orders/x", "Bearer good", "", 404, ""},
		{"GET", "/api/else", "Bearer good", "", 404, ""},
	} {
		res := call(c.method, c.path, c.authorization, c.body)
		if res.StatusCode != c.status || res.Header.Get("WWW-Authenticate") != c.challenge {
			t.Errorf("%s %s as %q: %d %q", c.method, c.path, c.authorization, res.StatusCode, res.Header.Get("WWW-Authenticate"))
		}
	}
	if got := list("good"); len(got) != 2 || got[1].Item != "Milk" {
		t.Errorf("orders: %v", got)
	}
	for range maxOrders {
		call("POST", "/api/orders", "Bearer good3", `{"item":"x"}`)
	}
	if got := list("good3"); len(got) != maxOrders {
		t.Errorf("%d orders", len(got))
	}
}
