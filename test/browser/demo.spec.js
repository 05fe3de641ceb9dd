import { expect, test } from './support/fixtures.js';

test('log in, reload, refresh, log out', async ({ app, demo, witness }) => {
  await app.logIn();
  await expect(app.greeting).toHaveText('Hello, Ada Lovelace');

  await app.page.reload();
  await app.isLoggedIn();

  const before = (await demo.report()).counts.refresh_token ?? 0;
  await app.click('Refresh tokens');
  await expect(app.calls.filter({ hasText: '/oauth-agent/refresh' })).toContainText('204');
  expect((await demo.report()).counts.refresh_token).toBe(before + 1);
  await app.isLoggedIn();

  await app.click('Log out');
  await app.isLoggedOut();
  expect(await app.page.context().cookies(demo.url)).toEqual([]);

  // The witness can see: this is what it would have said.
  expect(witness.leaks(['Ada Lovelace'])).not.toEqual([]);
});

test('the witness would find a token', async ({ app, demo, witness }) => {
  await app.logIn();
  const { issued } = await demo.report();
  expect(issued.length).toBeGreaterThanOrEqual(4); // a code and three tokens
  const token = issued.at(-1);
  await app.page.evaluate((value) => (document.title = value), token);
  await expect(witness.verify({ issued })).rejects.toThrow(/document of http/);
  await app.page.evaluate(() => (document.title = 'OAuth Agent demo'));
  await app.page.evaluate((value) => localStorage.setItem('token', value), token);
  await expect(witness.verify({ issued })).rejects.toThrow();
  await app.page.evaluate(() => localStorage.clear());
  witness.forget();
});

test('a name beyond ASCII arrives unharmed', async ({ app }) => {
  await app.logIn('zoe');
  await expect(app.greeting).toHaveText('Hello, Zoë Łukasiewicz');
  await expect(app.page.locator('#claims')).toContainText('Zoë Łukasiewicz');
});

test('the cookies are the ones promised', async ({ app, demo }) => {
  await app.logIn();
  const cookies = await app.page.context().cookies(`${demo.url}/oauth-agent/x`);
  expect(Object.fromEntries(cookies.map(({ name, path }) => [name, path]))).toEqual({
    'agent-at': '/', 'agent-csrf': '/', 'agent-auth': '/oauth-agent', 'agent-id': '/oauth-agent',
  });
  for (const cookie of cookies) {
    expect(cookie).toMatchObject({ domain: 'localhost', httpOnly: true, sameSite: 'Strict' });
  }
});

test('a login that the user cancels', async ({ app }) => {
  await app.toLoginPage();
  await app.click('Cancel');
  await app.isLoggedOut();
  await expect(app.notice).toHaveText('You cancelled the login.');

  await app.page.reload();
  await app.isLoggedOut();
  await expect(app.notice).toBeHidden();
  await app.logIn();
});

test('after logout the provider asks for the password again', async ({ app }) => {
  await app.logIn();
  await app.click('Log out');
  await app.isLoggedOut();

  await app.page.goBack();
  await app.page.locator('main:not([aria-busy])').waitFor();
  await app.isLoggedOut();

  await app.click('Log in');
  await expect(app.page.getByLabel('Password')).toBeVisible();
  await app.signIn('zoe');
  await app.isLoggedIn();
  await expect(app.greeting).toHaveText('Hello, Zoë Łukasiewicz');
});

test('the user menu: another user, and out', async ({ app }) => {
  await app.logIn();
  const logout = app.page.getByRole('button', { name: 'Log out', exact: true });
  await expect(logout).toBeHidden();
  await app.menu.focus();
  await app.page.keyboard.press('Enter');
  await expect(logout).toBeVisible();
  await app.page.keyboard.press('Escape');
  await expect(logout).toBeHidden();
  await expect(app.menu).toBeFocused();

  await app.click('Switch user');
  await app.page.getByLabel('Password').waitFor(); // though ada's session at the provider is there
  await app.signIn('zoe');
  await app.isLoggedIn();
  await expect(app.greeting).toHaveText('Hello, Zoë Łukasiewicz');
  await expect(app.menu).toHaveText('Account of zoe');

  await app.click('Log out');
  await app.isLoggedOut();
  await expect(app.menu).toBeHidden();
});

test('a callback URL is good once', async ({ app, browser, demo }) => {
  const callback = app.page.waitForRequest((request) => request.url().startsWith(`${demo.url}/?`) && request.url().includes('code='));
  await app.logIn();
  const url = (await callback).url();

  for (let i = 0; i < 2; i++) {
    await app.page.goto(url);
    await app.isLoggedIn(); // as before, and out of the address bar
    await expect(app.notice).toBeHidden(); // an old bookmark is nothing to who is logged in
  }

  const other = await browser.newPage();
  await other.goto(url);
  await expect(other.getByRole('button', { name: 'Log in', exact: true })).toBeVisible();
  await expect(other.locator('#notice')).toHaveText('That login link has been used or has expired, or your browser blocks cookies. You can log in again.');
  expect(await other.context().cookies()).toEqual([]);
  await other.context().close();
});

test('the page works by keyboard and on a phone', async ({ app }) => {
  await app.page.setViewportSize({ width: 375, height: 812 });
  await app.open();
  await app.page.keyboard.press('Tab');
  await expect(app.page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await app.page.keyboard.press('Tab');
  await expect(app.page.getByRole('button', { name: 'Log in', exact: true })).toBeFocused();
  await app.page.keyboard.press('Enter');
  await app.page.getByLabel('User name').waitFor();
  await app.signIn();
  await app.isLoggedIn();
  expect(await app.page.evaluate(() => document.documentElement.scrollWidth)).toBe(375);
});

test('a long error code is not broken in mid-word', async ({ app }) => {
  await app.logIn();
  await app.page.route('**/userInfo', (route) => route.fulfill({ status: 502, json: { code: 'authorization_server_error', message: '' } }));
  await app.click('Call user info');
  const code = app.calls.locator('.code', { hasText: 'authorization_server_error' });
  for (const width of [1120, 700, 375, 320]) {
    await app.page.setViewportSize({ width, height: 800 });
    const broken = await code.evaluate((element) => [...element.childNodes].filter((node) => {
      const range = document.createRange();
      range.selectNodeContents(node);
      return node.nodeType === Node.TEXT_NODE && range.getClientRects().length > 1;
    }).map((node) => node.textContent));
    expect(broken, `${width} pixels`).toEqual([]);
    if (process.env.SHOTS) await app.page.locator('.activity').screenshot({ path: `${process.env.SHOTS}/${width}.png` });
    expect(await app.page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }
});
