import { expect } from '@playwright/test';

/**
 * Files, which are the same each time. A page that has left takes the bodies
 * along that nobody has read yet; it may, with these, and with those of fetch,
 * which are read in the page.
 */
const MAY_BE_LOST = ['fetch', 'image', 'script', 'stylesheet', 'other'];

/** Runs in every page, before its own scripts. */
function inPage() {
  const { fetch } = window;
  window.fetch = async (...args) => {
    const response = await fetch(...args);
    // Awaited, so that a page that leaves at once cannot outrun its witness.
    if (response.type !== 'opaque') await window.witnessBody(response.url, await response.clone().text());
    return response;
  };
  document.addEventListener('securitypolicyviolation', (event) => {
    window.witnessViolation(`${event.violatedDirective}: ${event.blockedURI}`);
  });
}

/**
 * Sees everything that the pages of a browser see, and tells afterwards that
 * there was no token in it.
 */
export class Witness {
  /** @type {{ where: string, text: string }[]} */
  #seen = [];
  /** @type {string[]} */
  #problems = [];
  /** @type {Promise<void>[]} */
  #reading = [];
  #context;

  /** @param {import('@playwright/test').BrowserContext} context */
  constructor(context) {
    this.#context = context;
  }

  async watch() {
    const context = this.#context;
    await context.exposeBinding('witnessBody', (_, url, text) => this.#saw(`body of ${url}`, text));
    await context.exposeBinding('witnessViolation', (_, text) => this.#problems.push(`content security policy: ${text}`));
    await context.addInitScript(inPage);
    context.on('request', (request) => this.#sawURL(request));
    context.on('requestfinished', (request) => this.#reading.push(this.#readResponse(request)));
    context.on('weberror', (error) => this.#problems.push(`uncaught: ${error.error()}`));
  }

  /**
   * @param {string} where
   * @param {string} text
   */
  #saw(where, text) {
    this.#seen.push({ where, text });
  }

  /** @param {import('@playwright/test').Request} request */
  #sawURL(request) {
    const url = new URL(request.url());
    if (request.isNavigationRequest() && request.frame().parentFrame() === null) {
      // The two that OAuth itself sends by way of the browser's address bar: the
      // one-time code on the way back, the hint on the way out.
      if (url.searchParams.has('state')) url.searchParams.delete('code');
      if (url.searchParams.has('post_logout_redirect_uri')) url.searchParams.delete('id_token_hint');
    }
    this.#saw('URL', url.href);
  }

  /** @param {import('@playwright/test').Request} request */
  async #readResponse(request) {
    const response = await request.response();
    if (!response) return;
    for (const { name, value } of await response.headersArray()) {
      // Where a redirect goes is seen by nobody but the browser; the URL is looked at above.
      if (name.toLowerCase() !== 'location') this.#saw(`header ${name} of ${response.url()}`, value);
    }
    if (response.status() >= 300 && response.status() < 400) return;
    try {
      this.#saw(`body of ${response.url()}`, await response.text());
    } catch (error) {
      if (!MAY_BE_LOST.includes(request.resourceType())) this.#problems.push(`unread: ${response.url()}: ${error}`);
    }
  }

  /** To be awaited before a document is left whose body nothing else has read. */
  async settled() {
    await Promise.all(this.#reading);
  }

  /** Reads whatever a script of the page can read without a call. */
  async #search(page) {
    await page.waitForLoadState();
    const found = await page.evaluate(async () => ({
      'document.cookie': document.cookie,
      localStorage: JSON.stringify({ ...localStorage }),
      sessionStorage: JSON.stringify({ ...sessionStorage }),
      indexedDB: JSON.stringify(await indexedDB.databases()),
      caches: window.caches ? JSON.stringify(await caches.keys()) : '',
      address: location.href,
      document: document.documentElement.outerHTML,
    }));
    for (const [where, text] of Object.entries(found)) this.#saw(`${where} of ${page.url()}`, text);
    return found;
  }

  /**
   * @param {{ issued: string[] }} report of the identity provider
   */
  async verify({ issued }) {
    for (const page of this.#context.pages()) {
      const found = await this.#search(page);
      expect(found['document.cookie']).toBe('');
      expect(found.localStorage).toBe('{}');
      const { 'vue-router:scroll': _, ...kept } = JSON.parse(found.sessionStorage); // where the user has scrolled to
      expect(kept).toEqual({});
      expect(found.indexedDB).toBe('[]');
    }
    await this.settled();
    expect(this.#problems).toEqual([]);
    expect(this.leaks(issued)).toEqual([]);
  }

  /** For a test of the witness itself. */
  forget() {
    this.#seen = [];
  }

  /**
   * Where any of the values was seen, whole, encoded or any half of it.
   *
   * @param {string[]} values
   */
  leaks(values) {
    const needles = values.flatMap(forms);
    return this.#seen.filter(({ text }) => needles.some((needle) => text.includes(needle))).map(({ where }) => where);
  }
}

/** @param {string} value */
function forms(value) {
  const base64 = Buffer.from(value).toString('base64');
  const half = value.length >> 1;
  return [value.slice(0, half), value.slice(half), encodeURIComponent(value), base64.slice(0, -4)];
}
