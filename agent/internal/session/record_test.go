package session

import (
	"bytes"
	"testing"
	"time"

	"oauth-agent/agent/internal/seal"
)

func TestRecord(t *testing.T) {
	h := header{ID: [16]byte{1, 2, 15: 16}, Started: 1_700_000_000, Issued: 1_700_000_100, Expiry: 1_700_000_300, IDToken: idTokenGiven}
	plain := record(h, []byte("value"))
	if len(plain) != headerSize+len("value")+2 {
		t.Errorf("a record of %d bytes", len(plain))
	}
	got, value, err := readRecord(plain)
	if err != nil || got != h || string(value) != "value" {
		t.Errorf("%+v, %q, %v", got, value, err)
	}
	if !got.started().Equal(time.Unix(1_700_000_000, 0)) || !got.expiry().Equal(time.Unix(1_700_000_300, 0)) || !(header{}).expiry().IsZero() {
		t.Errorf("%v, %v, %v", got.started(), got.expiry(), header{}.expiry())
	}
	head := plain[1 : 1+headerSize]
	for name, bad := range map[string][]byte{
		"nothing":          nil,
		"one field":        seal.Pack(head),
		"three fields":     seal.Pack(head, nil, nil),
		"a short header":   seal.Pack(head[1:], []byte("value")),
		"a long first one": seal.Pack(append([]byte{firstVersion}, head[1:]...), []byte("value")),
		"another version":  seal.Pack(append([]byte{version + 1}, head[1:]...), []byte("value")),
		"cut":              plain[:len(plain)-1],
		"with a tail":      append(bytes.Clone(plain), 0),
	} {
		if _, _, err := readRecord(bad); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}

// A later release may add to the header while this one still runs.
func TestLongerHeaderIsRead(t *testing.T) {
	h := header{ID: [16]byte{1}, Started: 1, Issued: 2, Expiry: 3, IDToken: idTokenNone}
	head := record(h, nil)[1 : 1+headerSize]
	got, value, err := readRecord(seal.Pack(append(bytes.Clone(head), 1, 2, 3), []byte("value")))
	if err != nil || got != h || string(value) != "value" {
		t.Errorf("%+v, %q, %v", got, value, err)
	}
}

// Records are sealed, so that none but ours is ever read; an older release's may
// be anything, all the same.
func FuzzRecord(f *testing.F) {
	f.Add(record(header{ID: [16]byte{1}, Started: 1, Issued: 2, Expiry: 3}, []byte("value")))
	f.Add(record(header{}, nil))
	f.Add([]byte{})
	f.Add([]byte("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01"))
	f.Fuzz(func(t *testing.T, plain []byte) {
		h, value, err := readRecord(plain)
		if err != nil {
			if h != (header{}) || value != nil {
				t.Errorf("%v, with %+v and %q", err, h, value)
			}
			return
		}
		again, back, err := readRecord(record(h, value))
		if err != nil || again != h || !bytes.Equal(back, value) {
			t.Errorf("%+v, %q, %v; want %+v, %q", again, back, err, h, value)
		}
	})
}
