package spa

import "testing"

func TestHashed(t *testing.T) {
	for name, want := range map[string]bool{
		"index-BkV3x9Qa.js": true, "index-B-x8_2Ks.js": true, "main.8f3c2a1b.js": true, "main.3a4f5b6c7d8e9f0a1b2c.chunk.js": true,
		"main-6OR4VTSJ.js": true, "style-Dz8fQmwK.css": true, "index-BkV3x9Qa.js.map": true, "3a4f5b6c7d8e9f0a1b2c.png": true,
		"my-long-name-BkV3x9Qa.woff2": true,

		"index.html": false, "index-BkV3x9Qa.html": false, "sw.js": false, "some-component.js": false, "Inter-SemiBold.woff2": false,
		"Inter-ExtraBoldItalic.woff2": false, "icon-1024x1024.png": false, "splash-2048x2732.png": false, "report-20240101.pdf": false,
		"photo-2024-01-01-a.jpg": false, "jquery-3.7.1.min.js": false, "logo-horizontal2.svg": false, "Logo-Version2Final.png": false,
		"my-iPhone15Pro.png": false, "BkV3x9Qa": false, "8f3c2a1b.js": false, "a-v1-a2-b3.js": false, "deadbeef.js": false,
		"report-20240101a.pdf": false, "": false, ".": false, "-.js": false, "lib-abcdefgh.js": false,
	} {
		if got := hashed(name); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}
