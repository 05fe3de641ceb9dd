/**
 * The single-page app's side of the OAuth Agent: login, session and API calls
 * without a token in JavaScript's reach.
 *
 *     import { createAgent } from './client/index.js';
 *
 *     const agent = createAgent({ baseUrl: '/oauth-agent', cookiePrefix: 'example' });
 *     const { isLoggedIn } = await agent.onPageLoad();
 *     if (!isLoggedIn) await agent.login();
 *     const orders = await agent.fetch('/api/orders');
 *
 * @module
 */

import { Agent } from './agent.js';

export { Agent } from './agent.js';
export { AgentError } from './errors.js';

/**
 * Makes the one agent of a page.
 *
 * @param {import('./agent.js').Options} options
 * @returns {Agent}
 */
export function createAgent(options) {
  return new Agent(options);
}
