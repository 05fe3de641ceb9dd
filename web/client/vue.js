import { onScopeDispose, readonly, shallowRef } from 'vue';

import { sessionStore } from './store.js';

export { whenLoaded } from './store.js';

/**
 * The session, for Vue 3: a ref that changes at each login and logout, of this
 * tab or another.
 *
 *     const session = useSession(agent);
 *     // <button v-if="session.status === 'out'" @click="agent.login()">Log in</button>
 *
 * Who the user is: `agent.claims()`.
 *
 * @param {import('./agent.js').Agent} agent the one of the page
 * @returns {Readonly<import('vue').Ref<import('./store.js').SessionState>>}
 */
export function useSession(agent) {
  const { subscribe, get } = sessionStore(agent);
  const session = shallowRef(get());
  onScopeDispose(subscribe(() => {
    session.value = get();
  }));
  return readonly(session);
}
