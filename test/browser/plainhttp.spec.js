import { App, expect, test as base } from './support/fixtures.js';
import { start } from './support/process.js';

// An intranet without TLS: browsers send neither Origin nor Sec-Fetch-Site with a
// GET there.
const test = base.extend({
  demo: [async ({}, use) => {
    const stack = await start(process.env.CROSSORIGIN ?? '../../bin/crossorigin', ['-plain-http'], /Open (\S+)/);
    await use({ ...stack, url: stack.found[1] });
    await stack.stop();
  }, { scope: 'worker' }],

  browser: [async ({ playwright, launchOptions }, use) => {
    const browser = await playwright.chromium.launch({
      ...launchOptions,
      args: [...launchOptions.args, '--host-resolver-rules=MAP *.app.local 127.0.0.1'],
    });
    await use(browser);
    await browser.close();
  }, { scope: 'worker' }],
});

test('the library works, and sends the CSRF header with what it reads', async ({ demo, page }) => {
  const reads = [];
  page.on('request', (request) => {
    if (request.method() === 'GET' && /\/(api|userInfo|claims|session)\b/.test(request.url())) reads.push(request);
  });
  const app = new App(page, demo.url);
  await app.toLoginPage();
  await app.signIn();
  await expect(app.greeting).toHaveText('Hello, Ada Lovelace');
  await expect(page.locator('#orders')).toContainText('Tea');
  expect(await page.evaluate(() => window.isSecureContext)).toBe(false);
  expect(reads.length).toBeGreaterThan(1);
  for (const request of reads) {
    const headers = await request.allHeaders();
    expect([headers.origin, headers['sec-fetch-site']], request.url()).toEqual([undefined, undefined]);
    expect(headers['x-agent-csrf'], request.url()).toBeDefined();
    expect((await request.response()).status(), request.url()).toBe(200);
  }

  // A tab that does not know the session's CSRF token yet learns it.
  const second = await page.context().newPage();
  await second.goto(`${demo.url}/client/index.js`);
  expect(await second.evaluate(async () => {
    const { createAgent } = await import('/client/index.js');
    const agent = createAgent({ baseUrl: '/oauth-agent' });
    const before = await agent.session();
    return [before.isLoggedIn, (await agent.claims()).name, (await agent.fetch('/api/orders')).status];
  })).toEqual([true, 'Ada Lovelace', 200]);

  // Without the header a read is refused, as it is without a session.
  expect(await page.evaluate(async () => (await fetch('/api/orders')).status)).toBe(401);
  await app.click('Log out');
  await app.isLoggedOut();
});
