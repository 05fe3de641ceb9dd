import { becomeHidden, expect, holdRefreshes, libraryTabs, test } from './support/fixtures.js';

// Long enough for what a test does before the token expires, on a busy machine too.
test.use({ demoArgs: ['-access-token-lifetime', '10s'] });
test.setTimeout(60_000);

const refreshes = async (demo) => (await demo.report()).counts.refresh_token ?? 0;

test('a page that is looked at renews its token ahead of time', async ({ app, demo }) => {
  await app.logIn();
  const before = await refreshes(demo);
  await expect.poll(() => app.callList(), { timeout: 20_000 }).toContain('POST /oauth-agent/refresh 204');
  expect((await app.callList()).filter((call) => call.includes('token_expired'))).toEqual([]);
  expect(await refreshes(demo)).toBe(before + 1);
  await app.isLoggedIn();
  await expect(app.notice).toBeHidden();
});

test('a hidden page renews nothing, until it is looked at or has a call to make', async ({ app, demo }) => {
  await app.logIn();
  const show = await becomeHidden(app.page);
  const before = await refreshes(demo);
  await expect.poll(() => app.page.evaluate(async () => (await fetch('/oauth-agent/userInfo')).status), { timeout: 20_000 }).toBe(401);
  expect(await refreshes(demo)).toBe(before);
  await show();
  await expect.poll(() => refreshes(demo)).toBe(before + 1);
  await app.isLoggedIn();
});

test('five tabs and one expiry make one refresh', async ({ app, context, demo }) => {
  await app.logIn();
  // Tabs with the library alone, which does nothing before it is asked.
  const tabs = await libraryTabs(app, 5, { refreshAhead: false });
  const before = await refreshes(demo);
  await expect.poll(() => app.page.evaluate(async () => (await fetch('/oauth-agent/userInfo')).status), { timeout: 20_000 }).toBe(401);
  const held = await holdRefreshes(context);
  let refused = 0;
  context.on('response', (response) => {
    if (response.url().endsWith('/userInfo') && response.status() === 401 && ++refused === tabs.length) held.release();
  });
  const subjects = await Promise.all(tabs.map((tab) => tab.evaluate(async () => (await window.agent.userInfo()).sub)));
  expect(subjects).toEqual(Array(5).fill('248289761001'));
  expect(await refreshes(demo)).toBe(before + 1);
  expect(held.calls()).toBe(1);
});

test('five tabs that are all looked at renew ahead of time once', async ({ app, context, demo }) => {
  await app.logIn();
  const tabs = await libraryTabs(app, 5);
  const heard = tabs.map((tab) => tab.evaluate(() => new Promise((resolve) => window.agent.on('refresh', resolve))));
  await Promise.all(tabs.map((tab) => tab.evaluate(() => 0))); // they listen by now
  const before = await refreshes(demo);
  let calls = 0;
  context.on('request', (request) => request.url().endsWith('/refresh') && calls++);
  const told = await Promise.all(heard);
  expect(told.filter(({ elsewhere }) => !elsewhere).length).toBe(1);
  expect(await refreshes(demo)).toBe(before + 1);
  expect(calls).toBe(1);
});
