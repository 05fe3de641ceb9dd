// A real OpenID provider for the interoperability tests: npm oidc-provider with
// login and consent pages of its own, a few users, and one confidential client.
// It listens on 127.0.0.1 only and is never part of the product.
//
// Settings, all by environment:
//   PORT                        needed
//   ISSUER                      default http://127.0.0.1:PORT
//   CLIENT_ID, CLIENT_SECRET    needed
//   CLIENT_AUTH_METHOD          default client_secret_basic
//   REDIRECT_URIS               needed, comma list
//   POST_LOGOUT_REDIRECT_URIS   comma list
//   ACCESS_TOKEN_TTL, ID_TOKEN_TTL, REFRESH_TOKEN_TTL   seconds
//   ID_TOKEN_ALG                RS256 (default), PS256, ES256 or EdDSA
//   TOKEN_CHARS                 length of the opaque tokens, default 43
//   CLAIM_CHARS                 length of the claim "filler" in the ID token, default none
//   REQUIRE_PAR                 1: only pushed authorization requests (RFC 9126)
//   PROFILE                     no-pkce: a server from before RFC 7636, which ignores it
//   STATE_FILE                  where the state goes at SIGTERM and comes from at start,
//                               so that a restart forgets nobody
import http from 'node:http';

import { configuration } from './configuration.mjs';
import { pages } from './pages.mjs';
import { ignorePKCE } from './no_pkce.mjs';
import { State } from './state.mjs';
import { Provider } from 'oidc-provider';

const env = process.env;
const port = Number(env.PORT);
const issuer = env.ISSUER || `http://127.0.0.1:${port}`;

const state = new State(env.STATE_FILE);
const provider = new Provider(issuer, configuration(env, state));
provider.on('server_error', (ctx, err) => console.error('server_error', ctx.path, err));

let serve = provider.callback();
if (env.PROFILE === 'no-pkce') serve = ignorePKCE(serve);
const page = pages(provider);

const server = http.createServer(async (req, res) => {
  try {
    if (!(await page(req, res))) serve(req, res);
  } catch (err) {
    res.writeHead(400, { 'content-type': 'text/plain' }).end(`${err.message}\n`);
  }
});
server.listen(port, '127.0.0.1', () => console.log(`${issuer} is ready`));

function stop() {
  state.save();
  server.close(() => process.exit(0));
  server.closeAllConnections();
}
process.on('SIGTERM', stop);
process.on('SIGINT', stop);
