// oidc-client-ts in Chromium, on a plain page of another origin than the proxy.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, it } from 'node:test';

import { chromium } from 'playwright-core';

import { django, oidcProvider } from './support/authorization_servers.mjs';
import { world } from './support/world.mjs';

const library = fs.readFileSync(new URL('node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url));

// page is the app. The tests drive its UserManager.
const page = (issuer, scope) => `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>The app</title>
<script src="/oidc-client-ts.js"></script>
<script>
  const manager = new oidc.UserManager({
    authority: ${JSON.stringify(issuer)},
    metadataUrl: ${JSON.stringify(`${issuer}/.well-known/oauth-authorization-server`)},
    client_id: 'web-app',
    redirect_uri: location.origin + '/callback',
    scope: ${JSON.stringify(scope)},
    automaticSilentRenew: false,
    revokeTokenTypes: ['refresh_token'],
  });
</script>
</html>`;

const logIn = {
  [oidcProvider.name]: async (tab) => {
    await tab.fill('input[name=login]', 'zoe');
    await tab.fill('input[name=password]', 'password');
    await tab.click('button:has-text("Log in")');
    await tab.click('button:has-text("Continue")');
  },
  [django.name]: async (tab) => {
    await tab.fill('input[name=username]', 'zoe');
    await tab.fill('input[name=password]', 'password');
    await tab.click('button[type=submit]');
    await tab.click('input[name=allow]');
  },
};

for (const product of [oidcProvider, django]) {
  describe(`oidc-client-ts in Chromium, ${product.name}`, { timeout: 240_000 }, () => {
    const origins = {};
    let w;
    let browser;

    // serve gives the page at an origin of its own: under the name localhost, so
    // that it is another site than the servers' 127.0.0.1, and allowed exactly
    // instead of as a loopback address with any port.
    async function serve() {
      const server = http.createServer((req, res) => {
        const script = req.url === '/oidc-client-ts.js';
        res.writeHead(200, { 'content-type': script ? 'text/javascript' : 'text/html' });
        res.end(script ? library : page(w.issuer, product.oidcScope));
      }).listen(0, '127.0.0.1');
      await once(server, 'listening');
      return { url: `http://localhost:${server.address().port}`, server };
    }

    before(async () => {
      origins.app = await serve();
      origins.stranger = await serve();
      browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox'] });
    });
    w = world(product, 2, () => [`${origins.app.url}/callback`]);
    after(async () => {
      await browser?.close();
      for (const { server } of Object.values(origins)) {
        server.close();
        server.closeAllConnections();
      }
    });

    it('logs in, refreshes and revokes', async () => {
      const tab = await browser.newPage();
      await tab.goto(origins.app.url);
      await tab.evaluate(() => { manager.signinRedirect(); });
      await logIn[product.name](tab);
      await tab.waitForURL(`${origins.app.url}/callback?**`);
      const user = w.keep(await tab.evaluate(async () => ({ ...await manager.signinCallback() })));
      assert.equal(user.profile.name, 'Zoë Łukasiewicz-Ñandú 東京 🦊');
      assert.equal(user.profile.iss, w.as.issuer);

      const refreshed = w.keep(await tab.evaluate(async () => ({ ...await manager.signinSilent() })));
      assert.notEqual(refreshed.access_token, user.access_token);
      await tab.evaluate(() => manager.revokeTokens());
      // The page may read errors, too.
      const dead = await tab.evaluate(async (token) => {
        const endpoint = await manager.metadataService.getTokenEndpoint();
        const form = { grant_type: 'refresh_token', client_id: 'web-app', refresh_token: token };
        return (await fetch(endpoint, { method: 'POST', body: new URLSearchParams(form) })).json();
      }, refreshed.refresh_token);
      assert.equal(dead.error, 'invalid_grant');
      await tab.close();
    });

    it('is closed to pages of other origins', async () => {
      const tab = await browser.newPage();
      await tab.goto(origins.stranger.url);
      for (const path of ['/oauth/token', '/oauth/revoke', '/.well-known/oauth-authorization-server']) {
        const told = await tab.evaluate((url) => fetch(url).then(() => 'answered', (e) => e.name), w.issuer + path);
        assert.equal(told, 'TypeError', path);
      }
      await tab.close();
    });
  });
}
