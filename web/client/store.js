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

/** @type {SessionState} */
const UNKNOWN = { status: 'unknown', error: null };

/** @type {WeakMap<Agent, ReturnType<typeof makeStore>>} */
const stores = new WeakMap();

/**
 * The session as something to subscribe to, for any framework: a new object at
 * each login and logout. The first subscriber makes the page load's call.
 *
 * @param {Agent} agent
 */
export function sessionStore(agent) {
  let store = stores.get(agent);
  if (!store) stores.set(agent, (store = makeStore(agent)));
  return store;
}

/** @param {Agent} agent */
function makeStore(agent) {
  let state = UNKNOWN;
  let begun = false;
  /** @type {Set<() => void>} */
  const listeners = new Set();
  /**
   * @param {SessionState['status']} status
   * @param {AgentError | null} [error]
   */
  const set = (status, error = null) => {
    state = { status, error };
    for (const listener of [...listeners]) listener();
  };
  const begin = () => {
    begun = true;
    agent.on('login', () => set('in'));
    agent.on('logout', () => set('out'));
    agent.on('expired', () => set('out'));
    agent.onPageLoad().then(
      ({ isLoggedIn, error }) => set(isLoggedIn ? 'in' : 'out', error),
      (error) => set('unknown', error),
    );
  };
  return {
    get: () => state,
    /** @param {() => void} listener */
    subscribe(listener) {
      listeners.add(listener);
      if (!begun) begin();
      return () => {
        listeners.delete(listener);
      };
    },
  };
}
