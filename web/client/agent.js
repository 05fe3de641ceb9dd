import { AgentError, needsUser } from './errors.js';
import { call, errorCode } from './http.js';
import { forgetResponse, here, leave, mayHoldResponse } from './page.js';
import { Renewal } from './renewal.js';
import { needsCsrf, repeatable, withSession } from './request.js';
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
 * @property {boolean} [refreshAhead] whether a page that is looked at renews the
 *   access token before it expires, which keeps the session alive; true
 * @property {typeof fetch} [fetch] the browser's, or one that watches the calls
 */

/**
 * What is known of the session. Times are in seconds from now, and missing where
 * nobody knows them.
 *
 * @typedef {object} Session
 * @property {boolean} isLoggedIn
 * @property {number} [accessTokenExpiresIn]
 * @property {number} [sessionExpiresIn]
 * @property {Record<string, unknown>} [claims] of the ID token, where the agent's
 *   settings allow it
 */

/**
 * @typedef {object} Loaded
 * @property {boolean} handled whether a login was completed by this page load
 * @property {string} [returnTo] where the login began, and where the user is now,
 *   whether it has been completed or has failed: a path
 * @property {boolean} loginRequired whether a silent login came back because the
 *   user is needed after all, which is no error
 * @property {AgentError | null} error why a login that came back has failed; the
 *   session from before it, if any, lives on
 *
 * @typedef {Session & Loaded} PageLoad
 */

/**
 * @typedef {object} LoginOptions
 * @property {string} [returnTo] a path of this origin to be at after the login;
 *   where the user is now
 * @property {'none' | 'login' | 'consent' | 'select_account'} [prompt] `none` for
 *   a login that must not show anything (OpenID Connect Core 3.1.2.1)
 * @property {Record<string, string>} [extraParams] are added to the authorization
 *   request, such as `{ ui_locales: 'fr' }`
 */

/**
 * - `login`: somebody is logged in now, or somebody else
 * - `refresh`: the access token is a new one
 * - `logout`: the user has logged out
 * - `expired`: the session has ended by itself
 *
 * @typedef {'login' | 'refresh' | 'logout' | 'expired'} EventType
 *
 * @typedef {object} EventDetail
 * @property {boolean} elsewhere whether it happened in another tab
 */

/**
 * What an agent needs of the page that it is on.
 *
 * @typedef {object} Page
 * @property {string} baseUrl absolute
 * @property {(href: string) => boolean} inScope reports whether a URL gets the session
 * @property {Tabs} tabs
 * @property {Renewal} [renewal]
 */

/** The session as the page sees it. */
export class Agent extends EventTarget {
  #options;
  #csrfHeader;
  #fetch;
  /** @type {Page | undefined} */
  #opened;
  #isLoggedIn = false;
  #csrf = '';
  /** Counts the refreshes known of, here and in other tabs. */
  #refreshes = 0;
  /** @type {unknown} */
  #userInfoRefused;
  /** Counts what an answer that was under way meanwhile does not know of. */
  #news = 0;
  /** @type {Promise<PageLoad> | undefined} */
  #pageLoad;
  /** @type {Promise<Session> | undefined} */
  #asking;
  /**
   * Why a login that came back has failed, until a page load has told it.
   *
   * @type {AgentError | undefined}
   */
  #failure;
  /** @type {Promise<void> | undefined} */
  #refreshing;

  /** @param {Options} options */
  constructor(options) {
    super();
    this.#options = options;
    this.#csrfHeader = options.csrfHeader ?? `x-${options.cookiePrefix ?? 'agent'}-csrf`;
    this.#fetch = options.fetch ?? ((...args) => globalThis.fetch(...args));
    this.fetch = this.fetch.bind(this); // so that it can be handed on, as fetch can
  }

  /**
   * The page, as of the first call. A module that makes the agent may be loaded
   * where there is none: by a renderer on a server, or by a test.
   */
  get #page() {
    return (this.#opened ??= this.#open());
  }

  /** @returns {Page} */
  #open() {
    if (!globalThis.location) throw new AgentError('no_page', 'the agent can be asked by a page alone', 0);
    const { baseUrl, cookiePrefix = 'agent', apiPaths = ['/'], refreshAhead = true } = this.#options;
    const url = new URL(baseUrl, location.href);
    const base = url.href.replace(/\/$/, '');
    // A page out of the back/forward cache has slept through the news.
    globalThis.addEventListener?.('pageshow', (event) => {
      if (event.persisted) this.#hear('login');
    });
    return {
      baseUrl: base,
      inScope: scope(url, apiPaths),
      tabs: new Tabs(`oauth-agent ${base} ${cookiePrefix}`, (event) => this.#hear(event)),
      renewal: refreshAhead ? new Renewal(() => this.#refresh(true), () => this.#ask(true)) : undefined,
    };
  }

  /** Whether somebody is logged in, as far as this page knows. */
  get isLoggedIn() {
    return this.#isLoggedIn;
  }

  /**
   * `addEventListener` by another name: typed, and it gives what ends it.
   *
   * @param {EventType} type
   * @param {(detail: EventDetail) => void} listener
   * @returns {() => void} to be called when enough was heard
   */
  on(type, listener) {
    const heard = (/** @type {Event} */ event) => listener(/** @type {CustomEvent} */ (event).detail);
    this.addEventListener(type, heard);
    return () => this.removeEventListener(type, heard);
  }

  /**
   * To be called on every page load, before anything else and before a router
   * reads the URL: completes a login that has just come back, goes to where the
   * user wanted to be, and tells whether there is a session. Further calls give
   * the first one's result.
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
   * @param {LoginOptions} [options]
   * @throws {AgentError}
   */
  async login({ returnTo = here(), prompt, extraParams } = {}) {
    const params = { ...extraParams, ...(prompt && { prompt }) };
    const answer = await this.#post('/login/start', {
      extraParams: Object.entries(params).map(([key, value]) => ({ key, value })),
      returnTo,
    });
    await leave(answer.authorizationRequestUrl);
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
    this.#page.tabs.tell('logout');
    this.#ended('logout', false);
    await leave(this.#logoutUrl(answer.url));
  }

  /**
   * Where to go after a logout. The agent's own next step is under the address
   * by which the page reaches the agent, whatever a gateway has made of it on the
   * way; any other URL is followed as it is.
   *
   * @param {string} answered
   */
  #logoutUrl(answered) {
    const url = new URL(answered, `${this.#page.baseUrl}/`);
    const next = '/logout/continue';
    return url.pathname.endsWith(next) && !url.search ? this.#page.baseUrl + next : url.href;
  }

  /**
   * Asks the agent for the session. It does not ask the authorization server in
   * turn, so that this is cheap, and works while that one is down.
   *
   * @returns {Promise<Session>}
   * @throws {AgentError}
   */
  session() {
    return this.#ask(false);
  }

  /**
   * The authorization server's user info. Prefer {@link Agent#claims}, which needs no
   * call to that server. One that takes none of its access tokens there
   * (`userinfo_refused`) is asked once a session.
   *
   * @template [T=Record<string, unknown>]
   * @returns {Promise<T>}
   * @throws {AgentError}
   */
  async userInfo() {
    if (this.#userInfoRefused) throw this.#userInfoRefused;
    try {
      return await this.#get('/userInfo');
    } catch (error) {
      if (hasCode(error, 'userinfo_refused')) this.#userInfoRefused = error;
      throw error;
    }
  }

  /**
   * The claims of the verified ID token.
   *
   * @template [T=Record<string, unknown>]
   * @returns {Promise<T>}
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
    return this.#refresh(false);
  }

  /**
   * The CSRF header, for calls that are made without {@link Agent#fetch} and whose
   * method is not safe: by XMLHttpRequest, or a client that is built on it.
   *
   * @param {string | URL} [url] where the call goes: one that is not of the API gets
   *   nothing
   * @returns {Record<string, string>} empty as long as nobody is logged in
   */
  csrfHeaders(url) {
    const due = this.#isLoggedIn && (!url || this.#page.inScope(new Request(url).url));
    return due ? { [this.#csrfHeader]: this.#csrf } : {};
  }

  /**
   * A drop-in for `fetch`: to the API paths the cookies and, where it matters,
   * the CSRF header are added, and an expired access token is renewed and the
   * call repeated, once. Any other URL is fetched as if this were not there. A
   * call with the header follows no redirect to another origin: it fails as `fetch`
   * does where there is no answer.
   *
   * @param {RequestInfo | URL} input
   * @param {RequestInit} [init]
   * @returns {Promise<Response>}
   * @throws {AgentError} when the refresh fails; otherwise what `fetch` throws
   */
  async fetch(input, init) {
    const request = new Request(input, init);
    if (!this.#page.inScope(request.url)) return this.#fetch(request);

    const make = await repeatable(request);
    const send = () => this.#fetch(withSession(make(), this.#csrfHeader, this.#csrf));
    const refreshes = this.#refreshes;
    const csrf = this.#csrf;
    const response = await send();
    if (response.status !== 401) return response;
    const mended = await this.#mend(await errorCode(response), refreshes);
    // Another value is another user's, who has not asked for this.
    return mended && this.#csrf === csrf ? send() : response;
  }

  /** @returns {Promise<PageLoad>} */
  async #loadPage() {
    const { tabs } = this.#page;
    const answer = await this.#endLogin();
    const { handled } = answer;
    // First, so that whoever hears of the login finds the right URL.
    if (handled) forgetResponse(answer.returnTo);
    const session = this.#learn(answer, false);
    if (handled) tabs.tell('login');
    const error = this.#failure;
    const returnTo = answer.returnTo ?? error?.returnTo;
    const loginRequired = needsUser(error?.code);
    // An old link is nothing to a user who is logged in.
    const harmless = loginRequired || (session.isLoggedIn && error?.code === 'invalid_request');
    return { ...session, handled, ...(returnTo && { returnTo }), loginRequired, error: (!harmless && error) || null };
  }

  /**
   * Gives the agent the page's URL. A response that it refuses is kept in `#failure`
   * and taken out of the URL, and the agent is asked once more without it.
   */
  async #endLogin() {
    const end = () => this.#post('/login/end', { pageUrl: location.href });
    try {
      return await end();
    } catch (error) {
      // What the agent did not answer to is still good, and a reload presents it.
      if (!(error instanceof AgentError) || error.unanswered || !mayHoldResponse(location.href)) throw error;
      forgetResponse(error.returnTo);
      this.#failure = error;
      return end();
    }
  }

  /**
   * @param {boolean} elsewhere whether a change is another tab's doing
   * @returns {Promise<Session>}
   */
  #ask(elsewhere) {
    this.#asking ??= this.#askOnce(elsewhere).finally(() => {
      this.#asking = undefined;
    });
    return this.#asking;
  }

  /** @param {boolean} elsewhere */
  async #askOnce(elsewhere) {
    let answer;
    let news;
    do {
      news = this.#news;
      answer = await this.#read('/session');
    } while (news !== this.#news);
    return this.#learn(answer, elsewhere);
  }

  /**
   * @param {Session & { csrf?: string }} answer of the agent
   * @param {boolean} elsewhere
   * @returns {Session} what of it is for the application
   */
  #learn({ isLoggedIn, csrf = '', accessTokenExpiresIn, sessionExpiresIn, claims }, elsewhere) {
    if (isLoggedIn) {
      this.#began(csrf, elsewhere);
      this.#page.renewal?.expect(accessTokenExpiresIn, sessionExpiresIn);
    } else {
      this.#ended('expired', elsewhere);
    }
    return { isLoggedIn, accessTokenExpiresIn, sessionExpiresIn, claims };
  }

  /** @param {boolean} ahead whether nobody waits for it */
  #refresh(ahead) {
    this.#refreshing ??= this.#refreshOnce(ahead).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  /** @param {boolean} ahead */
  async #refreshOnce(ahead) {
    await this.#page.tabs.once('refresh', async () => {
      try {
        await this.#postWithCsrf('/refresh');
      } catch (error) {
        if (hasCode(error, 'session_expired')) {
          this.#page.tabs.tell('expired');
          this.#ended('expired', false);
        }
        throw error;
      }
      this.#refreshed(false);
    }, ahead);
  }

  /** @param {string} path */
  #read(path) {
    const url = this.#page.baseUrl + path;
    return call(this.#fetch, url, needsCsrf('GET', url) ? { headers: { [this.#csrfHeader]: this.#csrf } } : {});
  }

  /** @param {string} path */
  async #get(path) {
    const get = () => this.#read(path);
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
    return call(this.#fetch, this.#page.baseUrl + path, {
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
      await this.#ask(true);
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
      await this.#ask(true).catch(() => {}); // the refusal says enough
    }
    return false;
  }

  /**
   * @param {string} csrf
   * @param {boolean} elsewhere
   */
  #began(csrf, elsewhere) {
    if (this.#isLoggedIn && csrf === this.#csrf) return;
    this.#isLoggedIn = true;
    this.#csrf = csrf;
    this.#userInfoRefused = undefined;
    this.#dispatch('login', elsewhere);
  }

  /** @param {boolean} elsewhere */
  #refreshed(elsewhere) {
    this.#refreshes++;
    this.#page.renewal?.renewed();
    this.#dispatch('refresh', elsewhere);
  }

  /**
   * @param {'logout' | 'expired'} how
   * @param {boolean} elsewhere
   */
  #ended(how, elsewhere) {
    this.#page.renewal?.stop();
    if (!this.#isLoggedIn) return;
    this.#news++;
    this.#isLoggedIn = false;
    this.#csrf = '';
    this.#dispatch(how, elsewhere);
  }

  /**
   * @param {EventType} type
   * @param {boolean} elsewhere
   */
  #dispatch(type, elsewhere) {
    this.dispatchEvent(new CustomEvent(type, { detail: { elsewhere } }));
  }

  /** @param {string} event what another tab told */
  #hear(event) {
    if (event === 'refresh') return this.#refreshed(true);
    this.#news++;
    if (event === 'logout' || event === 'expired') this.#ended(event, true);
    else if (event === 'login') this.#ask(true).catch(() => {}); // the next call will tell
  }
}

/**
 * @param {unknown} error
 * @param {string} code
 */
function hasCode(error, code) {
  return error instanceof AgentError && error.code === code;
}
