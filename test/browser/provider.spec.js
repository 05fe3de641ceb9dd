import { expect, test } from './support/fixtures.js';

test.use({ demoArgs: ['-outage', '3s'] });

test('orders are read, added and removed by cookie', async ({ app }) => {
  await app.logIn();
  const items = app.page.locator('#orders li > span');
  await expect(items).toHaveCount(2);
  await app.page.getByLabel('Item').fill('Milk, & <b>sugar</b>');
  await app.page.keyboard.press('Enter');
  await expect(items.last()).toHaveText('Milk, & <b>sugar</b>');
  await app.page.reload();
  await expect(items).toHaveCount(3);
  await app.click('Remove Milk, & <b>sugar</b>');
  await expect(items).toHaveCount(2);
  await expect(app.page.getByLabel('Item')).toBeFocused();
  expect(await app.callList()).toEqual(expect.arrayContaining(['GET /api/orders 200']));
});

test('orders are each user\'s own', async ({ app }) => {
  await app.logIn('zoe');
  await app.page.getByLabel('Item').fill('Only mine');
  await app.page.keyboard.press('Enter');
  await expect(app.page.locator('#orders')).toContainText('Only mine');
  await app.click('Log out');
  await app.isLoggedOut();
  await expect(app.page.locator('#orders li')).toHaveCount(0);
  await app.logIn('ada');
  await expect(app.page.locator('#orders li').first()).toBeVisible();
  await expect(app.page.locator('#orders')).not.toContainText('Only mine');
});

test('an access token that the provider has killed is renewed', async ({ app, demo }) => {
  await app.logIn();
  const before = (await demo.report()).counts.refresh_token ?? 0;
  await app.click('Kill the access token');
  await expect(app.notice).toContainText('has ended the access token');
  await app.click('Load orders');
  await expect.poll(() => app.callList()).toEqual(expect.arrayContaining(['GET /api/orders 401', 'POST /oauth-agent/refresh 204']));
  await expect(app.page.locator('#orders li').first()).toBeVisible();
  const calls = await app.callList();
  expect(calls.slice(calls.indexOf('POST /oauth-agent/refresh 204'))).toContain('GET /api/orders 200');
  expect((await demo.report()).counts.refresh_token).toBe(before + 1);
  await expect(app.notice).toBeHidden();
});

test('a session ended at the provider ends in all tabs', async ({ app, context }) => {
  await app.logIn();
  const second = await app.anotherTab();
  await second.isLoggedIn();
  await app.click('End the session at the provider');
  await expect(app.notice).toContainText('has ended the session');
  await app.click('Refresh tokens');
  for (const tab of [app, second]) {
    await expect(tab.notice).toHaveText('Your session has ended. Please log in again.');
    await tab.isLoggedOut();
  }
  expect(await context.cookies(`${app.url}/oauth-agent/x`)).toEqual([]);
  await app.logIn();
});

test('a provider that is down, then up, costs nobody a session', async ({ app, demo }) => {
  await app.logIn();
  const before = (await demo.report()).counts.refresh_token ?? 0;
  await app.click('Make the provider fail');
  await expect(app.notice).toContainText('fails for a while');
  await app.click('Refresh tokens');
  await expect(app.notice).toHaveText('The identity provider does not answer. Please try again in a moment.');
  await app.click('Load orders'); // the API has no need of the provider's answer
  await expect(app.page.locator('#orders li').first()).toBeVisible();

  await expect(async () => {
    await app.click('Refresh tokens');
    await expect(app.calls.filter({ hasText: '/oauth-agent/refresh' }).first()).toContainText('204', { timeout: 500 });
  }).toPass({ timeout: 10_000 });
  await app.isLoggedIn();
  expect((await demo.report()).counts.refresh_token).toBeGreaterThan(before);
});

test('logging in while the provider is down says so, and works afterwards', async ({ app }) => {
  await app.logIn();
  await app.click('Make the provider fail');
  await expect(app.notice).toContainText('fails for a while');
  await app.page.context().clearCookies({ domain: 'localhost' });
  await app.page.reload();
  await app.isLoggedOut();
  await app.click('Log in');
  await expect(app.notice).toHaveText(/does not answer/);
  await app.isLoggedOut();
  await expect(async () => {
    await app.click('Log in');
    await expect(app.greeting).toBeVisible({ timeout: 2_000 });
  }).toPass({ timeout: 15_000 });
  await app.isLoggedIn();
});
