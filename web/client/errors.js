/** OpenID Connect Core 3.1.2.6: what a silent login may not do without the user. */
const NEED_USER = [
  'login_required',
  'interaction_required',
  'consent_required',
  'account_selection_required',
];

/** @param {string} [code] */
export function needsUser(code = '') {
  return NEED_USER.includes(code);
}

/**
 * Whatever kept a call from succeeding. Program against `code`:
 *
 * - `session_expired`: the user has to log in again
 * - `unauthorized_request`: nobody is logged in
 * - `userinfo_refused`: user info takes no access token of this server; use `claims()`
 * - `access_denied` and other codes of RFC 6749 4.1.2.1: the login was refused
 * - `authorization_server_error`: it is down or slow; the session lives on
 * - `too_many_requests`: this address has begun too many logins; not before
 *   `retryAfter`
 * - `temporarily_unavailable`, with status 503: the agent is busy; not before
 *   `retryAfter` either
 * - `network_error`: the agent gave no answer, or none in time
 * - `unexpected_answer`: something in between answered in its place
 * - `no_page`: a call where there is no page, such as on a server
 *
 * `message` is for developers; `status` is the HTTP status, 0 without an answer.
 * `retryAfter` is how many seconds to wait before trying again, where the answer
 * said so. `returnTo` is where the login began that has failed, a path.
 */
export class AgentError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} status
   * @param {ErrorOptions & { retryAfter?: number, returnTo?: string }} [options]
   */
  constructor(code, message, status, options) {
    super(message, options);
    this.name = 'AgentError';
    this.code = code;
    this.status = status;
    this.retryAfter = options?.retryAfter;
    this.returnTo = options?.returnTo;
  }

  /** Whether the agent itself had no say in this. */
  get unanswered() {
    return this.status === 0 || this.status === 503 || this.code === 'unexpected_answer';
  }
}
