import { DestroyRef, inject, signal } from '@angular/core';
import { catchError, from, switchMap, throwError } from 'rxjs';

import { errorCode } from './http.js';
import { needsCsrf, withinOrigin } from './request.js';
import { sessionStore } from './store.js';

export { whenLoaded } from './store.js';

/**
 * Has Angular's HttpClient send the session to the API, as {@link Agent#fetch} does:
 *
 *     provideHttpClient(withFetch(), withInterceptors([agentInterceptor(agent)]))
 *
 * With `withXhr()` it works too, but XMLHttpRequest takes the CSRF header along when
 * the API redirects to another origin.
 *
 * @param {import('./agent.js').Agent} agent the one of the page
 * @returns {import('@angular/common/http').HttpInterceptorFn}
 */
export function agentInterceptor(agent) {
  let refreshes = 0;
  agent.on('refresh', () => refreshes++);
  return (request, next) => {
    const csrf = agent.csrfHeaders(request.urlWithParams);
    const [name] = Object.keys(csrf);
    if (!name) return next(request);
    const known = refreshes;
    const send = () => next(withSession(request, csrf));
    return send().pipe(catchError((error) => from(mend(error)).pipe(
      switchMap((mended) => (mended ? send() : throwError(() => error))),
    )));

    /** @param {any} error */
    async function mend(error) {
      if (error.status !== 401) return false;
      const code = await errorCode(responseOf(error));
      if (code === 'token_expired') {
        // A refresh may have ended while the call was on its way.
        if (refreshes === known) await agent.refresh();
        // Another value is another user's, who has not asked for this.
        return agent.csrfHeaders()[/** @type {string} */ (name)] === csrf[/** @type {string} */ (name)];
      }
      if (code === 'unauthorized_request') await agent.session().catch(() => {});
      return false;
    }
  };
}

/**
 * @param {import('@angular/common/http').HttpRequest<unknown>} request
 * @param {Record<string, string>} csrf
 */
function withSession(request, csrf) {
  const { url } = new Request(request.urlWithParams);
  if (!needsCsrf(request.method, url)) return request.clone({ withCredentials: true });
  const { mode, redirect, referrerPolicy } = withinOrigin({ url });
  return request.clone({ withCredentials: true, setHeaders: csrf, mode, redirect, referrerPolicy });
}

/**
 * What HttpClient has read of an error's body in the way that the call asked for.
 *
 * @param {import('@angular/common/http').HttpErrorResponse} error
 */
function responseOf({ error, headers }) {
  const raw = typeof error === 'string' || error instanceof Blob || error instanceof ArrayBuffer;
  return new Response(raw ? error : JSON.stringify(error), {
    headers: { 'Content-Type': headers.get('Content-Type') ?? '', 'WWW-Authenticate': headers.get('WWW-Authenticate') ?? '' },
  });
}

/**
 * The session as a signal, for components and services; called where `inject` may be.
 *
 * @param {import('./agent.js').Agent} agent the one of the page
 * @returns {import('@angular/core').Signal<import('./store.js').SessionState>}
 */
export function injectSession(agent) {
  const { subscribe, get } = sessionStore(agent);
  const session = signal(get());
  inject(DestroyRef).onDestroy(subscribe(() => session.set(get())));
  return session.asReadonly();
}
