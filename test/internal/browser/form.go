package browser

import (
	"fmt"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

// Enough of HTML for the forms of login pages, whose markup we know.
var (
	formTag  = regexp.MustCompile(`(?is)<form\b([^>]*)>(.*?)</form>`)
	inputTag = regexp.MustCompile(`(?is)<(?:input|button)\b([^>]*)>`)
	attrPair = regexp.MustCompile(`(?s)([a-zA-Z-]+)(?:\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+)))?`)
)

// Form tells whether the page has a form with that field or button.
func (t *Tab) Form(field string) bool {
	for _, form := range formTag.FindAllStringSubmatch(t.Body, -1) {
		for _, input := range inputTag.FindAllStringSubmatch(form[2], -1) {
			if attributes(input[1])["name"] == field {
				return true
			}
		}
	}
	return false
}

// Submit fills in the page's form and sends it. Its hidden fields go along; a
// button is pressed by being among the fields.
func (t *Tab) Submit(fields map[string]string) error {
	form := formTag.FindStringSubmatch(t.Body)
	if form == nil {
		return fmt.Errorf("no form at %s (status %d): %.300q", t.URL.Redacted(), t.Status, t.Body)
	}
	values := url.Values{}
	for _, input := range inputTag.FindAllStringSubmatch(form[2], -1) {
		if a := attributes(input[1]); strings.EqualFold(a["type"], "hidden") {
			values.Add(a["name"], a["value"])
		}
	}
	for name, value := range fields {
		values.Set(name, value)
	}
	a := attributes(form[1])
	target, err := t.URL.Parse(a["action"])
	if err != nil {
		return err
	}
	if a["action"] == "" {
		target = t.URL
	}
	if !strings.EqualFold(a["method"], http.MethodPost) {
		target.RawQuery = values.Encode()
		return t.navigate(http.MethodGet, target.String(), nil, t.URL)
	}
	return t.navigate(http.MethodPost, target.String(), values, t.URL)
}

func attributes(tag string) map[string]string {
	out := map[string]string{}
	for _, m := range attrPair.FindAllStringSubmatch(tag, -1) {
		out[strings.ToLower(m[1])] = html.UnescapeString(m[2] + m[3] + m[4])
	}
	return out
}
