/**
 * Reads what a request would send, so that it can be sent twice. A stream is
 * buffered by that, and goes over HTTP/1.1 too.
 *
 * @param {Request} request
 * @returns {Promise<() => Request>} makes one after the other
 */
export function repeatable(request: Request): Promise<() => Request>;
/**
 * Whether a call has to bring the CSRF header. One that only reads has to where
 * the browser does not say that the page is of the same origin: it never does on
 * plain http beyond loopback. Elsewhere the header could cost a preflight.
 *
 * @param {string} method
 * @param {string} url
 */
export function needsCsrf(method: string, url: string): boolean;
/**
 * @param {Request} request
 * @param {string} header
 * @param {string} csrf
 */
export function withSession(request: Request, header: string, csrf: string): Request;
/**
 * What keeps a request with the CSRF header at its origin, wherever the answer
 * redirects to: a browser takes such a header along. Where the page is of that
 * origin, redirects within it still work; a page of another one can follow none.
 *
 * @param {{ url: string, redirect?: RequestRedirect }} request
 * @returns {RequestInit}
 */
export function withinOrigin({ url, redirect }: {
    url: string;
    redirect?: RequestRedirect;
}): RequestInit;
