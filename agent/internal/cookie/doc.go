// Package cookie keeps sealed values in the browser: which names, prefixes,
// paths and attributes they have ([Policy]), and how they are set, read, split,
// joined and cleared ([Jar]).
//
// Five kinds make up a session and its logins. The access token and the CSRF
// token have path "/", since API calls need them. The refresh token, the ID
// token and the logins have the base path of the agent only: they never travel
// with an API call. That path rules out a name that keeps the rest of the site from
// planting them; [Jar.Bind] makes up for it.
//
// Which cookies belong together, and what a session is, is decided elsewhere.
package cookie
