const SAFE = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Reads what a request would send, so that it can be sent twice. A stream is
 * buffered by that, and goes over HTTP/1.1 too.
 *
 * @param {Request} request
 * @returns {Promise<() => Request>} makes one after the other
 */
export async function repeatable(request) {
  if (request.method === 'GET' || request.method === 'HEAD') return () => request.clone();
  const body = await request.blob();
  return () => new Request(request, { body });
}

/**
 * Whether a call has to bring the CSRF header. One that only reads has to where
 * the browser does not say that the page is of the same origin: it never does on
 * plain http beyond loopback. Elsewhere the header could cost a preflight.
 *
 * @param {string} method
 * @param {string} url
 */
export function needsCsrf(method, url) {
  if (!SAFE.includes(method)) return true;
  return globalThis.isSecureContext === false && new URL(url).origin === location.origin;
}

/**
 * @param {Request} request
 * @param {string} header
 * @param {string} csrf
 */
export function withSession(request, header, csrf) {
  if (!needsCsrf(request.method, request.url)) return new Request(request, { credentials: 'include' });
  const headers = new Headers(request.headers);
  headers.set(header, csrf);
  return new Request(request, { ...withinOrigin(request), credentials: 'include', headers });
}

/**
 * What keeps a request with the CSRF header at its origin, wherever the answer
 * redirects to: a browser takes such a header along. Where the page is of that
 * origin, redirects within it still work; a page of another one can follow none.
 *
 * @param {{ url: string, redirect?: RequestRedirect }} request
 * @returns {RequestInit}
 */
export function withinOrigin({ url, redirect }) {
  if (new URL(url).origin !== globalThis.origin) return { redirect: redirect === 'manual' ? 'manual' : 'error' };
  // In this mode a page with the policy `no-referrer` would send the origin `null`.
  return { mode: 'same-origin', referrerPolicy: 'strict-origin' };
}
