/**
 * The session as something to subscribe to, for any framework: a new object at
 * each login and logout, and one for the whole page load. The first subscriber
 * makes the page load's call; where there is no page nothing is asked.
 *
 * @param {Agent} agent
 */
export function sessionStore(agent: Agent): {
    get: () => SessionState;
    loaded: () => Promise<SessionState>;
    /** @param {() => void} listener */
    subscribe(listener: () => void): () => void;
};
/**
 * Resolves when the page load is over: a login that has come back is completed and
 * the URL is the one that the user wants. Routers read the URL after that. While
 * the agent cannot be reached it is asked again; it never rejects.
 *
 * @param {Agent} agent
 * @returns {Promise<SessionState>} `unknown` where there is no page, or where asking
 *   again is of no use
 */
export function whenLoaded(agent: Agent): Promise<SessionState>;
export type Agent = import("./agent.js").Agent;
export type AgentError = import("./errors.js").AgentError;
export type SessionState = {
    /**
     * `unknown` until the agent has told
     */
    status: "unknown" | "in" | "out";
    /**
     * why the last login failed, or why the
     * status is not known
     */
    error: AgentError | null;
};
