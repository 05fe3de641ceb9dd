package idp

// pagesHTML has all pages. They are well-formed enough for an XML parser, which is
// how [Login] reads them.
const pagesHTML = `{{define "head"}}<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{.Title}}</title>
<link rel="stylesheet" href="{{style}}">
</head>
<body>
<main>
{{end}}

{{define "foot"}}
</main>
<footer>Development identity provider. Not for production.</footer>
</body>
</html>
{{end}}

{{define "login"}}{{template "head" .}}
<h1>{{.Title}}</h1>
<p class="lead">to continue to <strong>{{.Client}}</strong></p>
{{if .Problem}}<p class="problem" role="alert">{{.Problem}}</p>{{end}}
<form method="post" action="{{.Action}}">
<input type="hidden" name="form" value="{{.Form}}">
<label for="username">User name</label>
<input id="username" name="username" value="{{.Hint}}" autocomplete="username" autocapitalize="none" spellcheck="false" required{{if not .Hint}} autofocus{{end}}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required{{if .Hint}} autofocus{{end}}>
<div class="buttons">
<button type="submit">Sign in</button>
<button type="submit" name="cancel" value="1" class="quiet" formnovalidate>Cancel</button>
</div>
</form>
{{if .Users}}<section class="hint">
<h2>Demo users</h2>
<table>
<thead><tr><th>User name</th><th>Password</th></tr></thead>
<tbody>{{range .Users}}<tr><td><code>{{.Username}}</code></td><td><code>{{.Password}}</code></td></tr>{{end}}</tbody>
</table>
</section>{{end}}
{{template "foot" .}}{{end}}

{{define "logout"}}{{template "head" .}}
<h1>{{.Title}}</h1>
<p class="lead">{{if .Client}}<strong>{{.Client}}</strong> asks to sign you out here, too.{{else}}Do you want to sign out?{{end}}</p>
<form method="post" action="{{.Action}}">
<input type="hidden" name="form" value="{{.Form}}">
<div class="buttons">
<button type="submit" autofocus>Sign out</button>
<button type="submit" name="cancel" value="1" class="quiet">Stay signed in</button>
</div>
</form>
{{template "foot" .}}{{end}}

{{define "message"}}{{template "head" .}}
<h1>{{.Title}}</h1>
<p class="lead">{{.Message}}</p>
{{template "foot" .}}{{end}}
`

const styleCSS = `:root {
  --ink: #1b2330; --soft: #5b6675; --line: #d5dbe3; --paper: #fff; --ground: #f3f5f8;
  --accent: #1f5fbf; --accent-ink: #fff; --problem: #a4262c; --problem-ground: #fdecec;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e8ecf2; --soft: #a0abba; --line: #3a4452; --paper: #1c232d; --ground: #12171e;
    --accent: #7db0ff; --accent-ink: #0d1a2d; --problem: #ffb3b3; --problem-ground: #3c1f22;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; min-height: 100vh; padding: 1.5rem 1rem;
  display: flex; flex-direction: column; align-items: center; justify-content: center; gap: 1.25rem;
  background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
main {
  width: 100%; max-width: 24rem; padding: 2rem;
  background: var(--paper); border: 1px solid var(--line); border-radius: 12px;
  box-shadow: 0 8px 30px rgb(0 0 0 / 8%);
}
h1 { margin: 0; font-size: 1.6rem; line-height: 1.2; }
h2 { margin: 0 0 .5rem; font-size: .8rem; letter-spacing: .05em; text-transform: uppercase; color: var(--soft); }
.lead { margin: .35rem 0 1.5rem; color: var(--soft); }
.lead strong { color: var(--ink); font-weight: 600; overflow-wrap: anywhere; }
.problem { margin: 0 0 1rem; padding: .6rem .8rem; border-radius: 8px; background: var(--problem-ground); color: var(--problem); }
label { display: block; margin-bottom: .25rem; font-weight: 600; font-size: .9rem; }
input:not([type=hidden]) {
  display: block; width: 100%; margin-bottom: 1rem; padding: .65rem .75rem;
  font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--line); border-radius: 8px;
}
.buttons { display: flex; gap: .75rem; margin-top: .5rem; }
button {
  flex: 1; padding: .7rem 1rem; font: inherit; font-weight: 600; cursor: pointer;
  color: var(--accent-ink); background: var(--accent); border: 1px solid var(--accent); border-radius: 8px;
}
button.quiet { flex: 0 1 auto; color: var(--ink); background: transparent; border-color: var(--line); }
button:hover { filter: brightness(1.08); }
input:focus-visible, button:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.hint { margin-top: 1.75rem; padding-top: 1.25rem; border-top: 1px solid var(--line); }
table { width: 100%; border-collapse: collapse; font-size: .9rem; }
th { text-align: left; font-weight: 500; color: var(--soft); }
th, td { padding: .2rem 0; }
footer { font-size: .8rem; color: var(--soft); text-align: center; }
`
