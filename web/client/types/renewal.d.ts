/**
 * Knows when the access token and the session end, and acts ahead of it while
 * somebody looks at the page. A hidden page does nothing: it would keep a session
 * alive that nobody uses.
 */
export class Renewal {
    /**
     * @param {() => Promise<unknown>} renew gets a new access token
     * @param {() => Promise<unknown>} ask looks when the ends are, and tells {@link expect}
     */
    constructor(renew: () => Promise<unknown>, ask: () => Promise<unknown>);
    /**
     * @param {number} [token] seconds until the access token ends, where known
     * @param {number} [session] the same for the session
     */
    expect(token?: number, session?: number): void;
    /** There is a new token, made by whomever. */
    renewed(): void;
    stop(): void;
    #private;
}
