/**
 * The demo: an application that knows of the session what web/client tells it.
 *
 * @module
 */

import { createAgent } from '../client/index.js';
import { note, watched } from './activity.js';
import { Countdown } from './countdown.js';
import { byId, setText } from './dom.js';
import { attempt, explain, on, quiet, say } from './notice.js';
import { Orders } from './orders.js';
import { showClaims, showCookies, showStorage, showUser } from './panels.js';

const baseUrl = document.querySelector('meta[name="oauth-agent"]')?.getAttribute('content') ?? '/oauth-agent';

const agent = createAgent({ baseUrl, fetch: watched(fetch.bind(globalThis)) });
const countdown = new Countdown();
const orders = new Orders((path, init) => agent.fetch(new URL(path, new URL(baseUrl, location.href)), init));

agent.on('login', ({ elsewhere }) => {
  if (elsewhere) note('Logged in, in another tab');
  attempt(enter);
});
agent.on('refresh', ({ elsewhere }) => {
  if (elsewhere) note('Tokens refreshed by another tab');
  if (!document.hidden) attempt(showLifetime);
});
agent.on('logout', ({ elsewhere }) => {
  leave();
  if (elsewhere) say('You logged out in another tab.');
});
agent.on('expired', ({ elsewhere }) => {
  if (elsewhere) note('The session has ended, says another tab');
  leave();
  say('Your session has ended. Please log in again.');
});
document.addEventListener('visibilitychange', () => {
  if (!document.hidden && agent.isLoggedIn) attempt(showLifetime);
});

on('login', () => agent.login());
on('silent', () => agent.login({ prompt: 'none' }));
on('logout', () => agent.logout());
on('switch', () => agent.login({ prompt: 'login' }));
on('refresh', () => agent.refresh());
on('call', async () => showUser(await agent.userInfo()));
on('kill', () => control('kill-access-tokens', 'The provider has ended the access token. Load the orders, and look at the calls.'));
on('outage', () => control('outage', 'The provider fails for a while. Orders still work, until the access token has to be renewed.'));
on('end', () => control('end-sessions', 'The provider has ended the session. The agent learns of it at the next refresh.'));

await attempt(async () => {
  const { isLoggedIn, loginRequired, error } = await agent.onPageLoad();
  if (!isLoggedIn) showLoggedOut();
  if (loginRequired) say('Not logged in at the provider either. Please log in.');
  if (error) explain(error);
});
byId('main').removeAttribute('aria-busy');

/** Shows a session that has begun, here or in another tab. */
async function enter() {
  quiet();
  byId('logged-out').hidden = true;
  byId('logged-in').hidden = false;
  byId('state').hidden = true;
  byId('user').hidden = false;
  // One that fails leaves the others their part of the page.
  await Promise.all([showWho, showLifetime, () => orders.load()].map(attempt));
}

async function showWho() {
  const [info, claims] = await Promise.all([agent.userInfo(), agent.claims()]);
  showUser(info);
  showClaims(claims);
  showStorage();
}

/** Shows what the agent says of the session, and what cookies the server sees. */
async function showLifetime() {
  const [session, response] = await Promise.all([agent.session(), agent.fetch(`${baseUrl}/demo/cookies`)]);
  countdown.start(session);
  if (response.ok) showCookies((await response.json()).cookies);
}

function leave() {
  countdown.stop();
  orders.clear();
  showLoggedOut();
}

function showLoggedOut() {
  for (const id of ['claims', 'cookies']) byId(id).replaceChildren();
  byId('logged-in').hidden = true;
  byId('logged-out').hidden = false;
  byId('user-menu').togglePopover?.(false);
  byId('user').hidden = true;
  setText('user-name', '…');
  setText('menu-name', '');
  byId('state').hidden = false;
  byId('state').dataset.state = 'out';
  setText('state', 'Logged out');
}

/**
 * Has the demo's server do something to the identity provider.
 *
 * @param {string} what
 * @param {string} told
 */
async function control(what, told) {
  const response = await agent.fetch(`${baseUrl}/demo/${what}`, { method: 'POST' });
  say(response.ok ? told : 'This works in the demo alone.');
}
