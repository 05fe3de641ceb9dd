import { expect, libraryTabs, test } from './support/fixtures.js';

test('a session that reaches its end is over, without a click', async ({ app }) => {
  await app.logIn();
  // A minute is the least that the settings allow; the page is told of a second.
  let asked = 0;
  await app.page.route('**/oauth-agent/session', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: asked++ ? { isLoggedIn: false } : { ...await response.json(), sessionExpiresIn: 1 } });
  });
  await app.page.reload();
  await expect(app.page.locator('#session-time')).toHaveText(/^0:0[01]$/);
  await expect(app.notice).toHaveText('Your session has ended. Please log in again.');
  await app.isLoggedOut();
  expect(asked).toBe(2);
});

test('session() tells what is known, logged in or not', async ({ app }) => {
  await app.open();
  const ask = (tab) => tab.evaluate(() => window.agent.session());
  expect(await ask((await libraryTabs(app, 1))[0])).toEqual({ isLoggedIn: false });
  await app.logIn();
  const { isLoggedIn, accessTokenExpiresIn, sessionExpiresIn, claims } = await ask((await libraryTabs(app, 1))[0]);
  expect(isLoggedIn).toBe(true);
  expect(accessTokenExpiresIn).toBeGreaterThan(0);
  expect(sessionExpiresIn).toBeGreaterThan(1700);
  expect(claims).toBeUndefined(); // personal data is told by setting alone
});

test('one that is told of a logout does not believe an older answer', async ({ app }) => {
  await app.logIn();
  const [page, other] = await libraryTabs(app, 2);
  let held;
  await page.route('**/oauth-agent/session', async (route) => {
    const response = await route.fetch();
    if (!held) await new Promise((resolve) => (held = resolve)); // answered, and late
    await route.fulfill({ response });
  });
  const asked = page.evaluate(() => window.agent.session().then((session) => session.isLoggedIn));
  await expect.poll(() => Boolean(held)).toBe(true);
  const out = page.evaluate(() => new Promise((resolve) => window.agent.on('logout', () => resolve(window.agent.isLoggedIn))));
  await other.evaluate(() => void window.agent.logout());
  expect(await out).toBe(false);
  held();
  expect(await asked).toBe(false);
});
