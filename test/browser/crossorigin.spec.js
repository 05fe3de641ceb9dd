import { App, expect, test as base } from './support/fixtures.js';
import { start } from './support/process.js';
import { ENDPOINTS, attempts } from './support/stranger.js';

// Page and agent on two hosts of one site, over TLS: names, Secure, SameSite and
// CORS are here the browser's own judgement.
const test = base.extend({
  demo: [async ({}, use) => {
    const stack = await start(process.env.CROSSORIGIN ?? '../../bin/crossorigin', [], /Key (\S+)\nOpen (\S+)/);
    const [, key, url] = stack.found;
    await use({ ...stack, key, url, api: url.replace('www.', 'api.'), stranger: url.replace('www.', 'other.') });
    await stack.stop();
  }, { scope: 'worker' }],

  browser: [async ({ playwright, demo, launchOptions }, use) => {
    const browser = await playwright.chromium.launch({
      ...launchOptions,
      args: [
        ...launchOptions.args,
        '--host-resolver-rules=MAP *.app.local 127.0.0.1',
        `--ignore-certificate-errors-spki-list=${demo.key}`,
      ],
    });
    await use(browser);
    await browser.close();
  }, { scope: 'worker' }],
});

/** The demo page, without the demo's own server behind it. */
async function logIn(page, url) {
  const app = new App(page, url);
  await app.toLoginPage();
  await app.signIn();
  await expect(app.greeting).toHaveText('Hello, Ada Lovelace');
  return app;
}

test('cookies have the strongest names that the browser knows', async ({ context, demo, page }) => {
  await logIn(page, demo.url);
  const cookies = await context.cookies(`${demo.api}/oauth-agent/x`);
  expect(cookies.map(({ name, path }) => [name, path]).sort()).toEqual([
    ['__Host-Http-agent-at', '/'],
    ['__Host-Http-agent-csrf', '/'],
    ['__Secure-agent-auth', '/oauth-agent'],
    ['__Secure-agent-id', '/oauth-agent'],
  ]);
  for (const cookie of cookies) {
    expect(cookie).toMatchObject({ domain: 'api.app.local', httpOnly: true, secure: true, sameSite: 'Strict' });
  }
  expect(await context.cookies(demo.url)).toEqual([]);
});

test('the API is read by cookie, on its own host', async ({ demo, page }) => {
  const app = await logIn(page, demo.url);
  await expect(page.locator('#orders')).toContainText('Tea');
  await expect(app.notice).toBeHidden();
});

test('an agent restarted with a new key before the old one logs nobody out', async ({ context, demo, page }) => {
  const app = await logIn(page, demo.url);
  await demo.tell('add key', /restarted with 2 keys/);
  await app.click('Refresh tokens');
  await expect(app.calls.filter({ hasText: '/oauth-agent/refresh' })).toContainText('204');
  await page.reload();
  await expect(app.greeting).toHaveText('Hello, Ada Lovelace');

  // What was sealed anew by the refresh does not need the old key any more, but
  // the CSRF value and ID token may: the old key has to stay as long as sessions.
  expect((await context.cookies(`${demo.api}/oauth-agent/x`)).length).toBe(4);
});

test('an agent whose old key is gone leaves nobody stuck', async ({ context, demo, page }) => {
  const app = await logIn(page, demo.url);
  await demo.tell('new key', /restarted with 1 keys/);
  await app.click('Refresh tokens');
  await app.isLoggedOut();
  await expect(app.notice).toBeVisible();
  expect(await context.cookies(`${demo.api}/oauth-agent/x`)).toEqual([]);
  await page.reload();
  await app.isLoggedOut();
  await app.click('Log in'); // the provider still knows who it is
  await expect(app.greeting).toHaveText('Hello, Ada Lovelace');
});

test('log in, reload, refresh, log out', async ({ context, demo, page }) => {
  const app = await logIn(page, demo.url);
  await page.reload();
  await expect(app.greeting).toHaveText('Hello, Ada Lovelace');
  await app.click('Refresh tokens');
  await expect(app.calls.filter({ hasText: '/oauth-agent/refresh' })).toContainText('204');
  await app.click('Log out');
  await app.isLoggedOut();
  expect(await context.cookies(`${demo.api}/oauth-agent/x`)).toEqual([]);
});

test('errors can be read by the page', async ({ demo, page }) => {
  const app = new App(page, demo.url);
  await app.open();
  const code = await page.evaluate(async (baseUrl) => {
    const { createAgent } = await import('/client/index.js');
    return createAgent({ baseUrl }).userInfo().catch((error) => error.code);
  }, `${demo.api}/oauth-agent`);
  expect(code).toBe('unauthorized_request');
});

test('a page of the same site that is not trusted gets nothing', async ({ context, demo, page }) => {
  const app = await logIn(page, demo.url);
  const cookies = await context.cookies(`${demo.api}/oauth-agent/x`);
  const before = (await demo.report()).counts;

  const stranger = await context.newPage();
  const statuses = [];
  stranger.on('response', (response) => {
    if (response.url().startsWith(demo.api)) statuses.push(response.status());
  });
  await stranger.goto(demo.stranger);
  for (const [method, path] of ENDPOINTS) {
    expect(await stranger.evaluate(attempts, { method, url: `${demo.api}/oauth-agent${path}` }), `${method} ${path}`).toEqual([]);
  }
  expect(statuses.length).toBeGreaterThanOrEqual(ENDPOINTS.length);
  // A preflight is answered with 204, and without a word of permission.
  expect(statuses.filter((status) => status < 400 && status !== 204)).toEqual([]);

  expect((await demo.report()).counts).toEqual(before);
  expect(await context.cookies(`${demo.api}/oauth-agent/x`)).toEqual(cookies);
  await page.reload();
  await expect(app.greeting).toHaveText('Hello, Ada Lovelace');
});

/** Has the neighbour's page set cookies for the whole site, as far as the browser lets it. */
async function plant(neighbour, cookies) {
  await neighbour.evaluate((lines) => lines.forEach((line) => { document.cookie = line; }),
    cookies.map(({ name, value, path }) => `${name}=${value}; domain=app.local; path=${path}; secure; max-age=600`));
}

/** A browser of the attacker's, with its own account or login. */
const another = (browser) => browser.newContext({ ignoreHTTPSErrors: true });

/** Names of the agent's cookies, without what is random in them. */
const names = async (context, demo) =>
  (await context.cookies(`${demo.api}/oauth-agent/x`)).map(({ name }) => name).filter((name) => name.includes('-agent-')).sort();

test('a neighbour plants no session', async ({ browser, context, demo, page }) => {
  test.slow(); // two logins, in two browsers
  const app = await logIn(page, demo.url);
  const attacker = await another(browser);
  await logIn(await attacker.newPage(), demo.url);
  const theirs = await attacker.cookies(`${demo.api}/oauth-agent/x`);
  await attacker.close();

  // A browser keeps a limited number of cookies of one site, so that a neighbour can
  // push these out. How many it takes differs: here they are just gone.
  await context.clearCookies();
  const neighbour = await context.newPage();
  await neighbour.goto(demo.stranger);
  await plant(neighbour, theirs);
  expect(await names(context, demo)).toEqual(['__Secure-agent-auth', '__Secure-agent-id']);
  await neighbour.close();

  await page.reload();
  await app.isLoggedOut();
  const before = (await demo.report()).counts;
  await page.reload();
  await app.isLoggedOut();
  expect((await demo.report()).counts).toEqual(before);
});

test('a neighbour plants no login', async ({ browser, context, demo, page }) => {
  test.slow(); // two logins, in two browsers
  const attacker = await another(browser);
  const theirPage = await attacker.newPage();
  const theirApp = new App(theirPage, demo.url);
  await theirApp.toLoginPage();
  await attacker.route('**/oauth-agent/login/end', (route) => route.abort()); // the code is for the victim
  const arrival = theirPage.waitForRequest(/[?&]code=/);
  await theirApp.signIn();
  const response = (await arrival).url();
  const theirs = await attacker.cookies(`${demo.api}/oauth-agent/x`);
  expect(theirs.map(({ name }) => name.slice(0, -12)).sort()).toEqual(['__Host-Http-agent-browser-', '__Secure-agent-login-']);
  await attacker.close();

  const neighbour = await context.newPage();
  await neighbour.goto(demo.stranger);
  await plant(neighbour, theirs);
  await neighbour.close();
  const planted = await names(context, demo);
  expect(planted.length).toBe(1);
  expect(planted[0]).toContain('__Secure-agent-login-');

  const app = new App(page, demo.url);
  const answer = page.waitForResponse('**/oauth-agent/login/end');
  await page.goto(response);
  expect((await answer).status()).toBe(400);
  await expect(page.getByRole('button', { name: 'Log in', exact: true })).toBeVisible();
  await expect(app.greeting).toBeHidden();

  // The victim's own login is none the worse for it.
  await logIn(page, demo.url);
  expect(await names(context, demo)).toEqual([
    '__Host-Http-agent-at', '__Host-Http-agent-csrf', '__Secure-agent-auth', '__Secure-agent-id',
  ].concat(planted).sort());
});
