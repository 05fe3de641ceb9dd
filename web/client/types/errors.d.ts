/** @param {string} code */
export function needsUser(code: string): boolean;
/**
 * Whatever kept a call from succeeding. Program against `code`:
 *
 * - `session_expired`: the user has to log in again
 * - `unauthorized_request`: nobody is logged in
 * - `access_denied` and other codes of RFC 6749 4.1.2.1: the login was refused
 * - `authorization_server_error`: it is down or slow; the session lives on
 * - `network_error`: the agent gave no answer, or none in time
 * - `unexpected_answer`: something in between answered in its place
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
    constructor(code: string, message: string, status: number, options?: ErrorOptions);
    code: string;
    status: number;
    /** Whether the agent itself had no say in this. */
    get unanswered(): boolean;
}
