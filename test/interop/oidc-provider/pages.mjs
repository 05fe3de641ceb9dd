// The login and the consent page, at /interaction/<uid>, as plain HTML forms.
import { known, password } from './users.mjs';

const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

const html = (title, body) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title>
<h1>${title}</h1>
${body}
</html>
`;

const loginForm = (message) => html('Log in', `
<p role="alert">${escape(message)}</p>
<form id="login" method="post">
<label>User <input name="login" autofocus autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<button type="submit">Log in</button>
<button type="submit" name="deny" value="yes">Cancel</button>
</form>`);

const consentForm = (client, scope) => html('Consent', `
<p>${escape(client)} asks for: ${escape(scope)}</p>
<form id="consent" method="post">
<button type="submit">Continue</button>
<button type="submit" name="deny" value="yes">Cancel</button>
</form>`);

async function form(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

function show(res, status, body) {
  res.writeHead(status, { 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-store' }).end(body);
}

async function granted(provider, { grantId, session, params, prompt: { details } }) {
  const grant = grantId ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(' '));
  if (details.missingOIDCClaims) grant.addOIDCClaims(details.missingOIDCClaims);
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(' '));
  }
  return grant.save();
}

// pages answers the requests that are its own, and says whether this was one.
export function pages(provider) {
  return async (req, res) => {
    if (!req.url.startsWith('/interaction/')) return false;
    const interaction = await provider.interactionDetails(req, res);
    const { prompt, params } = interaction;
    const login = prompt.name === 'login';

    if (req.method !== 'POST') {
      show(res, 200, login ? loginForm('') : consentForm(params.client_id, params.scope));
      return true;
    }
    const fields = await form(req);
    let result;
    if (fields.get('deny')) {
      result = { error: 'access_denied', error_description: 'the user said no' };
    } else if (!login) {
      result = { consent: { grantId: await granted(provider, interaction) } };
    } else if (known(fields.get('login')) && fields.get('password') === password) {
      result = { login: { accountId: fields.get('login') } };
    } else {
      show(res, 401, loginForm('Unknown user or wrong password.'));
      return true;
    }
    await provider.interactionFinished(req, res, result, { mergeWithLastSubmission: !result.error });
    return true;
  };
}
