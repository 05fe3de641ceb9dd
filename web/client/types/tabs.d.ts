/**
 * The tabs of one application in one browser. Where Web Locks or
 * BroadcastChannel are missing each tab acts alone: more calls, same result,
 * because the agent answers late and doubled refreshes too.
 *
 * Messages are the names of events and nothing else; whoever hears one asks the
 * agent for the facts.
 */
export class Tabs {
    /**
     * @param {string} name the same in all tabs of the application
     * @param {(event: string) => void} onEvent called for the events of other tabs
     */
    constructor(name: string, onEvent: (event: string) => void);
    /**
     * Tells the other tabs.
     *
     * @param {string} event
     */
    tell(event: string): void;
    /**
     * Does the work in one tab, however many ask at the same time; the others wait
     * for it. When it fails in one, the next one tries.
     *
     * @param {string} event told to the other tabs when the work is done
     * @param {() => Promise<void>} work
     * @param {boolean} [patient] whether there is time to hear first that another tab
     *   has done it a moment ago
     */
    once(event: string, work: () => Promise<void>, patient?: boolean): Promise<void>;
    #private;
}
