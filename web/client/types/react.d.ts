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
export function AgentProvider({ agent, fallback, children }: {
    agent: import("./agent.js").Agent;
    fallback?: import("react").ReactNode;
    children?: import("react").ReactNode | (() => import("react").ReactNode);
}): import("react").ReactElement;
/**
 * The agent of the {@link AgentProvider} above.
 *
 * @returns {import('./agent.js').Agent}
 */
export function useAgent(): import("./agent.js").Agent;
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
export function useSession(agent?: import("./agent.js").Agent): import("./store.js").SessionState;
