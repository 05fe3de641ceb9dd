import { expect, holdRefreshes, test } from './support/fixtures.js';

test.use({ demoArgs: ['-access-token-lifetime', '3s'] });

test('an access token that expires is renewed by itself', async ({ app }) => {
  await app.logIn();
  await expect.poll(() => app.callList(), { timeout: 10_000 }).toEqual(expect.arrayContaining([
    'GET /oauth-agent/userInfo 401 token_expired',
    'POST /oauth-agent/refresh 204',
  ]));
  const calls = await app.callList();
  expect(calls.slice(calls.indexOf('POST /oauth-agent/refresh 204'))).toContain('GET /oauth-agent/userInfo 200');
  await app.isLoggedIn();
  await expect(app.notice).toBeHidden();
});

test('five tabs and one expiry make one refresh', async ({ app, context, demo }) => {
  await app.logIn();
  // Tabs with the library alone, which does nothing before it is asked.
  await app.page.goto(`${demo.url}/client/index.js`);
  const tabs = [app.page];
  while (tabs.length < 5) {
    tabs.push(await context.newPage());
    await tabs.at(-1).goto(`${demo.url}/client/index.js`);
  }
  await Promise.all(tabs.map((tab) => tab.evaluate(async () => {
    const { createAgent } = await import('/client/index.js');
    window.agent = createAgent({ baseUrl: '/oauth-agent' });
    await window.agent.onPageLoad();
  })));

  const before = (await demo.report()).counts.refresh_token ?? 0;
  await expect.poll(() => app.page.evaluate(async () => (await fetch('/oauth-agent/userInfo')).status)).toBe(401);
  const held = await holdRefreshes(context);
  let refused = 0;
  context.on('response', (response) => {
    if (response.url().endsWith('/userInfo') && response.status() === 401 && ++refused === tabs.length) held.release();
  });
  const subjects = await Promise.all(tabs.map((tab) => tab.evaluate(async () => (await window.agent.userInfo()).sub)));
  expect(subjects).toEqual(Array(5).fill('248289761001'));
  expect((await demo.report()).counts.refresh_token ?? 0).toBe(before + 1);
  expect(held.calls()).toBe(1);
});
