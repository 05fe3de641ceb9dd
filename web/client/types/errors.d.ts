/** @param {string} [code] */
export function needsUser(code?: string): boolean;
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
    constructor(code: string, message: string, status: number, options?: ErrorOptions & {
        retryAfter?: number;
        returnTo?: string;
    });
    code: string;
    status: number;
    retryAfter: number | undefined;
    returnTo: string | undefined;
    /** Whether the agent itself had no say in this. */
    get unanswered(): boolean;
}
