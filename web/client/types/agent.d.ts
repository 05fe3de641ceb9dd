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
    /** @param {Options} options */
    constructor(options: Options);
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
    fetch(input: RequestInfo | URL, init?: RequestInit): Promise<Response>;
    /** Whether somebody is logged in, as far as this page knows. */
    get isLoggedIn(): boolean;
    /**
     * `addEventListener` by another name: typed, and it gives what ends it.
     *
     * @param {EventType} type
     * @param {(detail: EventDetail) => void} listener
     * @returns {() => void} to be called when enough was heard
     */
    on(type: EventType, listener: (detail: EventDetail) => void): () => void;
    /**
     * To be called on every page load, before anything else and before a router
     * reads the URL: completes a login that has just come back, goes to where the
     * user wanted to be, and tells whether there is a session. Further calls give
     * the first one's result.
     *
     * @returns {Promise<PageLoad>}
     * @throws {AgentError} when the agent cannot tell; may be called again
     */
    onPageLoad(): Promise<PageLoad>;
    /**
     * Leaves the page for the authorization server.
     *
     * @param {LoginOptions} [options]
     * @throws {AgentError}
     */
    login({ returnTo, prompt, extraParams }?: LoginOptions): Promise<void>;
    /**
     * Ends the session in all tabs and leaves the page, to log out at the
     * authorization server too. Without a session there is nothing to leave.
     *
     * @throws {AgentError} when the session could not be ended
     */
    logout(): Promise<void>;
    /**
     * Asks the agent for the session. It does not ask the authorization server in
     * turn, so that this is cheap, and works while that one is down.
     *
     * @returns {Promise<Session>}
     * @throws {AgentError}
     */
    session(): Promise<Session>;
    /**
     * The authorization server's user info. Prefer {@link Agent#claims}, which needs no
     * call to that server. One that takes none of its access tokens there
     * (`userinfo_refused`) is asked once a session.
     *
     * @template [T=Record<string, unknown>]
     * @returns {Promise<T>}
     * @throws {AgentError}
     */
    userInfo<T = Record<string, unknown>>(): Promise<T>;
    /**
     * The claims of the verified ID token.
     *
     * @template [T=Record<string, unknown>]
     * @returns {Promise<T>}
     * @throws {AgentError} `no_id_token` where the authorization server gives none
     */
    claims<T = Record<string, unknown>>(): Promise<T>;
    /**
     * Renews the access token. Seldom needed: all other calls do it when it is
     * due. Calls at the same time, in all tabs, share one refresh.
     *
     * @returns {Promise<void>}
     * @throws {AgentError} `session_expired` when the user has to log in again
     */
    refresh(): Promise<void>;
    /**
     * The CSRF header, for calls that are made without {@link Agent#fetch} and whose
     * method is not safe: by XMLHttpRequest, or a client that is built on it.
     *
     * @param {string | URL} [url] where the call goes: one that is not of the API gets
     *   nothing
     * @returns {Record<string, string>} empty as long as nobody is logged in
     */
    csrfHeaders(url?: string | URL): Record<string, string>;
    #private;
}
export type Options = {
    /**
     * where the agent is: `/oauth-agent`, or
     * `https://api.example.com/oauth-agent`
     */
    baseUrl: string;
    /**
     * the agent's cookie name prefix; `agent`
     */
    cookiePrefix?: string | undefined;
    /**
     * `x-<cookiePrefix>-csrf`
     */
    csrfHeader?: string | undefined;
    /**
     * what {@link Agent#fetch} sends the session to;
     * relative to the agent's origin, all of which it is when unset
     */
    apiPaths?: string[] | undefined;
    /**
     * whether a page that is looked at renews the
     * access token before it expires, which keeps the session alive; true
     */
    refreshAhead?: boolean | undefined;
    /**
     * the browser's, or one that watches the calls
     */
    fetch?: typeof fetch | undefined;
};
/**
 * What is known of the session. Times are in seconds from now, and missing where
 * nobody knows them.
 */
export type Session = {
    isLoggedIn: boolean;
    accessTokenExpiresIn?: number | undefined;
    sessionExpiresIn?: number | undefined;
    /**
     * of the ID token, where the agent's
     * settings allow it
     */
    claims?: Record<string, unknown> | undefined;
};
export type Loaded = {
    /**
     * whether a login was completed by this page load
     */
    handled: boolean;
    /**
     * where the login began, and where the user is now,
     * whether it has been completed or has failed: a path
     */
    returnTo?: string | undefined;
    /**
     * whether a silent login came back because the
     * user is needed after all, which is no error
     */
    loginRequired: boolean;
    /**
     * why a login that came back has failed; the
     * session from before it, if any, lives on
     */
    error: AgentError | null;
};
export type PageLoad = Session & Loaded;
export type LoginOptions = {
    /**
     * a path of this origin to be at after the login;
     * where the user is now
     */
    returnTo?: string | undefined;
    /**
     * `none` for
     * a login that must not show anything (OpenID Connect Core 3.1.2.1)
     */
    prompt?: "none" | "login" | "consent" | "select_account" | undefined;
    /**
     * are added to the authorization
     * request, such as `{ ui_locales: 'fr' }`
     */
    extraParams?: Record<string, string> | undefined;
};
/**
 * - `login`: somebody is logged in now, or somebody else
 * - `refresh`: the access token is a new one
 * - `logout`: the user has logged out
 * - `expired`: the session has ended by itself
 */
export type EventType = "login" | "refresh" | "logout" | "expired";
/**
 * - `login`: somebody is logged in now, or somebody else
 * - `refresh`: the access token is a new one
 * - `logout`: the user has logged out
 * - `expired`: the session has ended by itself
 */
export type EventDetail = {
    /**
     * whether it happened in another tab
     */
    elsewhere: boolean;
};
/**
 * What an agent needs of the page that it is on.
 */
export type Page = {
    /**
     * absolute
     */
    baseUrl: string;
    /**
     * reports whether a URL gets the session
     */
    inScope: (href: string) => boolean;
    tabs: Tabs;
    renewal?: Renewal | undefined;
};
import { AgentError } from './errors.js';
import { Tabs } from './tabs.js';
import { Renewal } from './renewal.js';
