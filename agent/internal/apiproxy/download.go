package apiproxy

import (
	"io"
	"net/http"
	"strings"
)

// download is the body of an answer that may have trailers. They come behind the
// body, announced or not, and may not bring what a header may not.
type download struct {
	io.ReadCloser
	res *http.Response
}

// watchTrailers takes the bad ones out, now those that are announced, and at the
// end of the body those that come.
func watchTrailers(res *http.Response) {
	if res.StatusCode == http.StatusSwitchingProtocols || res.ContentLength >= 0 && len(res.Trailer) == 0 {
		return
	}
	dropTrailers(res.Trailer)
	res.Body = &download{res.Body, res}
}

func (d *download) Read(p []byte) (int, error) {
	n, err := d.ReadCloser.Read(p)
	if err == io.EOF {
		dropTrailers(d.res.Trailer)
	}
	return n, err
}

func dropTrailers(h http.Header) {
	for name := range h {
		if name == "Set-Cookie" || name == "Clear-Site-Data" || isCaching(name) || isHopByHop(name) || strings.HasPrefix(name, "Access-Control-") {
			delete(h, name)
		}
	}
}
