import { AgentError } from '../client/index.js';
import { byId, setText } from './dom.js';

/** What a user is told, by the error's code; the rest gets the developer's message. */
const EXPLANATIONS = new Map([
  ['access_denied', 'You cancelled the login.'],
  ['invalid_request', 'That login link has been used or has expired, or your browser blocks cookies. You can log in again.'],
  ['authorization_error', 'The identity provider refused the login. You can log in again.'],
  ['session_expired', 'Your session has ended. Please log in again.'],
  ['userinfo_refused', 'The provider refuses the access token at user info. Its claims are still there.'],
  ['unauthorized_request', 'You are not logged in any more.'],
  ['authorization_server_error', 'The identity provider does not answer. Please try again in a moment.'],
  ['network_error', 'The server cannot be reached. Are you online?'],
]);

/**
 * Runs what a button is for, once at a time.
 *
 * @param {string} id
 * @param {() => Promise<void>} action
 */
export function on(id, action) {
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
export async function attempt(action) {
  try {
    await action();
  } catch (error) {
    explain(error);
  }
}

/** @param {unknown} error */
export function explain(error) {
  // What `fetch` itself throws when there is no answer.
  if (error instanceof TypeError) return say('The server cannot be reached. Are you online?');
  if (!(error instanceof AgentError)) throw error;
  say(EXPLANATIONS.get(error.code) ?? `${error.message} (${error.code})`);
}

/** @param {string} text */
export function say(text) {
  setText('notice', text);
  byId('notice').hidden = false;
}

export function quiet() {
  byId('notice').hidden = true;
}
