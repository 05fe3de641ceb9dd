// openid-client, as an app on a phone uses it: a private-use URI scheme.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import * as client from 'openid-client';

import { django, oidcProvider } from './support/authorization_servers.mjs';
import { appURI, world } from './support/world.mjs';

for (const product of [oidcProvider, django]) {
  describe(`openid-client, ${product.name}`, { timeout: 240_000 }, () => {
    const w = world(product, 1);

    const discover = () => client.discovery(new URL(w.issuer), 'mobile-app', undefined, client.None(),
      { algorithm: 'oauth2', execute: [client.allowInsecureRequests] });

    async function begin(config, parameters = {}) {
      const pkceCodeVerifier = client.randomPKCECodeVerifier();
      w.secrets.add(pkceCodeVerifier);
      const expectedState = client.randomState();
      const url = client.buildAuthorizationUrl(config, {
        redirect_uri: appURI,
        scope: product.scope,
        state: expectedState,
        code_challenge: await client.calculatePKCECodeChallenge(pkceCodeVerifier),
        code_challenge_method: 'S256',
        ...parameters,
      });
      return { url, checks: { pkceCodeVerifier, expectedState } };
    }

    it('logs in, refreshes and revokes', async () => {
      const config = await discover();
      assert.ok(config.serverMetadata().supportsPKCE());
      const { url, checks } = await begin(config);
      const tokens = w.keep(await client.authorizationCodeGrant(config, await w.browse(url, appURI), checks));
      const refreshed = w.keep(await client.refreshTokenGrant(config, tokens.refresh_token));
      assert.notEqual(refreshed.access_token, tokens.access_token);
      await client.tokenRevocation(config, refreshed.refresh_token);
      await assert.rejects(client.refreshTokenGrant(config, refreshed.refresh_token), { error: 'invalid_grant' });
    });

    it('is told of a wrong verifier and of a refusal', async () => {
      const config = await discover();
      const { url, checks } = await begin(config);
      const answer = await w.browse(url, appURI);
      await assert.rejects(client.authorizationCodeGrant(config, answer, { ...checks, pkceCodeVerifier: client.randomPKCECodeVerifier() }),
        { error: 'invalid_grant' });

      const second = await begin(config);
      await assert.rejects(client.authorizationCodeGrant(config, await w.browse(second.url, appURI, product.deny), second.checks),
        { error: 'access_denied' });
    });

    it('is told by redirect of faults in its request', async () => {
      const config = await discover();
      const { url, checks } = await begin(config, { response_mode: 'fragment' });
      const answer = await w.browse(url, appURI, () => {});
      await assert.rejects(client.authorizationCodeGrant(config, answer, checks), { error: 'invalid_request' });
    });

    it('gets nowhere with a foreign redirect URI', async () => {
      const { url } = await begin(await discover(), { redirect_uri: 'com.example.app.evil:/cb' });
      const answer = await fetch(url, { redirect: 'manual' });
      assert.equal(answer.status, 400);
      assert.equal(answer.headers.get('location'), null);
    });
  });
}
