/**
 * The demo: an application that knows of the session what web/client tells it.
 *
 * @module
 */

import { AgentError, createAgent } from '../client/index.js';
import { note, watched } from './activity.js';
import { Countdown } from './countdown.js';
import { byId, setText } from './dom.js';
import { showClaims, showCookies, showStorage, showUser } from './panels.js';

const baseUrl = document.querySelector('meta[name="oauth-agent"]')?.getAttribute('content') ?? '/oauth-agent';

const agent = createAgent({ baseUrl, fetch: watched(fetch.bind(globalThis)) });

// The next call renews the token by itself; this one is made so that it can be seen.
const countdown = new Countdown(() => attempt(showSession));

/** What a user is told, by the error's code; the rest gets the developer's message. */
const EXPLANATIONS = new Map([
  ['access_denied', 'You cancelled the login.'],
  ['invalid_request', 'That login link has been used or has expired. You can log in again.'],
  ['login_required', 'Please log in.'],
  ['session_expired', 'Your session has ended. Please log in again.'],
  ['unauthorized_request', 'You are not logged in any more.'],
  ['authorization_server_error', 'The identity provider does not answer. You are still logged in; try again in a moment.'],
  ['network_error', 'The server cannot be reached. Are you online?'],
]);

agent.addEventListener('login', () => attempt(enter));
agent.addEventListener('logout', (event) => leave(/** @type {CustomEvent} */ (event).detail));
agent.addEventListener('refresh', (event) => {
  if (/** @type {CustomEvent} */ (event).detail.elsewhere) note('Tokens refreshed by another tab');
  attempt(showLifetime);
});

on('login', () => agent.login());
on('logout', () => agent.logout());
on('refresh', () => agent.refresh());
on('call', async () => showUser(await agent.userInfo()));

await attempt(async () => {
  const { isLoggedIn, error } = await agent.onPageLoad();
  if (!isLoggedIn) showLoggedOut();
  if (error) explain(error);
});
byId('main').removeAttribute('aria-busy');

/** Shows a session that has begun, here or in another tab. */
async function enter() {
  quiet();
  byId('logged-out').hidden = true;
  byId('logged-in').hidden = false;
  byId('state').dataset.state = 'in';
  setText('state', 'Logged in');
  await Promise.all([showSession(), showLifetime()]);
}

async function showSession() {
  const [info, claims] = await Promise.all([agent.userInfo(), agent.claims()]);
  showUser(info);
  showClaims(claims);
  showStorage();
}

/** Asks the demo's server how old the access token is and what cookies it sees. */
async function showLifetime() {
  const response = await agent.fetch(`${baseUrl}/demo/cookies`);
  if (!response.ok) return;
  const { accessTokenAge, accessTokenLifetime, cookies } = await response.json();
  showCookies(cookies);
  countdown.start(accessTokenLifetime - accessTokenAge, accessTokenLifetime);
}

/** @param {{ elsewhere: boolean, reason: string }} detail */
function leave({ elsewhere, reason }) {
  countdown.stop();
  showLoggedOut();
  if (reason === 'expired') say('Your session has ended. Please log in again.');
  else if (elsewhere) say('You logged out in another tab.');
}

function showLoggedOut() {
  for (const id of ['userinfo', 'claims', 'cookies']) byId(id).replaceChildren();
  byId('logged-in').hidden = true;
  byId('logged-out').hidden = false;
  byId('state').dataset.state = 'out';
  setText('state', 'Logged out');
}

/**
 * Runs what a button is for, once at a time.
 *
 * @param {string} id
 * @param {() => Promise<void>} action
 */
function on(id, action) {
  const button = byId(id);
  button.addEventListener('click', async () => {
    // Not `disabled`, which would take the keyboard's focus away.
    if (button.getAttribute('aria-disabled') === 'true') return;
    button.setAttribute('aria-disabled', 'true');
    quiet();
    await attempt(action);
    button.removeAttribute('aria-disabled');
  });
}

/** @param {() => Promise<void>} action */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    explain(error);
  }
}

/** @param {unknown} error */
function explain(error) {
  if (!(error instanceof AgentError)) throw error;
  say(EXPLANATIONS.get(error.code) ?? `${error.message} (${error.code})`);
}

/** @param {string} text */
function say(text) {
  setText('notice', text);
  byId('notice').hidden = false;
}

function quiet() {
  byId('notice').hidden = true;
}
