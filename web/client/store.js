/**
 * @typedef {import('./agent.js').Agent} Agent
 * @typedef {import('./errors.js').AgentError} AgentError
 */

/**
 * @typedef {object} SessionState
 * @property {'unknown' | 'in' | 'out'} status `unknown` until the agent has told
 * @property {AgentError | null} error why the last login failed, or why the
 *   status is not known
 */

/** How long to wait before the page load is tried again, at first and at most. */
const FIRST_MS = 1_000;
const LONGEST_MS = 30_000;

/** @type {SessionState} */
const UNKNOWN = { status: 'unknown', error: null };

/** @type {WeakMap<Agent, ReturnType<typeof makeStore>>} */
const stores = new WeakMap();

/**
 * The session as something to subscribe to, for any framework: a new object at
 * each login and logout, and one for the whole page load. The first subscriber
 * makes the page load's call; where there is no page nothing is asked.
 *
 * @param {Agent} agent
 */
export function sessionStore(agent) {
  let store = stores.get(agent);
  if (!store) stores.set(agent, (store = makeStore(agent)));
  return store;
}

/**
 * Resolves when the page load is over: a login that has come back is completed and
 * the URL is the one that the user wants. Routers read the URL after that. While
 * the agent cannot be reached it is asked again; it never rejects.
 *
 * @param {Agent} agent
 * @returns {Promise<SessionState>} `unknown` where there is no page, or where asking
 *   again is of no use
 */
export function whenLoaded(agent) {
  return sessionStore(agent).loaded();
}

/** @param {Agent} agent */
function makeStore(agent) {
  let state = UNKNOWN;
  /** @type {Promise<SessionState> | undefined} */
  let loading;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  /** @param {AgentError | null} [error] */
  const tell = (error = null, status = agent.isLoggedIn ? 'in' : 'out') => {
    state = { status: /** @type {SessionState['status']} */ (status), error };
    for (const listener of [...listeners]) listener();
  };
  const load = async () => {
    /** @type {AgentError | null} */
    let error = null;
    for (let wait = FIRST_MS; ; wait = Math.min(2 * wait, LONGEST_MS)) {
      try {
        ({ error } = await agent.onPageLoad());
        break;
      } catch (cause) {
        tell(/** @type {AgentError} */ (cause), 'unknown');
        if (!isOutage(cause)) return state;
        await pause(Math.max(wait * (0.5 + Math.random() / 2), (cause.retryAfter ?? 0) * 1000));
      }
    }
    tell(error);
    // What has happened until now is told by that.
    for (const type of /** @type {const} */ (['login', 'logout', 'expired'])) agent.on(type, () => tell());
    return state;
  };
  const loaded = () => (globalThis.location ? (loading ??= load()) : Promise.resolve(state));
  return {
    get: () => state,
    loaded,
    /** @param {() => void} listener */
    subscribe(listener) {
      // A server that renders never ends a subscription.
      if (globalThis.location) listeners.add(listener);
      void loaded();
      return () => {
        listeners.delete(listener);
      };
    },
  };
}

/**
 * @param {any} error
 * @returns {error is AgentError}
 */
function isOutage(error) {
  return Boolean(error?.unanswered || error?.status >= 500);
}

/**
 * Waits, but not longer than the browser is offline.
 *
 * @param {number} ms
 * @returns {Promise<void>}
 */
function pause(ms) {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
    globalThis.addEventListener?.('online', () => resolve(), { once: true });
  });
}
