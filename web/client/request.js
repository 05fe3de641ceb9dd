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
 * @param {Request} request
 * @param {string} header
 * @param {string} csrf
 */
export function withSession(request, header, csrf) {
  const headers = new Headers(request.headers);
  // Only where it is asked for: it would cost other calls a preflight.
  if (!SAFE.includes(request.method)) headers.set(header, csrf);
  return new Request(request, { credentials: 'include', headers });
}
