/**
 * Whatever kept a call from succeeding. Program against `code`:
 *
 * - `session_expired`: the user has to log in again
 * - `unauthorized_request`: nobody is logged in
 * - `login_required` and its kin: a silent login needs the user after all
 * - `access_denied` and other codes of RFC 6749 4.1.2.1: the login was refused
 * - `authorization_server_error`: it is down or slow; the session lives on
 * - `network_error`: the agent gave no answer, or none in time
 *
 * `message` is for developers; `status` is the HTTP status, 0 without an answer.
 */
export class AgentError extends Error {
  /**
   * @param {string} code
   * @param {string} message
   * @param {number} status
   * @param {ErrorOptions} [options]
   */
  constructor(code, message, status, options) {
    super(message, options);
    this.name = 'AgentError';
    this.code = code;
    this.status = status;
  }
}
