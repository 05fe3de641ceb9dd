package e2e

import (
	"net/http"
	"strings"
	"testing"

	"oauth-agent/test/idp"
)

// The rows of the table of errors that tell of the authorization server.

func TestSessionExpired(t *testing.T) {
	t.Parallel()
	rows := []failure{{"revoked by an administrator", 401, "session_expired", func(w *world) send {
		c := w.login()
		w.idp.RevokeAll()
		return c.sendRefresh()
	}}}
	for name, f := range deadRefreshToken {
		rows = append(rows, failure{name, 401, "session_expired", refreshing(f)})
	}
	run(t, rows)
}

// deadRefreshToken is how real servers say that a refresh token is dead.
var deadRefreshToken = map[string]idp.Fault{
	"invalid_grant":      idp.OAuthError(400, "invalid_grant"),
	"invalid_grant, 401": idp.OAuthError(401, "invalid_grant"),
	"invalid_request":    idp.OAuthError(400, "invalid_request"),
	"invalid_token":      idp.OAuthError(401, "invalid_token"),
	"access_denied":      idp.OAuthError(403, "access_denied"),
	"a code of its own":  idp.OAuthError(400, "token_inactive"),
	"400, empty":         idp.Empty(400),
	"401, empty":         idp.Empty(401),
	"403, empty":         idp.Empty(403),
	"an odd code":        {Status: 400, Body: `{"error":"the token is dead"}`},
	"400, a form":        {Status: 400, ContentType: form, Body: "error=invalid_grant&error_description=it+is+dead"},
	"200, JSON":          idp.OAuthError(200, "bad_refresh_token"),
	"200, a form":        {Status: 200, ContentType: form, Body: "error=bad_refresh_token&error_description=it+is+dead"},
}

const form = "application/x-www-form-urlencoded"

// clientAtFault is how a server says that the client is at fault, not the token.
var clientAtFault = map[string]idp.Fault{
	"invalid_client":         idp.OAuthError(401, "invalid_client"),
	"invalid_client, 400":    idp.OAuthError(400, "invalid_client"),
	"unauthorized_client":    idp.OAuthError(400, "unauthorized_client"),
	"unsupported_grant_type": idp.OAuthError(400, "unsupported_grant_type"),
	"invalid_scope":          idp.OAuthError(400, "invalid_scope"),
	"invalid_client, 200":    idp.OAuthError(200, "invalid_client"),
	"invalid_client, a form": {Status: 200, ContentType: form, Body: "error=invalid_client"},
}

// outages are refusals of a server that is overloaded or not there, or of what
// stands in front of it.
var outages = map[string]idp.Fault{
	"404, empty":                  idp.Empty(404),
	"404, an error":               idp.OAuthError(404, "invalid_grant"),
	"405":                         idp.Empty(405),
	"407":                         idp.Empty(407),
	"408":                         idp.Empty(408),
	"410":                         idp.Empty(410),
	"421":                         idp.Empty(421),
	"425":                         idp.Empty(425),
	"429":                         idp.OAuthError(429, "too_many_attempts"),
	"451":                         idp.HTML(451),
	"400, HTML":                   idp.HTML(400),
	"401, HTML":                   idp.HTML(401),
	"403, HTML":                   idp.HTML(403),
	"temporarily_unavailable":     idp.OAuthError(400, "temporarily_unavailable"),
	"temporarily_unavailable 200": idp.OAuthError(200, "temporarily_unavailable"),
	"server_error":                idp.OAuthError(401, "server_error"),
	"slow_down":                   idp.OAuthError(403, "slow_down"),
}

// unclear are refusals that say nothing about the refresh token, though something
// is wrong with the request.
var unclear = map[string]idp.Fault{
	"400, a list":      {Status: 400, Body: `["invalid_client"]`},
	"400, error twice": {Status: 400, Body: `{"error":"invalid_client","error":"invalid_grant"}`},
	"400, no error":    {Status: 400, Body: `{"message":"no"}`},
	"403, text":        {Status: 403, ContentType: "text/plain", Body: "forbidden"},
	"402, an error":    idp.OAuthError(402, "invalid_grant"),
	"422, an error":    idp.OAuthError(422, "invalid_grant"),
}

func TestErrorsOfTheAuthorizationResponse(t *testing.T) {
	t.Parallel()
	var rows []failure
	for _, code := range []string{"login_required", "interaction_required", "consent_required", "account_selection_required"} {
		rows = append(rows, failure{code, 401, code, responding("error=" + code)})
	}
	for _, code := range []string{
		"access_denied", "invalid_request", "unauthorized_client", "unsupported_response_type", "invalid_scope",
		"server_error", "temporarily_unavailable", "x-vendor.code_7", strings.Repeat("e", 64),
	} {
		rows = append(rows, failure{code, 400, code, responding("error=" + code)})
	}
	for name, code := range map[string]string{
		"long": strings.Repeat("e", 65), "markup": "%3Cscript%3E", "space": "access+denied", "quote": "a%22b",
		"control": "a%00b", "line break": "a%0d%0ab", "not UTF-8": "a%ffb", "not ASCII": "%C3%A9chec", "not encoded": "100%",
	} {
		rows = append(rows, failure{name, 400, "authorization_error", responding("error=" + code)})
	}
	rows = append(rows, failure{"the user says no", 400, "access_denied", func(w *world) send {
		c := w.client()
		page, err := idp.LoginDenied(w.t.Context(), nil, c.start())
		if err != nil {
			w.t.Fatal(err)
		}
		return c.sendEnd(page)
	}})
	run(t, rows)
}

func TestAuthorizationError(t *testing.T) {
	t.Parallel()
	rows := []failure{
		{"userinfo 403", 400, "authorization_error", asking(idp.Empty(403))},
		{"userinfo insufficient_scope", 400, "authorization_error", asking(idp.OAuthError(403, "insufficient_scope"))},
	}
	for name, f := range clientAtFault {
		rows = append(rows, failure{"refresh: " + name, 400, "authorization_error", refreshing(f)})
	}
	for name, f := range map[string]idp.Fault{
		"invalid_grant": idp.OAuthError(400, "invalid_grant"), "invalid_client": idp.OAuthError(401, "invalid_client"),
		"400, empty": idp.Empty(400), "401, empty": idp.Empty(401), "403, empty": idp.Empty(403),
		"an odd code": {Status: 400, Body: `{"error":"<script>"}`},
		"200, JSON":   idp.OAuthError(200, "bad_verification_code"),
		"200, a form": {Status: 200, ContentType: form, Body: "error=bad_verification_code"},
	} {
		rows = append(rows, failure{"code: " + name, 400, "authorization_error", redeeming(idp.Token, f)})
	}
	for name, f := range unclear {
		rows = append(rows, failure{"code: " + name, 400, "authorization_error", redeeming(idp.Token, f)})
	}
	for name, f := range clientAtFault {
		rows = append(rows, failure{"code: client: " + name, 400, "authorization_error", redeeming(idp.Token, f)})
	}
	run(t, rows)
}

// nonsense is what a server may do that says nothing about user or client.
var nonsense = map[string]idp.Fault{
	"down":          idp.Down(),
	"hangs":         {Hang: true},
	"drips":         {Status: 200, Body: `{"access_token":"x"}`, Drip: patience / 4},
	"cut":           {Status: 200, Body: `{"access_token":"x"}`, Cut: true},
	"500":           idp.Empty(500),
	"503, HTML":     idp.HTML(503),
	"500, an error": idp.OAuthError(500, "invalid_grant"),
	"redirect 307":  {Redirect: "https://evil.example/"},
	"redirect 302":  {Redirect: "/elsewhere", Status: 302},
	"200, HTML":     idp.HTML(200),
	"200, empty":    idp.Empty(200),
	"204":           idp.Empty(204),
	"garbage":       idp.Garbage(),
	"50 MB":         idp.Huge(),
	"a list":        {Status: 200, Body: `[]`},
	"null":          {Status: 200, Body: `null`},
	"two objects":   {Status: 200, Body: `{} {}`},
	"not UTF-8":     {Status: 200, Body: "{\"sub\":\"\xff\",\"access_token\":\"\xff\",\"token_type\":\"Bearer\"}"},
}

func TestAuthorizationServerError(t *testing.T) {
	t.Parallel()
	var rows []failure
	row := func(name string, prepare func(*world) send) {
		rows = append(rows, failure{name, 502, "authorization_server_error", prepare})
	}
	for name, f := range nonsense {
		row("code: "+name, redeeming(idp.Token, f))
		row("refresh: "+name, refreshing(f))
		row("userinfo: "+name, asking(f))
	}
	for _, name := range []string{"down", "503, HTML", "redirect 307", "garbage", "50 MB"} {
		row("keys: "+name, redeeming(idp.JWKS, nonsense[name]))
	}
	for name, f := range outages {
		row("code: "+name, redeeming(idp.Token, f))
		row("refresh: "+name, refreshing(f))
		if f.Status != http.StatusUnauthorized {
			row("userinfo: "+name, asking(f))
		}
	}
	for name, f := range unclear {
		row("refresh: "+name, refreshing(f))
	}
	row("userinfo: 400", asking(idp.OAuthError(400, "invalid_request")))
	row("discovery of another issuer", func(w *world) send {
		w.idp.MutateDiscovery(func(m map[string]any) { m["issuer"] = "https://evil.example" })
		return w.client().at(w.replica()).sendStart("")
	})
	row("discovery: down", func(w *world) send {
		w.idp.SetFault(idp.Discovery, idp.Down())
		return w.client().at(w.replica()).sendStart("")
	})
	row("no ID token", func(w *world) send {
		w.idp.SetIDTokenFault(idp.IDTokenFault{Omit: true})
		c := w.client()
		return c.sendEnd(w.authorize(c.start()))
	})
	for name, change := range tokenAnswers {
		row("code: "+name, func(w *world) send {
			w.idp.SetTokenResponseFault(change)
			c := w.client()
			return c.sendEnd(w.authorize(c.start()))
		})
	}
	for name, change := range map[string]func(map[string]any){
		"another sub": func(m map[string]any) { m["sub"] = "somebody-else" },
		"no sub":      func(m map[string]any) { delete(m, "sub") },
		"sub of case": func(m map[string]any) { m["sub"] = "SUB-DEMO" },
		"a number":    func(m map[string]any) { m["sub"] = 7 },
	} {
		row("userinfo: "+name, func(w *world) send {
			c := w.login()
			w.idp.MutateUserinfo(change)
			return c.sendUserInfo()
		})
	}
	run(t, rows)
}

// tokenAnswers are successes of the token endpoint that are none.
var tokenAnswers = map[string]func(map[string]any){
	"no access token":        func(m map[string]any) { delete(m, "access_token") },
	"empty access token":     func(m map[string]any) { m["access_token"] = "" },
	"access token, a number": func(m map[string]any) { m["access_token"] = 7 },
	"access token, CR LF":    func(m map[string]any) { m["access_token"] = "a\r\nX: y" },
	"token_type MAC":         func(m map[string]any) { m["token_type"] = "mac" },
	"token_type DPoP":        func(m map[string]any) { m["token_type"] = "DPoP" },
	"refresh token, a list":  func(m map[string]any) { m["refresh_token"] = []string{"x"} },
	"ID token, an object":    func(m map[string]any) { m["id_token"] = map[string]any{} },
}
