// An authorization server without PKCE, the proxy in front of it, and a user.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { credentials } from './authorization_servers.mjs';
import { Proxies } from './proxies.mjs';
import { Tab } from './user.mjs';

export const appURI = 'com.example.app:/cb';
export const loopbackURI = 'http://127.0.0.1/native'; // any port

// world starts everything before the tests of a suite, and stops it after them.
// secrets collects what no log may hold.
export function world(product, count, redirectURIs = () => []) {
  const w = { product, proxies: new Proxies(), secrets: new Set([credentials.secret]) };
  before(async () => {
    await w.proxies.listen();
    w.issuer = w.proxies.issuer;
    w.as = await product.start(w.proxies.callback);
    await w.proxies.start(count, w.as, [appURI, loopbackURI, ...redirectURIs()]);
  });
  after(async () => {
    await w.proxies.stop();
    await w.as?.stop();
    const said = w.proxies.output();
    for (const secret of w.secrets) assert.ok(!said.includes(secret), 'the proxy printed a secret');
  });

  // keep notes the tokens of an answer, and gives it back.
  w.keep = (tokens) => {
    for (const name of ['access_token', 'refresh_token', 'id_token']) {
      if (tokens[name]) w.secrets.add(tokens[name]);
    }
    return tokens;
  };

  // browse sends the user to url; visit does there what is to be done. It gives
  // the URL at which the app is called back.
  w.browse = async (url, app, visit = product.logIn) => {
    const tab = new Tab(app);
    await tab.open(url);
    await visit(tab);
    assert.ok(tab.arrived, `the user is stuck at ${tab.url} (${tab.status}): ${tab.html?.slice(0, 300)}`);
    const code = new URL(tab.arrived).searchParams.get('code');
    if (code) w.secrets.add(code);
    return new URL(tab.arrived);
  };
  return w;
}
