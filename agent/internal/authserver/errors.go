package authserver

import "errors"

// What can go wrong besides [ErrUnavailable], told apart with [errors.Is].
var (
	// ErrCodeRefused: the token endpoint refused a code.
	ErrCodeRefused = errors.New("authorization code refused")
	// ErrIDToken: the ID token of a login did not pass a check. At a refresh
	// the same is [ErrUnavailable], since a session exists that is not to be lost.
	ErrIDToken = errors.New("ID token refused")
	// ErrIssuer: the authorization response is another server's (RFC 9207).
	ErrIssuer = errors.New("authorization response of another issuer")
	// ErrSessionOver: the refresh token is dead, or its session was ended here.
	ErrSessionOver = errors.New("session over")
	// ErrClientRefused: the token endpoint answered with an error that is about the
	// client, not about what it sent. The settings are wrong; the session is not.
	ErrClientRefused = errors.New("client refused by the authorization server")
	// ErrTokenExpired: the userinfo endpoint refused the access token.
	ErrTokenExpired = errors.New("access token refused")
	// ErrForbidden: the userinfo endpoint answered 403.
	ErrForbidden = errors.New("access token lacks the rights")
	// ErrNoUserinfo: there is no userinfo endpoint.
	ErrNoUserinfo = errors.New("no userinfo endpoint")
	// ErrExtraParams: see [ExtraParamsError].
	ErrExtraParams = errors.New("extraParams refused")
)

// ExtraParamsError says why extra parameters of an authorization request were
// refused. It is an [ErrExtraParams], and its text may be told to the client.
type ExtraParamsError struct{ Reason string }

// Error is for the client.
func (e *ExtraParamsError) Error() string { return "extraParams: " + e.Reason }

// Is makes it an [ErrExtraParams].
func (e *ExtraParamsError) Is(target error) bool { return target == ErrExtraParams }

// codeSuffix is " (code)" for an error code of the server that is fit to be
// told, and nothing otherwise.
func codeSuffix(code string) string {
	if !PlainCode(code) {
		return ""
	}
	return " (" + code + ")"
}

// PlainCode keeps free text, and tokens that a server echoes, out of our
// errors: the codes of RFC 6749 and its extensions are all of this form.
func PlainCode(code string) bool {
	for _, r := range code {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9':
		case r == '_', r == '.', r == '-':
		default:
			return false
		}
	}
	return len(code) >= 1 && len(code) <= 64
}
