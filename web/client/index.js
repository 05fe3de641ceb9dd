/**
 * The single-page app's side of the OAuth Agent: login, session and API calls
 * without a token in JavaScript's reach.
 *
 *     import { createAgent } from 'oauth-agent-client';
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
 * @typedef {import('./agent.js').Options} Options
 * @typedef {import('./agent.js').Session} Session
 * @typedef {import('./agent.js').PageLoad} PageLoad
 * @typedef {import('./agent.js').LoginOptions} LoginOptions
 * @typedef {import('./agent.js').EventType} EventType
 * @typedef {import('./agent.js').EventDetail} EventDetail
 */

/**
 * Makes the one agent of a page.
 *
 * @param {Options} options
 * @returns {Agent}
 */
export function createAgent(options) {
  return new Agent(options);
}
