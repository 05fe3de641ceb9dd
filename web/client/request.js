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
  const headers = new Headers(request.headers);
  if (needsCsrf(request.method, request.url)) headers.set(header, csrf);
  return new Request(request, { credentials: 'include', headers });
}
