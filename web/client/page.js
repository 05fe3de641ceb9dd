/**
 * What an authorization response adds to the page's URL: RFC 6749 4.1.2,
 * RFC 9207, OpenID Connect session management.
 */
const RESPONSE_PARAMETERS = [
  'code',
  'state',
  'iss',
  'error',
  'error_description',
  'error_uri',
  'session_state',
];

/** The longest path that the agent keeps over a login. */
const MAX_RETURN_TO = 1024;

/** How long a page may take to leave before it counts as having stayed. */
const LEAVING_MS = 10_000;

/**
 * Whether a URL could carry an authorization response. Only the agent can tell
 * whether it does: an application may use such names for itself.
 *
 * @param {string} href
 */
export function mayHoldResponse(href) {
  const { searchParams } = new URL(href);
  return searchParams.has('state') && (searchParams.has('code') || searchParams.has('error'));
}

/**
 * The URL without the authorization response; all else as it was, to the letter.
 *
 * @param {string} href
 */
function withoutResponse(href) {
  const url = new URL(href);
  const kept = url.search.slice(1).split('&').filter((pair) => !isResponse(pair));
  url.search = kept.join('&');
  return url.href;
}

/** @param {string} pair as in `name=value` */
function isResponse(pair) {
  const [name = ''] = new URLSearchParams(pair).keys();
  return RESPONSE_PARAMETERS.includes(name);
}

/**
 * Takes the authorization response out of the address bar and the history, so
 * that neither a reload nor a bookmark presents it again.
 *
 * @param {string} [returnTo] the path to be at instead
 */
export function forgetResponse(returnTo) {
  let clean = withoutResponse(location.href);
  if (returnTo) {
    const url = new URL(returnTo, location.href);
    // The agent takes nothing but paths; this holds also where it is not asked.
    if (url.origin === location.origin) clean = url.href;
  }
  // A router that has read the URL too early reads it again, as after a step back;
  // the state that it has left there names the old URL.
  history.replaceState(null, '', clean);
  dispatchEvent(new PopStateEvent('popstate'));
}

/**
 * The path that the user is at, with query and fragment, in the form that the
 * agent keeps; undefined where it would not.
 */
export function here() {
  if (!globalThis.location) return undefined;
  const { pathname, search, hash } = new URL(mayHoldResponse(location.href) ? withoutResponse(location.href) : location.href);
  const path = (pathname + search + hash).replaceAll('\\', '%5C');
  return path.startsWith('//') || path.length > MAX_RETURN_TO ? undefined : path;
}

/**
 * Leaves the page. What follows runs only if the page has not left after all, or
 * when the user comes back to it.
 *
 * @param {string} url
 * @returns {Promise<void>}
 */
export function leave(url) {
  location.assign(url);
  return new Promise((resolve) => {
    setTimeout(resolve, LEAVING_MS);
    addEventListener('pageshow', ({ persisted }) => persisted && resolve());
  });
}
