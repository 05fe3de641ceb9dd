package idp

import (
	"context"
	"encoding/xml"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// maxPage bounds what is read of a page, in bytes.
const maxPage = 1 << 20

// step is what a browser got.
type step struct {
	url      *url.URL
	status   int
	location *url.URL  // of a redirect
	form     *htmlForm // the first of the page
	text     string    // the page's words
}

func (b *browser) do(req *http.Request) (*step, error) {
	resp, err := b.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	s := &step{url: req.URL, status: resp.StatusCode}
	if location, err := resp.Location(); err == nil {
		s.location = location
		return s, nil
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxPage))
	if err != nil {
		return nil, err
	}
	s.read(string(body))
	return s, nil
}

// read finds the form and the text of a page. It understands HTML as simple as ours;
// what is odd ends it early.
func (s *step) read(page string) {
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var text []string
	for {
		token, err := d.Token()
		if err != nil {
			break
		}
		switch t := token.(type) {
		case xml.StartElement:
			s.element(t)
		case xml.CharData:
			text = append(text, strings.Fields(string(t))...)
		}
	}
	s.text = strings.Join(text[:min(len(text), 60)], " ")
}

func (s *step) element(e xml.StartElement) {
	attr := make(map[string]string, len(e.Attr))
	for _, a := range e.Attr {
		attr[strings.ToLower(a.Name.Local)] = a.Value
	}
	switch strings.ToLower(e.Name.Local) {
	case "form":
		if s.form == nil {
			s.form = &htmlForm{action: attr["action"], values: make(url.Values)}
		}
	case "input":
		if s.form != nil && attr["name"] != "" {
			s.form.values.Set(attr["name"], attr["value"])
		}
	}
}

// htmlForm is a form to fill in.
type htmlForm struct {
	action string
	values url.Values
}

// request submits the form with fields, from the page at base.
func (f *htmlForm) request(ctx context.Context, base *url.URL, fields url.Values) (*http.Request, error) {
	action, err := base.Parse(f.action)
	if err != nil {
		return nil, err
	}
	maps.Copy(f.values, fields)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, action.String(), strings.NewReader(f.values.Encode()))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return req, nil
}
