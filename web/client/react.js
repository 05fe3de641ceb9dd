import { createContext, createElement, useContext, useState, useSyncExternalStore } from 'react';

import { sessionStore } from './store.js';

/** @type {import('react').Context<import('./agent.js').Agent | null>} */
const AgentContext = createContext(/** @type {import('./agent.js').Agent | null} */ (null));

/**
 * Renders its children when the page load is over, and `fallback` until then. A
 * router among them reads the URL that the user wants, not that of an authorization
 * response. A function as child is called once, then, and may make the router:
 *
 *     <AgentProvider agent={agent} fallback={<p>Loading …</p>}>
 *       {() => <RouterProvider router={createBrowserRouter(routes)} />}
 *     </AgentProvider>
 *
 * @param {object} props
 * @param {import('./agent.js').Agent} props.agent the one of the page
 * @param {import('react').ReactNode} [props.fallback] may say by {@link useSession}
 *   why it takes long
 * @param {import('react').ReactNode | (() => import('react').ReactNode)} [props.children]
 * @returns {import('react').ReactElement}
 */
export function AgentProvider({ agent, fallback = null, children }) {
  const { status } = useSession(agent);
  const content = typeof children === 'function' ? createElement(Made, { make: children }) : children;
  return createElement(AgentContext.Provider, { value: agent }, status === 'unknown' ? fallback : content);
}

/** @param {{ make: () => import('react').ReactNode }} props */
function Made({ make }) {
  return useState(make)[0];
}

/**
 * The agent of the {@link AgentProvider} above.
 *
 * @returns {import('./agent.js').Agent}
 */
export function useAgent() {
  return given(useContext(AgentContext));
}

/**
 * The session, for React 18 and newer; the component renders again at each login
 * and logout, of this tab or another.
 *
 *     const { status } = useSession();
 *     if (status === 'out') return <button onClick={() => agent.login()}>Log in</button>;
 *
 * @param {import('./agent.js').Agent} [agent] that of the {@link AgentProvider} above,
 *   which a page with a router needs
 * @returns {import('./store.js').SessionState}
 */
export function useSession(agent) {
  const inherited = useContext(AgentContext);
  const { subscribe, get } = sessionStore(given(agent ?? inherited));
  return useSyncExternalStore(subscribe, get, get);
}

/** @param {import('./agent.js').Agent | null} agent */
function given(agent) {
  if (!agent) throw new Error('there is no <AgentProvider> above this component');
  return agent;
}
