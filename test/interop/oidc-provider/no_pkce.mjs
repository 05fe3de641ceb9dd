// The profile of an authorization server from before RFC 7636: it does not refuse
// code_challenge or code_verifier, it does not know them, as RFC 6749 3.1 and 3.2
// say of unknown parameters. So they are taken out before the provider sees them.
const ours = ['code_challenge', 'code_challenge_method', 'code_verifier'];

function without(params) {
  for (const name of ours) params.delete(name);
  return params.toString();
}

async function text(req) {
  const chunks = [];
  for await (const chunk of req) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

export function ignorePKCE(serve) {
  return async (req, res) => {
    const url = new URL(req.url, 'http://as.invalid');
    if (ours.some((name) => url.searchParams.has(name))) {
      req.url = `${url.pathname}?${without(url.searchParams)}`;
    }
    if (req.method === 'POST' && req.headers['content-type']?.startsWith('application/x-www-form-urlencoded')) {
      req.body = without(new URLSearchParams(await text(req))); // oidc-provider takes what was read already
    }
    serve(req, res);
  };
}
