/**
 * The session as something to subscribe to, for any framework: a new object at
 * each login and logout. The first subscriber makes the page load's call.
 *
 * @param {Agent} agent
 */
export function sessionStore(agent: Agent): {
    get: () => SessionState;
    /** @param {() => void} listener */
    subscribe(listener: () => void): () => void;
};
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
