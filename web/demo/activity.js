import { breakable, byId, element } from './dom.js';

/** Older lines go. */
const MAX_LINES = 40;

/**
 * A `fetch` that shows each call in the activity list: method, path, status,
 * error code, time taken. Never a header, never a body.
 *
 * @param {typeof fetch} fetch
 * @returns {typeof fetch}
 */
export function watched(fetch) {
  return async (input, init) => {
    const request = new Request(input, init);
    const began = performance.now();
    try {
      const response = await fetch(request);
      const { code = '' } = response.ok ? {} : await response.clone().json().catch(() => ({}));
      addCall(request, response.status, code, performance.now() - began);
      return response;
    } catch (error) {
      addCall(request, 0, 'no answer', performance.now() - began);
      throw error;
    }
  };
}

/**
 * Shows something that happened without a call of this page.
 *
 * @param {string} text
 */
export function note(text) {
  add(element('li', 'note', time(), element('span', 'call', text)));
}

/**
 * @param {Request} request
 * @param {number} status
 * @param {string} code
 * @param {number} ms
 */
function addCall(request, status, code, ms) {
  const outcome = element('span', `status ${status >= 200 && status < 300 ? 'good' : 'bad'}`, String(status || '–'));
  const { pathname } = new URL(request.url);
  add(element('li', '', time(), element('span', 'call', element('b', '', request.method), ` ${pathname}`),
    outcome, element('span', 'code', ...breakable(code)), element('span', 'took', `${Math.round(ms)} ms`)));
}

function time() {
  const now = new Date();
  const shown = element('time', '', now.toLocaleTimeString([], { hour12: false }));
  shown.setAttribute('datetime', now.toISOString());
  return shown;
}

/** @param {HTMLElement} line */
function add(line) {
  const list = byId('activity');
  list.prepend(line);
  while (list.children.length > MAX_LINES) list.lastElementChild?.remove();
}
