/**
 * Whether a URL could carry an authorization response. Only the agent can tell
 * whether it does: an application may use such names for itself.
 *
 * @param {string} href
 */
export function mayHoldResponse(href: string): boolean;
/**
 * Takes the authorization response out of the address bar and the history, so
 * that neither a reload nor a bookmark presents it again.
 *
 * @param {string} [returnTo] the path to be at instead
 */
export function forgetResponse(returnTo?: string): void;
/**
 * The path that the user is at, with query and fragment, in the form that the
 * agent keeps; undefined where it would not.
 */
export function here(): string | undefined;
/**
 * Leaves the page. What follows runs only if the page has not left after all, or
 * when the user comes back to it.
 *
 * @param {string} url
 * @returns {Promise<void>}
 */
export function leave(url: string): Promise<void>;
