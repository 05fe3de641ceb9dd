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
export function useSession(agent: import("./agent.js").Agent): Readonly<import("vue").Ref<import("./store.js").SessionState>>;
export { whenLoaded } from "./store.js";
