package main

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"
)

// Limits of the sample API, which keeps everything in memory.
const (
	maxOrders    = 20
	maxOrderBody = 4 << 10
	maxItemRunes = 60
)

// order is one line of the list.
type order struct {
	ID   int    `json:"id"`
	Item string `json:"item"`
}

// orders is the sample API: a list for each user. It knows nothing of cookies; it
// takes bearer tokens (RFC 6750), as any API does.
type orders struct {
	// subject tells whose access token it is; false for one that is not alive.
	subject func(accessToken string) (sub string, ok bool)

	mu     sync.Mutex
	lists  map[string][]order // by subject
	lastID int
}

func newOrders(subject func(string) (string, bool)) http.Handler {
	o := &orders{subject: subject, lists: map[string][]order{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/orders", o.forUser(o.list))
	mux.HandleFunc("POST /api/orders", o.forUser(o.add))
	mux.HandleFunc("DELETE /api/orders/{id}", o.forUser(o.remove))
	return mux
}

// forUser lets in who has a token that is alive, and tells any other the way
// that RFC 6750 3 has it.
func (o *orders) forUser(next func(http.ResponseWriter, *http.Request, string)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok {
			w.Header().Set("WWW-Authenticate", "Bearer")
			http.Error(w, "a bearer token is needed", http.StatusUnauthorized)
			return
		}
		sub, ok := o.subject(token)
		if !ok {
			w.Header().Set("WWW-Authenticate", `Bearer error="invalid_token"`)
			http.Error(w, "the access token is not alive", http.StatusUnauthorized)
			return
		}
		next(w, r, sub)
	}
}

func (o *orders) list(w http.ResponseWriter, _ *http.Request, sub string) {
	o.mu.Lock()
	list := slices.Clone(o.of(sub))
	o.mu.Unlock()
	writeJSON(w, http.StatusOK, list)
}

// of gives a user's list, which has something in it at first. The lock is held.
func (o *orders) of(sub string) []order {
	if o.lists[sub] == nil {
		o.lists[sub] = []order{}
		for _, item := range []string{"Two bags of coffee beans", "A grinder, hand-cranked"} {
			o.append(sub, item)
		}
	}
	return o.lists[sub]
}

func (o *orders) append(sub, item string) order {
	o.lastID++
	made := order{ID: o.lastID, Item: item}
	o.lists[sub] = append(o.lists[sub], made)
	return made
}

func (o *orders) add(w http.ResponseWriter, r *http.Request, sub string) {
	var wish struct {
		Item string `json:"item"`
	}
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxOrderBody)).Decode(&wish); err != nil {
		http.Error(w, "not an order", http.StatusBadRequest)
		return
	}
	wish.Item = strings.TrimSpace(wish.Item)
	if n := utf8.RuneCountInString(wish.Item); n == 0 || n > maxItemRunes {
		http.Error(w, "an item has 1 to "+strconv.Itoa(maxItemRunes)+" characters", http.StatusUnprocessableEntity)
		return
	}
	o.mu.Lock()
	full := len(o.of(sub)) >= maxOrders
	var made order
	if !full {
		made = o.append(sub, wish.Item)
	}
	o.mu.Unlock()
	if full {
		http.Error(w, "the list is full", http.StatusConflict)
		return
	}
	writeJSON(w, http.StatusCreated, made)
}

func (o *orders) remove(w http.ResponseWriter, r *http.Request, sub string) {
	id, err := strconv.Atoi(r.PathValue("id"))
	o.mu.Lock()
	before := len(o.of(sub))
	o.lists[sub] = slices.DeleteFunc(o.lists[sub], func(x order) bool { return x.ID == id })
	found := len(o.lists[sub]) < before
	o.mu.Unlock()
	if err != nil || !found {
		http.Error(w, "no such order", http.StatusNotFound)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}
