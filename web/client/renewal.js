/** How far ahead of its end a token is renewed at most. */
const AHEAD_MS = 60_000;
/** How soon a renewal may follow another, whatever the lifetimes are. */
const GAP_MS = 5_000;
/** How long to wait after one that failed. */
const RETRY_MS = 30_000;
/** Timers of browsers end at 24 days. */
const LONGEST_MS = 86_400_000;

/**
 * Knows when the access token and the session end, and acts ahead of it while
 * somebody looks at the page. A hidden page does nothing: it would keep a session
 * alive that nobody uses.
 */
export class Renewal {
  #renew;
  #ask;
  #running = false;
  /** Times as of `Date.now()`; infinite where there is no such end. */
  #tokenEnd = Infinity;
  #sessionEnd = Infinity;
  /** Whether the ends above are out of date. */
  #stale = false;
  #last = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /**
   * @param {() => Promise<unknown>} renew gets a new access token
   * @param {() => Promise<unknown>} ask looks when the ends are, and tells {@link expect}
   */
  constructor(renew, ask) {
    this.#renew = renew;
    this.#ask = ask;
    const look = () => this.#look();
    globalThis.document?.addEventListener('visibilitychange', look);
    globalThis.addEventListener?.('online', look);
  }

  /**
   * @param {number} [token] seconds until the access token ends, where known
   * @param {number} [session] the same for the session
   */
  expect(token = Infinity, session = Infinity) {
    this.#tokenEnd = Date.now() + token * 1000;
    this.#sessionEnd = Date.now() + session * 1000;
    this.#running = true;
    this.#stale = false;
    this.#look();
  }

  /** There is a new token, made by whomever. */
  renewed() {
    this.#last = Date.now();
    this.#stale = true;
    this.#look();
  }

  stop() {
    this.#running = false;
    clearTimeout(this.#timer);
  }

  #look() {
    clearTimeout(this.#timer);
    if (!this.#running || globalThis.document?.hidden) return;
    if (this.#stale) return this.#try(this.#ask);
    const now = Date.now();
    const left = this.#tokenEnd - now;
    // Each tab waits for another while, so that seldom two of them begin at once.
    const ahead = Math.min(AHEAD_MS, Math.max(0, left) / 4) * (0.5 + Math.random() / 2);
    const renewal = Math.max(left - ahead, this.#last + GAP_MS - now);
    const end = this.#sessionEnd - now + 1000;
    if (end < renewal) this.#after(end, () => this.#try(this.#ask));
    else this.#after(renewal, () => this.#try(this.#renew));
  }

  /** @param {() => Promise<unknown>} act */
  #try(act) {
    this.#last = Date.now();
    act().catch(() => this.#after(RETRY_MS * (1 + Math.random()), () => this.#look()));
  }

  /**
   * @param {number} ms
   * @param {() => void} act
   */
  #after(ms, act) {
    clearTimeout(this.#timer);
    if (!this.#running) return;
    this.#timer = setTimeout(ms > LONGEST_MS ? () => this.#look() : act, Math.min(Math.max(ms, 0), LONGEST_MS));
  }
}
