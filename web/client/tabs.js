/**
 * How long a tab that waited for another's work listens for the news of it. The
 * lock may be free a moment before the message is there.
 */
const SETTLE_MS = 200;

/**
 * The tabs of one application in one browser. Where Web Locks or
 * BroadcastChannel are missing each tab acts alone: more calls, same result,
 * because the agent answers late and doubled refreshes too.
 *
 * Messages are the names of events and nothing else; whoever hears one asks the
 * agent for the facts.
 */
export class Tabs {
  #name;
  #channel;
  /** @type {Set<(event: string) => void>} */
  #listeners = new Set();

  /**
   * @param {string} name the same in all tabs of the application
   * @param {(event: string) => void} onEvent called for the events of other tabs
   */
  constructor(name, onEvent) {
    this.#name = name;
    this.#listeners.add(onEvent);
    this.#channel = openChannel(name);
    this.#channel?.addEventListener('message', ({ data }) => {
      for (const listener of [...this.#listeners]) listener(String(data));
    });
  }

  /**
   * Tells the other tabs.
   *
   * @param {string} event
   */
  tell(event) {
    this.#channel?.postMessage(event);
  }

  /**
   * Does the work in one tab, however many ask at the same time; the others wait
   * for it. When it fails in one, the next one tries.
   *
   * @param {string} event told to the other tabs when the work is done
   * @param {() => Promise<void>} work
   * @param {boolean} [patient] whether there is time to hear first that another tab
   *   has done it a moment ago
   */
  async once(event, work, patient = false) {
    let began = false;
    const workAndTell = async () => {
      began = true;
      await work();
      this.tell(event);
    };
    try {
      await this.#locked(event, workAndTell, patient);
    } catch (error) {
      if (began) throw error;
      await workAndTell(); // no locks: an old browser, plain HTTP, storage switched off
    }
  }

  /**
   * @param {string} event
   * @param {() => Promise<void>} work
   * @param {boolean} patient
   */
  async #locked(event, work, patient) {
    const { locks } = navigator;
    const name = `${this.#name} ${event}`;
    const news = this.#listenFor(event);
    try {
      const worked = await locks.request(name, { ifAvailable: true }, async (lock) => {
        if (lock && !(patient && (await news.within(SETTLE_MS)))) await work();
        return lock !== null;
      });
      if (worked) return;
      await locks.request(name, async () => {
        if (!(await news.within(SETTLE_MS))) await work();
      });
    } finally {
      news.stop();
    }
  }

  /** @param {string} event */
  #listenFor(event) {
    /** @type {(heard: boolean) => void} */
    let settle;
    /** @type {Promise<boolean>} */
    const heard = new Promise((resolve) => (settle = resolve));
    const listener = (/** @type {string} */ told) => {
      if (told === event) settle(true);
    };
    this.#listeners.add(listener);
    return {
      /** @param {number} ms */
      within(ms) {
        setTimeout(() => settle(false), ms);
        return heard;
      },
      stop: () => this.#listeners.delete(listener),
    };
  }
}

/** @param {string} name */
function openChannel(name) {
  try {
    return new BroadcastChannel(name);
  } catch {
    return undefined; // missing, or an opaque origin
  }
}
