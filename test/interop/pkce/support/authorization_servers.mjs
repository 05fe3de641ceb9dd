// The authorization servers that know no PKCE. Their own directories say how
// they are set up.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

import { freePort, start } from './processes.mjs';

export const credentials = {
  id: 'pkce proxy',
  secret: 's3cret:+/%25&=?~ "secret" secret-secret', // what Basic and form encoding are known to break
};

const directory = (name) => path.resolve(import.meta.dirname, '../..', name);

const registration = (redirectURI) => ({
  CLIENT_ID: credentials.id, CLIENT_SECRET: credentials.secret, REDIRECT_URIS: redirectURI,
});

export const oidcProvider = {
  name: 'oidc-provider',
  scope: 'profile', // a grant of OAuth alone, see the documentation
  oidcScope: 'openid profile',

  async start(redirectURI) {
    const port = await freePort();
    const cwd = directory('oidc-provider');
    const program = await start(path.join(cwd, 'node_modules/.bin/node'), ['server.mjs'], {
      cwd, env: { PORT: port, PROFILE: 'no-pkce', ...registration(redirectURI) },
    });
    const issuer = `http://127.0.0.1:${port}`;
    return {
      issuer,
      authorize: `${issuer}/auth`,
      token: `${issuer}/token`,
      revocation: `${issuer}/token/revocation`,
      stop: () => program.stop(),
    };
  },

  async logIn(tab) {
    await tab.submit('login', { login: 'zoe', password: 'password' });
    await tab.submit('deny');
  },

  deny: (tab) => tab.submit('deny', { deny: 'yes' }),
};

export const django = {
  name: 'Django OAuth Toolkit',
  scope: 'read',
  oidcScope: 'openid profile',

  async start(redirectURI) {
    const port = await freePort();
    const state = fs.mkdtempSync(path.join(os.tmpdir(), 'pkce-django-'));
    const program = await start('/usr/bin/python3', ['server.py', 'serve'], {
      cwd: directory('django'), env: { PORT: port, STATE_DIR: state, PKCE_REQUIRED: '0', ...registration(redirectURI) },
    });
    const issuer = `http://127.0.0.1:${port}/o`;
    return {
      issuer,
      authorize: `${issuer}/authorize/`,
      token: `${issuer}/token/`,
      revocation: `${issuer}/revoke_token/`,
      async stop() {
        await program.stop();
        fs.rmSync(state, { recursive: true });
      },
    };
  },

  async logIn(tab) {
    await tab.submit('username', { username: 'zoe', password: 'password' });
    await tab.submit('allow', { allow: 'Authorize' });
  },

  async deny(tab) {
    await tab.submit('username', { username: 'zoe', password: 'password' });
    await tab.submit('allow');
  },
};
