import { byId, setText } from './dom.js';

/** Counts down to the ends of the access token and of the session. */
export class Countdown {
  #lifetime = 0;
  #end = 0;
  #sessionEnd = 0;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;

  /** @param {import('../client/agent.js').Session} session */
  start({ accessTokenExpiresIn = 0, sessionExpiresIn = 0 }) {
    this.stop();
    const now = Date.now();
    // How long it was good at first is not told; the most that was seen will do.
    this.#lifetime = Math.max(this.#lifetime, accessTokenExpiresIn);
    this.#end = now + accessTokenExpiresIn * 1000;
    this.#sessionEnd = now + sessionExpiresIn * 1000;
    this.#ticking = setInterval(() => this.#tick(), 250);
    this.#tick();
  }

  stop() {
    clearInterval(this.#ticking);
  }

  #tick() {
    const left = secondsTo(this.#end);
    setText('countdown-time', clock(left));
    setText('countdown-note', left > 0 ? 'renewed ahead of its end while you look at this page' : 'expired: the next call renews it');
    setText('session-time', clock(secondsTo(this.#sessionEnd)));
    byId('countdown').dataset.state = left > 0 ? 'running' : 'expired';
    byId('countdown-bar').setAttribute('value', String(this.#lifetime ? left / this.#lifetime : 0));
  }
}

/** @param {number} time */
function secondsTo(time) {
  return Math.max(0, (time - Date.now()) / 1000);
}

/** @param {number} left seconds */
function clock(left) {
  const seconds = Math.ceil(left);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
