/**
 * Makes one call to the agent.
 *
 * @param {typeof fetch} fetch
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<any>} the JSON answer; null for 204
 * @throws {AgentError}
 */
export function call(fetch: typeof globalThis.fetch, url: string, init: RequestInit): Promise<any>;
/**
 * The error code in an answer, for any response that passes through. An API behind
 * the agent may say with its own words that the token has ended (RFC 6750 3.1).
 *
 * @param {Response} response left unread
 * @returns {Promise<string>} empty when there is none
 */
export function errorCode(response: Response): Promise<string>;
