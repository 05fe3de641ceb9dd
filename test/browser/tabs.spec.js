import { expect, holdRefreshes, test } from './support/fixtures.js';

test('two tabs log in at once, and both complete', async ({ app }) => {
  const second = await app.anotherTab();
  await Promise.all([app.toLoginPage(), second.toLoginPage()]);
  await app.signIn();
  await app.isLoggedIn();
  await second.signIn();
  await second.isLoggedIn();

  // The second login is the session now; the first tab goes on with it.
  await app.click('Refresh tokens');
  await expect(app.calls.filter({ hasText: '/oauth-agent/refresh' }).first()).toContainText('204');
  await app.isLoggedIn();
  await second.isLoggedIn();
});

test('two tabs refresh at once, and the agent sees one', async ({ app, context, demo }) => {
  await app.logIn();
  const second = await app.anotherTab();
  await second.isLoggedIn();
  const before = (await demo.report()).counts.refresh_token ?? 0;

  const held = await holdRefreshes(context);
  await app.click('Refresh tokens');
  await second.click('Refresh tokens');
  held.release();
  const refreshed = (tab) => tab.page.locator('#activity li', { hasText: /oauth-agent\/refresh|refreshed by another tab/ });
  await expect(refreshed(app).first()).toBeVisible();
  await expect(refreshed(second).first()).toBeVisible();
  await Promise.all([app.isLoggedIn(), second.isLoggedIn()]);
  expect((await demo.report()).counts.refresh_token).toBe(before + 1);
  expect(held.calls()).toBe(1);
});

test('without locks and messages two tabs still both refresh', async ({ app, context }) => {
  await context.addInitScript(() => {
    Object.defineProperty(Navigator.prototype, 'locks', { value: undefined });
    delete window.BroadcastChannel;
  });
  await app.logIn();
  const second = await app.anotherTab();
  await second.isLoggedIn();
  const held = await holdRefreshes(context);
  await app.click('Refresh tokens');
  await second.click('Refresh tokens');
  await expect.poll(held.calls).toBe(2);
  held.release();
  for (const tab of [app, second]) {
    await expect(tab.calls.filter({ hasText: '/oauth-agent/refresh' })).toContainText('204');
    await tab.page.reload();
    await tab.isLoggedIn();
  }

  // Another user, with a CSRF value of her own, which nobody tells the first tab.
  await second.click('Log out');
  await second.isLoggedOut();
  await second.logIn('zoe');
  await app.click('Refresh tokens');
  await expect(app.greeting).toHaveText('Hello, Zoë Łukasiewicz');
  expect(await app.callList()).toEqual(expect.arrayContaining([
    'POST /oauth-agent/refresh 401 unauthorized_request',
    'POST /oauth-agent/refresh 204',
  ]));
  await app.isLoggedIn();
});

test('a login in one tab is seen in the other', async ({ app }) => {
  await app.open();
  const second = await app.anotherTab();
  await second.logIn();
  await app.isLoggedIn();
});

test('a logout in one of five tabs is seen in all within a second', async ({ app, context }) => {
  await app.logIn();
  const others = [];
  for (let i = 0; i < 4; i++) {
    others.push(await app.anotherTab());
    await others.at(-1).isLoggedIn();
  }
  // When each tab says so, by the clock that they share with this test.
  const outAt = others.map((tab) => tab.notice.evaluate((notice) => new Promise((resolve) => {
    new MutationObserver(() => notice.textContent && resolve(Date.now())).observe(notice, { childList: true, characterData: true, subtree: true });
  })));
  await Promise.all(others.map((tab) => tab.page.evaluate(() => 0))); // they watch by now
  const answered = context.waitForEvent('response', (response) => response.url().endsWith('/logout')).then(() => Date.now());
  await app.click('Log out');
  expect(Math.max(...await Promise.all(outAt)) - await answered).toBeLessThan(1000);
  for (const tab of others) await expect(tab.notice).toHaveText('You logged out in another tab.');
  for (const tab of [app, ...others]) await tab.isLoggedOut();
});
