import { AgentError } from './errors.js';
import { call, errorCode } from './http.js';
import { forgetResponse, mayHoldResponse, withoutResponse } from './page.js';
import { scope } from './scope.js';
import { Tabs } from './tabs.js';

/**
 * @typedef {object} Options
 * @property {string} baseUrl where the agent is: `/oauth-agent`, or
 *   `https://api.example.com/oauth-agent`
 * @property {string} [cookiePrefix] the agent's cookie name prefix; `agent`
 * @property {string} [csrfHeader] `x-<cookiePrefix>-csrf`
 * @property {string[]} [apiPaths] what {@link Agent#fetch} sends the session to;
 *   relative to the agent's origin, all of which it is when unset
 * @property {typeof fetch} [fetch] the browser's, or one that watches the calls
 */

/**
 * @typedef {object} PageLoad
 * @property {boolean} isLoggedIn
 * @property {boolean} handled whether a login was completed by this page load
 * @property {AgentError | null} error why a login that came back has failed; the
 *   session from before it, if any, lives on
 */

/**
 * The session as the page sees it. Dispatches, for this tab and for what
 * happened in others (`detail.elsewhere`):
 *
 * - `login`: somebody is logged in now, or somebody else
 * - `refresh`: the access token is a new one
 * - `logout`: nobody is logged in any more; `detail.reason` is `logout` or `expired`
 */
export class Agent extends EventTarget {
  #baseUrl;
  #csrfHeader;
  #fetch;
  #inScope;
  #tabs;
  #isLoggedIn = false;
  #csrf = '';
  /** Counts the refreshes known of, here and in other tabs. */
  #refreshes = 0;
  /** @type {Promise<PageLoad> | undefined} */
  #pageLoad;
  /** @type {Promise<void> | undefined} */
  #refreshing;

  /** @param {Options} options */
  constructor({ baseUrl, cookiePrefix = 'agent', csrfHeader, apiPaths, fetch }) {
    super();
    const url = new URL(baseUrl, location.href);
    this.#baseUrl = url.href.replace(/\/$/, '');
    this.#csrfHeader = csrfHeader ?? `x-${cookiePrefix}-csrf`;
    this.#fetch = fetch ?? globalThis.fetch.bind(globalThis);
    this.#inScope = scope(url, apiPaths ?? ['/']);
    this.#tabs = new Tabs(`oauth-agent ${this.#baseUrl} ${cookiePrefix}`, (event) => this.#hear(event));
    // A page out of the back/forward cache has slept through the news.
    globalThis.addEventListener?.('pageshow', (event) => {
      if (event.persisted) this.#hear('login');
    });
  }

  /** Whether somebody is logged in, as far as this page knows. */
  get isLoggedIn() {
    return this.#isLoggedIn;
  }

  /**
   * To be called on every page load, before anything else: completes a login
   * that has just come back, and tells whether the user is logged in. Further
   * calls give the first one's result.
   *
   * @returns {Promise<PageLoad>}
   * @throws {AgentError} when the agent cannot tell; may be called again
   */
  onPageLoad() {
    this.#pageLoad ??= this.#loadPage().catch((error) => {
      this.#pageLoad = undefined;
      throw error;
    });
    return this.#pageLoad;
  }

  /**
   * Leaves the page for the authorization server.
   *
   * @param {{ extraParams?: Record<string, string> }} [options] `extraParams` are
   *   added to the authorization request, such as `{ ui_locales: 'fr' }`
   * @throws {AgentError}
   */
  async login({ extraParams = {} } = {}) {
    const list = Object.entries(extraParams).map(([key, value]) => ({ key, value }));
    const answer = await this.#post('/login/start', { extraParams: list });
    location.assign(answer.authorizationRequestUrl);
  }

  /**
   * Ends the session in all tabs and leaves the page, to log out at the
   * authorization server too. Without a session there is nothing to leave.
   *
   * @throws {AgentError} when the session could not be ended
   */
  async logout() {
    const answer = await this.#postWithCsrf('/logout').catch((error) => {
      if (this.#isLoggedIn || !hasCode(error, 'unauthorized_request')) throw error;
    });
    if (!answer) return;
    this.#tabs.tell('logout');
    this.#ended('logout', false);
    location.assign(answer.url);
  }

  /**
   * The authorization server's user info.
   *
   * @returns {Promise<Record<string, unknown>>}
   * @throws {AgentError}
   */
  userInfo() {
    return this.#get('/userInfo');
  }

  /**
   * The claims of the verified ID token.
   *
   * @returns {Promise<Record<string, unknown>>}
   * @throws {AgentError} `no_id_token` where the authorization server gives none
   */
  claims() {
    return this.#get('/claims');
  }

  /**
   * Renews the access token. Seldom needed: all other calls do it when it is
   * due. Calls at the same time, in all tabs, share one refresh.
   *
   * @returns {Promise<void>}
   * @throws {AgentError} `session_expired` when the user has to log in again
   */
  refresh() {
    this.#refreshing ??= this.#refreshOnce().finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /**
   * A drop-in for `fetch`: to the API paths the cookies and, where it matters,
   * the CSRF header are added, and an expired access token is renewed and the
   * call repeated, once. Any other URL is fetched as if this were not there.
   *
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   * @throws {AgentError} when the refresh fails; otherwise what `fetch` throws
   */
  async fetch(input, init) {
    const request = new Request(input, init);
    if (!this.#inScope(request.url)) return this.#fetch(request);

    const again = request.clone(); // a body can be read once
    const refreshes = this.#refreshes;
    const csrf = this.#csrf;
    const response = await this.#fetch(this.#withSession(request));
    if (response.status !== 401) return response;
    const mended = await this.#mend(await errorCode(response), refreshes);
    // Another value is another user's, who has not asked for this.
    if (!mended || this.#csrf !== csrf) return response;
    return this.#fetch(this.#withSession(again));
  }

  /** @returns {Promise<PageLoad>} */
  async #loadPage() {
    const pageUrl = location.href;
    try {
      const { handled, isLoggedIn } = await this.#endLogin(pageUrl);
      if (handled) {
        forgetResponse();
        this.#tabs.tell('login');
      }
      return { handled, isLoggedIn, error: null };
    } catch (error) {
      // Without an answer the response is still good, and a reload presents it.
      if (!(error instanceof AgentError) || !error.status || !mayHoldResponse(pageUrl)) throw error;
      const { isLoggedIn } = await this.#endLogin(forgetResponse());
      return { handled: false, isLoggedIn, error };
    }
  }

  /**
   * @param {string} pageUrl
   * @param {boolean} [elsewhere] whether a change is another tab's doing
   * @returns {Promise<{ handled: boolean, isLoggedIn: boolean }>}
   */
  async #endLogin(pageUrl, elsewhere = false) {
    const { handled, isLoggedIn, csrf = '' } = await this.#post('/login/end', { pageUrl });
    if (isLoggedIn) this.#began(csrf, elsewhere);
    else this.#ended('expired', elsewhere);
    return { handled, isLoggedIn };
  }

  /** Asks who is logged in, by a page URL without a response in it. */
  async #checkSession() {
    await this.#endLogin(withoutResponse(location.href), true);
  }

  async #refreshOnce() {
    await this.#tabs.once('refresh', async () => {
      try {
        await this.#postWithCsrf('/refresh');
      } catch (error) {
        if (hasCode(error, 'session_expired')) {
          this.#tabs.tell('expired');
          this.#ended('expired', false);
        }
        throw error;
      }
      this.#refreshed(false);
    });
  }

  /** @param {string} path */
  async #get(path) {
    const get = () => call(this.#fetch, this.#baseUrl + path, {});
    const refreshes = this.#refreshes;
    try {
      return await get();
    } catch (error) {
      if (!(error instanceof AgentError) || !(await this.#mend(error.code, refreshes))) throw error;
      return get();
    }
  }

  /**
   * @param {string} path
   * @param {object} [body]
   * @param {HeadersInit} [headers]
   */
  #post(path, body, headers = {}) {
    return call(this.#fetch, this.#baseUrl + path, {
      method: 'POST',
      headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) },
      body: body && JSON.stringify(body),
    });
  }

  /**
   * For what is done to the session, whosever it is by now.
   *
   * @param {string} path
   */
  async #postWithCsrf(path) {
    const csrf = this.#csrf;
    const post = () => this.#post(path, undefined, { [this.#csrfHeader]: this.#csrf });
    try {
      return await post();
    } catch (error) {
      if (!hasCode(error, 'unauthorized_request')) throw error;
      await this.#checkSession();
      if (!this.#isLoggedIn || this.#csrf === csrf) throw error;
      return post();
    }
  }

  /**
   * Does what a refused call needs.
   *
   * @param {string} code the call's error
   * @param {number} refreshes how many were known of when the call went out
   * @returns {Promise<boolean>} whether the call is worth repeating
   */
  async #mend(code, refreshes) {
    if (code === 'token_expired') {
      // A refresh may have ended while the call was on its way.
      if (this.#refreshes === refreshes) await this.refresh();
      return true;
    }
    if (code === 'unauthorized_request' && this.#isLoggedIn) {
      await this.#checkSession().catch(() => {}); // the refusal says enough
    }
    return false;
  }

  /** @param {Request} request */
  #withSession(request) {
    const headers = new Headers(request.headers);
    // Only where it is asked for: it would cost other calls a preflight.
    if (!['GET', 'HEAD', 'OPTIONS'].includes(request.method)) headers.set(this.#csrfHeader, this.#csrf);
    return new Request(request, { credentials: 'include', headers });
  }

  /**
   * @param {string} csrf
   * @param {boolean} elsewhere
   */
  #began(csrf, elsewhere) {
    if (this.#isLoggedIn && csrf === this.#csrf) return;
    this.#isLoggedIn = true;
    this.#csrf = csrf;
    this.#dispatch('login', { elsewhere });
  }

  /** @param {boolean} elsewhere */
  #refreshed(elsewhere) {
    this.#refreshes++;
    this.#dispatch('refresh', { elsewhere });
  }

  /**
   * @param {'logout' | 'expired'} reason
   * @param {boolean} elsewhere
   */
  #ended(reason, elsewhere) {
    if (!this.#isLoggedIn) return;
    this.#isLoggedIn = false;
    this.#csrf = '';
    this.#dispatch('logout', { elsewhere, reason });
  }

  /**
   * @param {string} type
   * @param {object} detail
   */
  #dispatch(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** @param {string} event what another tab told */
  #hear(event) {
    if (event === 'logout' || event === 'expired') this.#ended(event, true);
    else if (event === 'refresh') this.#refreshed(true);
    else if (event === 'login') this.#checkSession().catch(() => {}); // the next call will tell
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function hasCode(error, code) {
  return error instanceof AgentError && error.code === code;
}
