/**
 * Reads what a request would send, so that it can be sent twice. A stream is
 * buffered by that, and goes over HTTP/1.1 too.
 *
 * @param {Request} request
 * @returns {Promise<() => Request>} makes one after the other
 */
export function repeatable(request: Request): Promise<() => Request>;
/**
 * @param {Request} request
 * @param {string} header
 * @param {string} csrf
 */
export function withSession(request: Request, header: string, csrf: string): Request;
