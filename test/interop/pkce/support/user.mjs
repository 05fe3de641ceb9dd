// A person with a browser without JavaScript: follows redirects, keeps cookies,
// fills in forms, and stops where the app's redirect URI begins.

const entities = { amp: '&', lt: '<', gt: '>', quot: '"' };
const unescape = (text) => text.replace(/&(#x?)?(\w+);/g, (all, number, name) => (
  number ? String.fromCodePoint(parseInt(name, number === '#x' ? 16 : 10)) : entities[name] ?? all));

function attributes(tag) {
  const found = {};
  for (const [, name, , , double, single, bare] of tag.matchAll(/([\w-]+)(=("([^"]*)"|'([^']*)'|([^\s>]+)))?/g)) {
    found[name.toLowerCase()] = unescape(double ?? single ?? bare ?? '');
  }
  return found;
}

export class Tab {
  #app;

  #cookies = new Map();

  // app is what the app's redirect URI begins with.
  constructor(app) { this.#app = app; }

  // open goes to url, until there is a page or the app.
  async open(url, init = {}) {
    for (let hops = 0; hops < 10; hops += 1) {
      if (String(url).startsWith(this.#app)) {
        this.arrived = String(url);
        return;
      }
      const answer = await fetch(url, { ...init, redirect: 'manual', headers: { ...init.headers, cookie: this.#cookie(url) } });
      this.#remember(url, answer);
      this.url = new URL(url);
      this.status = answer.status;
      this.headers = answer.headers;
      this.html = await answer.text();
      const location = answer.headers.get('location');
      if (!location) return;
      url = location.startsWith(this.#app) ? location : new URL(location, url).href;
      init = {};
    }
    throw new Error(`too many redirects, at ${url}`);
  }

  // submit sends the form of the page, which must have the field (or button)
  // named; a button is pressed only when values has it.
  async submit(field, values = {}) {
    const [, open, body] = /<form([^>]*)>([\s\S]*?)<\/form>/.exec(this.html ?? '') ?? [];
    const inputs = [...(body ?? '').matchAll(/<(input|button)([^>]*)>/g)].map(([, kind, rest]) => ({ kind, ...attributes(rest) }));
    if (!inputs.some(({ name }) => name === field)) {
      throw new Error(`no form with ${field} at ${this.url} (${this.status}): ${this.html?.slice(0, 500)}`);
    }
    const form = new URLSearchParams();
    for (const { kind, type, name, value } of inputs) {
      if (name && kind === 'input' && type !== 'submit') form.set(name, value ?? '');
    }
    for (const [name, value] of Object.entries(values)) form.set(name, value);
    const action = new URL(attributes(open).action || this.url, this.url);
    await this.open(action.href, {
      method: 'POST', body: form, headers: { referer: this.url.href, origin: this.url.origin },
    });
  }

  #cookie(url) {
    return [...(this.#cookies.get(new URL(url).host) ?? [])].map((pair) => pair.join('=')).join('; ');
  }

  #remember(url, answer) {
    const { host } = new URL(url);
    if (!this.#cookies.has(host)) this.#cookies.set(host, new Map());
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      this.#cookies.get(host).set(pair.slice(0, at), pair.slice(at + 1));
    }
  }
}
