package spa

import (
	"cmp"
	"mime"
	"strings"
)

// contentType is the media type of a file name extension. What a page is made of
// does not depend on the tables of the operating system, and nothing is guessed
// from content.
func contentType(ext string) string {
	ext = strings.ToLower(ext)
	switch ext {
	case ".html", ".htm":
		return "text/html; charset=utf-8"
	case ".js", ".mjs", ".cjs":
		return "text/javascript; charset=utf-8" // RFC 9239
	case ".css":
		return "text/css; charset=utf-8"
	case ".json", ".map":
		return "application/json"
	case ".webmanifest":
		return "application/manifest+json"
	case ".txt":
		return "text/plain; charset=utf-8"
	case ".xml":
		return "application/xml"
	case ".svg":
		return "image/svg+xml"
	case ".png":
		return "image/png"
	case ".jpg", ".jpeg":
		return "image/jpeg"
	case ".gif":
		return "image/gif"
	case ".webp":
		return "image/webp"
	case ".avif":
		return "image/avif"
	case ".ico":
		return "image/vnd.microsoft.icon"
	case ".woff", ".woff2", ".ttf", ".otf":
		return "font/" + ext[1:] // RFC 8081
	case ".wasm":
		return "application/wasm"
	case ".pdf":
		return "application/pdf"
	case ".mp4", ".webm":
		return "video/" + ext[1:]
	}
	return cmp.Or(mime.TypeByExtension(ext), "application/octet-stream")
}
