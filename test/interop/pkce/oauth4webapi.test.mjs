// oauth4webapi, which configures itself from the metadata and checks strictly.
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { createRemoteJWKSet, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';

import { credentials, django, oidcProvider } from './support/authorization_servers.mjs';
import { world } from './support/world.mjs';

const client = { client_id: 'native-app' };
const insecure = { [oauth.allowInsecureRequests]: true };
const redirectURI = 'http://127.0.0.1:49876/native'; // any port will do

for (const product of [oidcProvider, django]) {
  describe(`oauth4webapi, ${product.name}`, { timeout: 240_000 }, () => {
    const w = world(product, 2);

    async function discovered() {
      const issuer = new URL(w.issuer);
      return oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }));
    }

    // begin makes an authorization request.
    async function begin(as, parameters = {}) {
      const verifier = oauth.generateRandomCodeVerifier();
      w.secrets.add(verifier);
      const state = oauth.generateRandomState();
      const url = new URL(as.authorization_endpoint);
      const request = {
        client_id: client.client_id,
        redirect_uri: redirectURI,
        response_type: 'code',
        scope: product.scope,
        state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...parameters,
      };
      for (const [name, value] of Object.entries(request)) url.searchParams.set(name, value);
      return { url, verifier, state };
    }

    const redeem = (as, response, verifier, uri = redirectURI) => (
      oauth.authorizationCodeGrantRequest(as, client, oauth.None(), response, uri, verifier, insecure));

    it('logs in, refreshes and revokes, each step at another process', async () => {
      const as = await discovered();
      assert.deepEqual(as.code_challenge_methods_supported, ['S256']);
      const { url, verifier, state } = await begin(as);
      w.proxies.calls.length = 0;
      const response = oauth.validateAuthResponse(as, client, await w.browse(url, redirectURI), state);
      const tokens = w.keep(await oauth.processAuthorizationCodeResponse(as, client, await redeem(as, response, verifier)));
      assert.equal(tokens.token_type, 'bearer');

      const refreshed = w.keep(await oauth.processRefreshTokenResponse(as, client,
        await oauth.refreshTokenGrantRequest(as, client, oauth.None(), tokens.refresh_token, insecure)));
      assert.notEqual(refreshed.access_token, tokens.access_token);

      await oauth.processRevocationResponse(
        await oauth.revocationRequest(as, client, oauth.None(), refreshed.refresh_token, insecure));
      const dead = await oauth.refreshTokenGrantRequest(as, client, oauth.None(), refreshed.refresh_token, insecure);
      await assert.rejects(oauth.processRefreshTokenResponse(as, client, dead), { error: 'invalid_grant' });

      assert.deepEqual(w.proxies.calls.map(({ what }) => what), ['GET /oauth/authorization', 'GET /callback',
        'POST /oauth/token', 'POST /oauth/token', 'POST /oauth/revoke', 'POST /oauth/token']);
      w.proxies.calls.forEach((call, i, calls) => assert.ok(i === 0 || call.process !== calls[i - 1].process, 'the same process twice'));
    });

    it('keeps the code from whoever lacks the verifier, and sends it once', async () => {
      const as = await discovered();
      const { url, verifier, state } = await begin(as);
      const response = oauth.validateAuthResponse(as, client, await w.browse(url, redirectURI), state);
      const refused = async (...args) => assert.rejects(
        oauth.processAuthorizationCodeResponse(as, client, await redeem(as, response, ...args)), { error: 'invalid_grant' });

      await refused(oauth.generateRandomCodeVerifier());
      await refused(verifier, 'http://127.0.0.1:49877/native');
      w.keep(await oauth.processAuthorizationCodeResponse(as, client, await redeem(as, response, verifier)));
      await refused(verifier); // one process remembers,
      await refused(verifier); // and for the other the server itself refuses
    });

    it('tells the app that the user said no', async () => {
      const as = await discovered();
      const { url, state } = await begin(as);
      const answer = await w.browse(url, redirectURI, product.deny);
      assert.throws(() => oauth.validateAuthResponse(as, client, answer, state), { error: 'access_denied' });
    });

    it('passes the ID token on, which names the server and not the proxy', async () => {
      const as = await discovered();
      const nonce = oauth.generateRandomNonce();
      const { url, verifier, state } = await begin(as, { scope: product.oidcScope, nonce });
      const response = oauth.validateAuthResponse(as, client, await w.browse(url, redirectURI), state);
      const answer = await redeem(as, response, verifier);
      const tokens = w.keep(await answer.clone().json());

      const real = await (await fetch(`${w.as.issuer}/.well-known/openid-configuration`)).json();
      const { payload } = await jwtVerify(tokens.id_token, createRemoteJWKSet(new URL(real.jwks_uri)),
        { issuer: w.as.issuer, audience: credentials.id });
      assert.equal(payload.nonce, nonce);
      assert.equal(payload.name, 'Zoë Łukasiewicz-Ñandú 東京 🦊');

      await assert.rejects(oauth.processAuthorizationCodeResponse(as, client, answer, { expectedNonce: nonce }), /iss/);

      const userinfo = await fetch(real.userinfo_endpoint, { headers: { authorization: `Bearer ${tokens.access_token}` } });
      assert.equal((await userinfo.json()).sub, payload.sub);
    });
  });
}
