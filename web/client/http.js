import { AgentError } from './errors.js';

/** Longer than the agent itself waits for the authorization server. */
const TIMEOUT_MS = 30_000;

/**
 * Makes one call to the agent.
 *
 * @param {typeof fetch} fetch
 * @param {string} url
 * @param {RequestInit} init
 * @returns {Promise<any>} the JSON answer; null for 204
 * @throws {AgentError}
 */
export async function call(fetch, url, init) {
  const response = await send(fetch, url, init);
  if (response.status === 204) return null;
  const body = await json(response);
  if (response.ok && body !== undefined) return body;
  throw new AgentError(
    body?.code ?? 'unexpected_answer',
    body?.message ?? `the agent answered ${response.status} without saying why`,
    response.status,
    { retryAfter: Number(response.headers.get('Retry-After')) || undefined, returnTo: body?.returnTo },
  );
}

/**
 * @param {typeof fetch} fetch
 * @param {string} url
 * @param {RequestInit} init
 */
async function send(fetch, url, init) {
  try {
    return await fetch(url, {
      ...init,
      credentials: 'include',
      // The agent never redirects a call; whatever does is not the agent.
      redirect: 'error',
      // A lock may be held meanwhile, so that no call may last for ever.
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch (cause) {
    throw new AgentError('network_error', 'the agent could not be reached', 0, { cause });
  }
}

/**
 * The error code in an answer, for any response that passes through. An API behind
 * the agent may say with its own words that the token has ended (RFC 6750 3.1).
 *
 * @param {Response} response left unread
 * @returns {Promise<string>} empty when there is none
 */
export async function errorCode(response) {
  if (/^bearer\b.*\binvalid_token\b/i.test(response.headers.get('WWW-Authenticate') ?? '')) return 'token_expired';
  const body = await json(response.clone());
  return typeof body?.code === 'string' ? body.code : '';
}

/**
 * @param {Response} response
 * @returns {Promise<any>} undefined when the answer is not JSON
 */
async function json(response) {
  if (!response.headers.get('Content-Type')?.includes('json')) return undefined;
  try {
    return await response.json();
  } catch {
    return undefined;
  }
}
