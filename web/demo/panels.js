import { breakable, byId, element, setText } from './dom.js';

/** Claims that are times, in seconds since 1970 (RFC 7519 4.1). */
const TIMES = new Set(['exp', 'iat', 'nbf', 'auth_time', 'updated_at']);

/** What the kinds of the agent's cookies are for. */
const KINDS = new Map([
  ['at', 'access token'],
  ['auth', 'refresh token'],
  ['id', 'ID token'],
  ['csrf', 'CSRF value'],
  ['login', 'login under way'],
]);

/**
 * @typedef {object} Cookie
 * @property {string} name
 * @property {number} bytes
 * @property {string} path
 * @property {string[]} attributes
 */

/** @param {Record<string, unknown>} info */
export function showUser(info) {
  const name = String(info.name ?? info.preferred_username ?? info.sub);
  setText('greeting', `Hello, ${name}`);
  setText('email', String(info.email ?? ''));
  setText('avatar', initials(name));
  setText('user-name', String(info.preferred_username ?? name));
  setText('menu-name', `Logged in as ${name}`);
}

/** @param {Record<string, unknown>} claims */
export function showClaims(claims) {
  showFacts('claims', claims);
}

/** Shows what a script could steal: all that there is to read. */
export function showStorage() {
  showFacts('storage', {
    'document.cookie': document.cookie || 'empty',
    localStorage: entries(localStorage),
    sessionStorage: entries(sessionStorage),
  });
}

/** @param {Cookie[]} cookies */
export function showCookies(cookies) {
  byId('cookies').replaceChildren(...cookies.map(row));
}

/** @param {Cookie} cookie */
function row({ name, bytes, path, attributes }) {
  return element('tr', '',
    element('th', '', element('code', '', name)),
    element('td', '', holds(name)),
    element('td', '', path === '/' ? 'agent and API' : 'agent only'),
    element('td', 'attributes', ...attributes.map((attribute) => element('span', 'tag', attribute))),
    element('td', 'number', bytes.toLocaleString('en')));
}

/** @param {string} name such as `agent-at` or `agent-at-1` */
function holds(name) {
  const kind = name.split('-').find((part) => KINDS.has(part));
  return KINDS.get(kind ?? '') ?? '';
}

/**
 * @param {string} id of a description list
 * @param {Record<string, unknown>} facts
 */
function showFacts(id, facts) {
  byId(id).replaceChildren(...Object.entries(facts).map(([name, value]) =>
    element('div', '', element('dt', '', ...breakable(name)), element('dd', '', shown(name, value)))));
}

/**
 * @param {string} name
 * @param {unknown} value
 */
function shown(name, value) {
  if (TIMES.has(name) && typeof value === 'number') return new Date(value * 1000).toLocaleString([], { dateStyle: 'medium', timeStyle: 'medium' });
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** @param {Storage} storage */
function entries({ length }) {
  return length ? `${length} entries` : 'empty';
}

/** @param {string} name */
function initials(name) {
  const words = name.split(/\s+/).filter(Boolean);
  return [words[0], words.length > 1 ? words[words.length - 1] : ''].map((word) => [...(word ?? '')][0] ?? '').join('').toUpperCase();
}
