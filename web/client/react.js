import { useSyncExternalStore } from 'react';

import { sessionStore } from './store.js';

/**
 * The session, for React 18 and newer; the component renders again at each login
 * and logout, of this tab or another.
 *
 *     const { status } = useSession(agent);
 *     if (status === 'out') return <button onClick={() => agent.login()}>Log in</button>;
 *
 * Who the user is: `agent.claims()`.
 *
 * @param {import('./agent.js').Agent} agent the one of the page
 * @returns {import('./store.js').SessionState}
 */
export function useSession(agent) {
  const { subscribe, get } = sessionStore(agent);
  return useSyncExternalStore(subscribe, get, get);
}
