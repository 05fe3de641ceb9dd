import { expect, test } from './support/fixtures.js';

const DEEP = '/?page=2&q=caf%C3%A9#orders-title';

test('the user is back where the login began, query and fragment too', async ({ app, demo }) => {
  await app.toLoginPage(DEEP);
  await app.signIn();
  await expect(app.greeting).toBeVisible();
  expect(app.page.url()).toBe(demo.url + DEEP);
  await app.page.reload();
  await expect(app.greeting).toBeVisible();
  expect(app.page.url()).toBe(demo.url + DEEP);
});

const FAILED = [
  ['cancelled', 'Log in', (app) => app.click('Cancel'), 'You cancelled the login.', 'access_denied', false],
  ['silent and refused', 'Log in silently', () => {}, 'Not logged in at the provider either. Please log in.', undefined, true],
];
for (const [what, button, atProvider, notice, code, loginRequired] of FAILED) {
  test(`a login that is ${what} comes back to where it began`, async ({ app, demo }) => {
    await app.open(DEEP);
    await app.click(button);
    await atProvider(app);
    await expect(app.notice).toHaveText(notice);
    expect(app.page.url()).toBe(demo.url + DEEP);
  });

  test(`returnTo and error of a login that is ${what} reach the page`, async ({ app, demo }) => {
    await app.open(DEEP);
    const answers = [];
    app.page.on('response', async (response) => {
      if (response.url().endsWith('/login/end') && response.status() >= 400) answers.push(await response.json());
    });
    await app.click(button);
    await atProvider(app);
    await expect(app.notice).toHaveText(notice);
    expect(answers.map(({ returnTo }) => returnTo)).toEqual([DEEP]);
    // The same answer once more, to see what the library makes of it.
    await app.page.goto(`${demo.url}/client/index.js?state=s&error=${answers[0].code}`);
    let lost = 0;
    await app.page.route('**/login/end', (route) => {
      if (route.request().postData()?.includes('state=')) return route.fulfill({ status: 400, json: answers[0] });
      return lost++ ? route.continue() : route.abort();
    });
    const load = await app.page.evaluate(async () => {
      const { createAgent } = await import('/client/index.js');
      const agent = createAgent({ baseUrl: '/oauth-agent' });
      const first = await agent.onPageLoad().catch((error) => error.code);
      const { error, returnTo, handled, loginRequired: required } = await agent.onPageLoad();
      return [first, location.pathname + location.search + location.hash, error?.code, returnTo, handled, required];
    });
    // The second try has nothing in the URL, and yet knows of the failure.
    expect(load).toEqual(['network_error', DEEP, code, DEEP, false, loginRequired]);
  });
}

test('a path to return to is a path of this application', async ({ app, demo }) => {
  await app.open();
  const login = (returnTo) => app.page.evaluate(async (to) => {
    const { createAgent } = await import('/client/index.js');
    return createAgent({ baseUrl: '/oauth-agent' }).login({ returnTo: to }).catch((error) => error.code);
  }, returnTo);
  for (const bad of ['https://evil.example/', '//evil.example', '/\\evil.example', 'javascript:alert(1)']) {
    expect(await login(bad), bad).toBe('invalid_request');
  }
  expect(app.page.url()).toBe(`${demo.url}/`);
});

test('an answer that names another origin is not followed', async ({ app, demo }) => {
  await app.page.route('**/login/end', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, json: { ...await response.json(), returnTo: '//evil.example/x' } });
  });
  await app.logIn();
  expect(app.page.url()).toBe(`${demo.url}/`);
});

test('a silent login without a session at the provider is no error', async ({ app, demo }) => {
  await app.open();
  await app.click('Log in silently');
  await expect(app.notice).toHaveText('Not logged in at the provider either. Please log in.');
  await app.isLoggedOut();
  expect(app.page.url()).toBe(`${demo.url}/`);
  await app.page.reload();
  await app.isLoggedOut();
  await expect(app.notice).toBeHidden();
});

test('a silent login with a session at the provider asks nothing', async ({ app, context, demo }) => {
  await app.logIn();
  await context.clearCookies({ domain: 'localhost' }); // the provider is on 127.0.0.1
  await app.page.goto(`${demo.url}/?deep=1`);
  await app.click('Log in silently');
  await expect(app.greeting).toHaveText('Hello, Ada Lovelace');
  expect(app.page.url()).toBe(`${demo.url}/?deep=1`);
});

test('back and forward after a login', async ({ app, demo }) => {
  await app.logIn();
  await app.page.goBack(); // to the provider, or past it
  if (!app.page.url().startsWith(demo.url)) await app.page.goBack();
  await app.isLoggedIn(); // the page of before the login has learnt of it
  await app.page.goForward();
  if (!app.page.url().startsWith(demo.url)) await app.page.goForward();
  await app.isLoggedIn();
  // The provider may have answered the old request once more, with a state that is
  // spent: nothing to bother the user with.
  await expect(app.notice).toBeHidden();
  expect(app.page.url()).toBe(`${demo.url}/`);
});

test('back while the page is leaving, and log in after all', async ({ app }) => {
  await app.toLoginPage();
  await app.page.goBack();
  await app.page.locator('main:not([aria-busy])').waitFor();
  await app.isLoggedOut();
  await app.click('Log in'); // the button is not left waiting
  await app.page.getByLabel('User name').waitFor();
  await app.signIn();
  await app.isLoggedIn();
});

test('a reload before the agent has got the response', async ({ app }) => {
  await app.toLoginPage();
  await app.page.reload(); // at the provider
  let lost = 0;
  await app.page.route('**/login/end', (route) => {
    if (route.request().postData()?.includes('code=') && !lost++) return; // on its way for ever
    return route.continue();
  });
  await app.signIn();
  await expect.poll(() => lost).toBe(1);
  await app.page.reload();
  await app.isLoggedIn();
  await app.page.unrouteAll({ behavior: 'ignoreErrors' });
});

test('a reload before the page has got the answer', async ({ app }) => {
  let lost = 0;
  await app.toLoginPage();
  await app.page.route('**/login/end', async (route) => {
    if (!route.request().postData()?.includes('code=')) return route.continue();
    await route.fetch(); // the agent has done its part
    lost++;
  });
  await app.signIn();
  await expect.poll(() => lost).toBe(1);
  await app.page.unrouteAll({ behavior: 'ignoreErrors' });
  await app.page.reload();
  // The code is spent. Whatever the page says of it, one click leads in.
  const button = app.page.getByRole('button', { name: 'Log in', exact: true });
  await expect(app.greeting.or(button)).toBeVisible();
  if (await button.isVisible()) {
    await app.isLoggedOut();
    await app.click('Log in');
  }
  await app.isLoggedIn();
});

for (const [who, answer] of [
  ['away', { contentType: 'text/html', body: 'gateway' }],
  ['busy', { json: { code: 'temporarily_unavailable', message: 'too many requests at a time' } }],
]) {
  test(`an agent that is ${who} keeps the response for the next try`, async ({ app, demo }) => {
    await app.toLoginPage();
    await app.page.route('**/login/end', (route) => route.fulfill({ status: 503, ...answer }));
    await app.signIn();
    await app.page.waitForURL((url) => url.searchParams.has('code'));
    await expect(app.notice).toBeVisible();
    await app.page.unrouteAll();
    await app.page.reload();
    await app.isLoggedIn();
    expect(app.page.url()).toBe(`${demo.url}/`);
  });
}
