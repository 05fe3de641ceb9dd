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
export function agentInterceptor(agent: import("./agent.js").Agent): import("@angular/common/http").HttpInterceptorFn;
/**
 * The session as a signal, for components and services; called where `inject` may be.
 *
 * @param {import('./agent.js').Agent} agent the one of the page
 * @returns {import('@angular/core').Signal<import('./store.js').SessionState>}
 */
export function injectSession(agent: import("./agent.js").Agent): import("@angular/core").Signal<import("./store.js").SessionState>;
export { whenLoaded } from "./store.js";
