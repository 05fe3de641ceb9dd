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
export function withoutResponse(href) {
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
 * @returns {string} the page's new URL
 */
export function forgetResponse() {
  const clean = withoutResponse(location.href);
  history.replaceState(history.state, '', clean);
  return clean;
}
