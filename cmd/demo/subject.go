package main

import (
	"encoding/json"
	"io"
	"net/http"
)

// subjectOf asks a user info endpoint whose access token that is; false for one
// that is not alive, or where nobody can tell.
func subjectOf(client *http.Client, userinfo, token string) (string, bool) {
	req, err := http.NewRequest(http.MethodGet, userinfo, nil)
	if err != nil {
		return "", false
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := client.Do(req)
	if err != nil {
		return "", false
	}
	defer func() { _ = resp.Body.Close() }()
	var user struct {
		Sub string `json:"sub"`
	}
	err = json.NewDecoder(io.LimitReader(resp.Body, 64<<10)).Decode(&user)
	return user.Sub, err == nil && resp.StatusCode == http.StatusOK && user.Sub != ""
}
