package idp

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// validate names every mistake at once.
func (c Config) validate() error {
	var errs []error
	if err := checkIssuer(c.Issuer); err != nil {
		errs = append(errs, err)
	}
	if c.SigningAlg != ES256 && c.SigningAlg != RS256 {
		errs = append(errs, fmt.Errorf("idp: unknown signing algorithm %q", c.SigningAlg))
	}
	for _, m := range c.AuthMethods {
		if m != methodBasic && m != methodPost {
			errs = append(errs, fmt.Errorf("idp: unknown client authentication method %q", m))
		}
	}
	errs = append(errs, unique("client", c.Clients, func(c Client) string { return c.ID }))
	errs = append(errs, unique("user", c.Users, func(u User) string { return u.Username }))
	errs = append(errs, unique("sub", c.Users, func(u User) string { return u.Sub }))
	errs = append(errs, checkURIs(c.Clients))
	return errors.Join(errs...)
}

// checkURIs wants absolute URIs without a fragment, RFC 6749 3.1.2.
func checkURIs(clients []Client) error {
	for _, client := range clients {
		for _, uri := range slices.Concat(client.RedirectURIs, client.PostLogoutRedirectURIs) {
			if u, err := url.Parse(uri); err != nil || u.Scheme == "" || u.Fragment != "" {
				return fmt.Errorf("idp: client %s: %q is no redirect URI", client.ID, uri)
			}
		}
	}
	return nil
}

func checkIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil {
		return fmt.Errorf("idp: issuer: %w", err)
	}
	switch {
	case u.Scheme != "http" && u.Scheme != "https", u.Host == "":
		return fmt.Errorf("idp: the issuer %q is not an http or https URL", issuer)
	case u.RawQuery != "", u.Fragment != "":
		return fmt.Errorf("idp: the issuer %q has a query or a fragment", issuer)
	case strings.HasSuffix(issuer, "/"):
		return fmt.Errorf("idp: the issuer %q ends with a slash", issuer)
	}
	return nil
}

// unique wants a name for each of list, and no name twice.
func unique[T any](what string, list []T, name func(T) string) error {
	seen := make(map[string]bool, len(list))
	for _, item := range list {
		n := name(item)
		if n == "" || seen[n] {
			return fmt.Errorf("idp: %s %q is empty or there twice", what, n)
		}
		seen[n] = true
	}
	return nil
}
