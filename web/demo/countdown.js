import { byId, setText } from './dom.js';

/** Counts down to the end of the access token, and says when it is there. */
export class Countdown {
  #onExpired;
  #lifetime = 0;
  #end = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;

  /** @param {() => void} onExpired called once an expiry, in a visible page */
  constructor(onExpired) {
    this.#onExpired = onExpired;
    document.addEventListener('visibilitychange', () => this.#tick());
  }

  /**
   * @param {number} left seconds
   * @param {number} lifetime seconds
   */
  start(left, lifetime) {
    this.stop();
    this.#lifetime = lifetime;
    this.#end = Date.now() + left * 1000;
    this.#ticking = setInterval(() => this.#tick(), 250);
    this.#tick();
  }

  stop() {
    clearInterval(this.#ticking);
    this.#ticking = undefined;
  }

  #tick() {
    if (this.#ticking === undefined) return;
    const left = Math.max(0, (this.#end - Date.now()) / 1000);
    this.#show(left);
    // A hidden page leaves the token expired; it is renewed when someone looks.
    if (left > 0 || document.hidden) return;
    this.stop();
    this.#onExpired();
  }

  /** @param {number} left seconds */
  #show(left) {
    const seconds = Math.ceil(left);
    setText('countdown-time', `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`);
    setText('countdown-note', left > 0 ? 'renewed by itself when it is due' : 'expired: the next call renews it');
    byId('countdown').dataset.state = left > 0 ? 'running' : 'expired';
    byId('countdown-bar').setAttribute('value', String(this.#lifetime ? left / this.#lifetime : 0));
  }
}
