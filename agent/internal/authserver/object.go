package authserver

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// object is one JSON object, its members by their exact names. encoding/json
// alone would fold case, take the last of two equal members and mend broken
// UTF-8, three ways for a check and its user to see different values.
type object map[string]json.RawMessage

// None of these quotes the input.
var (
	errNotUTF8   = errors.New("not UTF-8")
	errNotObject = errors.New("not a JSON object")
	errTwice     = errors.New("a JSON member is there twice")
)

// parseObject reads body, which must be an object and nothing after it.
func parseObject(body []byte) (object, error) {
	if !utf8.Valid(body) {
		return nil, errNotUTF8
	}
	if !json.Valid(body) {
		return nil, errNotObject
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if start, err := dec.Token(); err != nil || start != json.Delim('{') {
		return nil, errNotObject
	}
	o := object{}
	for dec.More() {
		if err := o.readMember(dec); err != nil {
			return nil, err
		}
	}
	if _, err := dec.Token(); err != nil { // the closing brace
		return nil, errNotObject
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errNotObject
	}
	return o, nil
}

func (o object) readMember(dec *json.Decoder) error {
	name, err := dec.Token()
	key, isString := name.(string)
	if err != nil || !isString {
		return errNotObject
	}
	if _, twice := o[key]; twice {
		return errTwice
	}
	var value json.RawMessage
	if err := dec.Decode(&value); err != nil {
		return errNotObject
	}
	o[key] = value
	return nil
}

// has tells whether the member is there. null counts as absent, as servers
// that always send every member mean it.
func (o object) has(key string) bool {
	v, ok := o[key]
	return ok && string(v) != "null"
}

// text gives a string member; ok is false for an absent one and for any other
// type.
func (o object) text(key string) (s string, ok bool) {
	if !o.has(key) || o[key][0] != '"' {
		return "", false
	}
	return s, json.Unmarshal(o[key], &s) == nil
}

// optionalText gives a string member or "", and ok false for another type.
func (o object) optionalText(key string) (s string, ok bool) {
	if !o.has(key) {
		return "", true
	}
	return o.text(key)
}

// number gives a JSON number, not a string that looks like one.
func (o object) number(key string) (n float64, ok bool) {
	if !o.has(key) || o[key][0] == '"' {
		return 0, false
	}
	return n, json.Unmarshal(o[key], &n) == nil
}

// texts gives an array of strings; ok is false for any other type, and for an
// array with anything else in it.
func (o object) texts(key string) (list []string, ok bool) {
	if !o.has(key) || o[key][0] != '[' {
		return nil, false
	}
	var items []*string // so that null is seen, and refused
	if json.Unmarshal(o[key], &items) != nil {
		return nil, false
	}
	for _, s := range items {
		if s == nil {
			return nil, false
		}
		list = append(list, *s)
	}
	return list, true
}
