import { test as base, expect } from '@playwright/test';

import { start } from './process.js';
import { Witness } from './witness.js';

export { expect };

/**
 * Each test has a browser profile of its own, and a witness of all that its
 * pages see; the demo is shared by the tests that start it alike.
 */
export const test = base.extend({
  demoArgs: [[], { option: true, scope: 'worker' }],

  demo: [async ({ demoArgs }, use) => {
    const demo = await start(process.env.DEMO ?? '../../bin/demo', demoArgs, /Open\s+(http\S+)/);
    await use({ ...demo, url: demo.found[1] });
    await demo.stop();
    // The server's own log: no test causes an error, but by an outage of the provider.
    expect(demo.log()).not.toMatch(/panic|level=ERROR(?!.*code=authorization_server_error)/);
  }, { scope: 'worker' }],

  witness: [async ({ context, demo }, use) => {
    const witness = new Witness(context);
    await witness.watch();
    await use(witness);
    await witness.verify(await demo.report());
  }, { auto: true }],

  app: async ({ page, demo }, use) => use(new App(page, demo.url)),
});

/**
 * Counts what the tabs ask of the agent, which may be more than what the agent
 * asks of the provider, and holds the calls until they are released: refreshes
 * are at the same time then, however fast they are.
 *
 * @param {import('@playwright/test').BrowserContext} context
 */
export async function holdRefreshes(context) {
  let calls = 0;
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await context.route('**/oauth-agent/refresh', async (route) => {
    calls++;
    await released;
    await route.continue();
  });
  return { release, calls: () => calls };
}

/**
 * Tabs with the library and nothing else, which is `window.agent` there.
 *
 * @param {App} app its own tab is the first of them
 * @param {number} count
 * @param {object} options
 */
export async function libraryTabs(app, count, options = {}) {
  const tabs = [app.page];
  while (tabs.length < count) tabs.push(await app.page.context().newPage());
  await Promise.all(tabs.map(async (tab) => {
    await tab.goto(`${app.url}/client/index.js`);
    await tab.evaluate(async (more) => {
      const { createAgent } = await import('/client/index.js');
      window.agent = createAgent({ baseUrl: '/oauth-agent', ...more });
      await window.agent.onPageLoad();
    }, options);
  }));
  return tabs;
}

/**
 * Has a page believe that nobody looks at it: headless tabs are always visible.
 *
 * @param {import('@playwright/test').Page} page
 * @returns {Promise<() => Promise<void>>} shows it again
 */
export async function becomeHidden(page) {
  const set = (hidden) => page.evaluate((value) => {
    Object.defineProperty(document, 'hidden', { value, configurable: true });
    document.dispatchEvent(new Event('visibilitychange'));
  }, hidden);
  await set(true);
  return () => set(false);
}

/** What the demo has in the menu of its user. */
const IN_MENU = ['Log out', 'Switch user'];

/** The demo page, by what a user sees. */
export class App {
  /**
   * @param {import('@playwright/test').Page} page
   * @param {string} url
   */
  constructor(page, url) {
    this.page = page;
    this.url = url;
    this.greeting = page.getByRole('heading', { name: /^Hello, / });
    this.menu = page.getByRole('button', { name: /^Account of / });
    this.notice = page.locator('#notice');
    this.calls = page.locator('#activity li');
  }

  async open(path = '/') {
    await this.page.goto(this.url + path);
    await this.page.locator('main:not([aria-busy])').waitFor();
  }

  /** Another tab of the same browser. */
  async anotherTab() {
    const app = new App(await this.page.context().newPage(), this.url);
    await app.open();
    return app;
  }

  /** @param {string} name */
  async click(name) {
    const button = this.page.getByRole('button', { name, exact: true });
    if (IN_MENU.includes(name) && await this.menu.isVisible() && !(await button.isVisible())) await this.menu.click();
    await button.click();
  }

  /** Opens the page and leaves it for the identity provider's login page. */
  async toLoginPage(path = '/') {
    await this.open(path);
    await this.click('Log in');
    await this.page.getByLabel('User name').waitFor();
  }

  async signIn(user = 'ada') {
    await this.page.getByLabel('User name').fill(user);
    await this.page.getByLabel('Password').fill(user);
    await this.click('Sign in');
  }

  async logIn(user = 'ada') {
    await this.toLoginPage();
    await this.signIn(user);
    await this.isLoggedIn();
  }

  async isLoggedIn() {
    await expect(this.greeting).toBeVisible();
    await expect(this.page.locator('#claims dd').first()).toBeVisible();
    await expect(this.page.locator('#cookies tr').first()).toBeVisible();
    // Nothing of the authorization response is left in the address bar.
    expect(this.page.url()).toBe(`${this.url}/`);
  }

  async isLoggedOut() {
    await expect(this.page.getByRole('button', { name: 'Log in', exact: true })).toBeVisible();
    await expect(this.greeting).toBeHidden();
    expect(this.page.url()).toBe(`${this.url}/`);
  }

  /** Calls in the activity list, oldest first, as `POST /oauth-agent/refresh 204`. */
  async callList() {
    const lines = await this.calls.evaluateAll((items) => items.map((item) =>
      [item.querySelector('.call')?.textContent, item.querySelector('.status')?.textContent, item.querySelector('.code')?.textContent]
        .filter(Boolean).join(' ')));
    return lines.reverse();
  }
}
