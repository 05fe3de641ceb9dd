import { expect, test } from './support/fixtures.js';

/** Makes an agent in the page, apart from the demo's own. */
async function makeAgent(page, options = {}) {
  await page.evaluate(async (more) => {
    const { createAgent } = await import('/client/index.js');
    window.agent = createAgent({ baseUrl: '/oauth-agent', ...more });
    await window.agent.onPageLoad();
  }, options);
}

/** Answers `/api/*` in place of an API behind the agent, and notes what it got. */
async function fakeAPI(page, answers) {
  const got = [];
  await page.route('**/api/**', async (route) => {
    const request = route.request();
    got.push({ method: request.method(), csrf: (await request.allHeaders())['x-agent-csrf'] ?? '', body: request.postData() });
    const [status, code] = answers.shift() ?? [200, ''];
    await route.fulfill({ status, json: code ? { code } : { fine: true } });
  });
  return got;
}

test.describe('fetch', () => {
  test.beforeEach(async ({ app }) => app.logIn());

  test('repeats once after a refresh, body and all', async ({ app, demo }) => {
    await makeAgent(app.page);
    const got = await fakeAPI(app.page, [[401, 'token_expired']]);
    const before = (await demo.report()).counts.refresh_token ?? 0;
    expect(await app.page.evaluate(async () => (await window.agent.fetch('/api/orders', { method: 'POST', body: 'one order' })).status)).toBe(200);
    expect(got.map(({ method, body }) => [method, body])).toEqual([['POST', 'one order'], ['POST', 'one order']]);
    expect(got[0].csrf).not.toBe('');
    expect(got[1].csrf).toBe(got[0].csrf);
    expect((await demo.report()).counts.refresh_token).toBe(before + 1);
  });

  test('gives up after the second refusal', async ({ app }) => {
    await makeAgent(app.page);
    const got = await fakeAPI(app.page, [[401, 'token_expired'], [401, 'token_expired'], [200, '']]);
    expect(await app.page.evaluate(async () => (await window.agent.fetch('/api/orders')).status)).toBe(401);
    expect(got.length).toBe(2);
    expect(got[0].csrf).toBe(''); // a GET needs none
  });

  test('shares one refresh among calls at the same time', async ({ app, demo }) => {
    await makeAgent(app.page);
    const got = await fakeAPI(app.page, Array(10).fill([401, 'token_expired']));
    const before = (await demo.report()).counts.refresh_token ?? 0;
    const statuses = await app.page.evaluate(async () => {
      const calls = Array.from({ length: 10 }, (_, i) => window.agent.fetch(`/api/orders/${i}`));
      return (await Promise.all(calls)).map(({ status }) => status);
    });
    expect(statuses).toEqual(Array(10).fill(200));
    expect(got.length).toBe(20);
    expect((await demo.report()).counts.refresh_token).toBe(before + 1);
  });

  for (const code of ['unauthorized_request', 'token_expired']) {
    test(`does not do for the next user what one has asked for: ${code}`, async ({ app, context }) => {
      await context.addInitScript(() => delete window.BroadcastChannel); // nobody is told
      await app.page.reload();
      await app.isLoggedIn();
      await makeAgent(app.page);
      const other = await app.anotherTab();
      await other.click('Log out');
      await other.isLoggedOut();
      await other.logIn('zoe');

      const got = await fakeAPI(app.page, [[401, code]]);
      const post = () => app.page.evaluate(async () => (await window.agent.fetch('/api/orders', { method: 'POST' })).status);
      expect(await post()).toBe(401);
      expect(got.length).toBe(1);
      expect(await post()).toBe(200); // the page knows by now
      expect(got[1].csrf).not.toBe(got[0].csrf);
    });
  }

  test('buffers a stream, so that it can be repeated', async ({ app }) => {
    await makeAgent(app.page);
    const got = await fakeAPI(app.page, [[401, 'token_expired']]);
    const status = await app.page.evaluate(async () => {
      const body = new Blob(['a stream ', 'of words']).stream();
      return (await window.agent.fetch('/api/orders', { method: 'PUT', body, duplex: 'half' })).status;
    });
    expect(status).toBe(200);
    expect(got.map(({ body }) => body)).toEqual(['a stream of words', 'a stream of words']);
  });

  test('sends a form as fetch does', async ({ app }) => {
    await makeAgent(app.page);
    const types = [];
    await app.page.route('**/api/**', async (route) => {
      types.push(route.request().headers()['content-type'] ?? '');
      await route.fulfill({ json: {} });
    });
    await app.page.evaluate(async () => {
      const form = new FormData();
      form.set('file', new Blob(['x']), 'x.txt');
      for (const body of [form, new URLSearchParams('a=b'), 'text', new Uint8Array([1]), undefined]) {
        await window.agent.fetch('/api/orders', { method: 'POST', body });
      }
    });
    expect(types).toEqual([
      expect.stringMatching(/^multipart\/form-data; boundary=./), 'application/x-www-form-urlencoded;charset=UTF-8',
      'text/plain;charset=UTF-8', '', '',
    ]);
  });

  test('understands an API that says it with the words of RFC 6750', async ({ app, demo }) => {
    await makeAgent(app.page);
    let calls = 0;
    await app.page.route('**/api/**', (route) => route.fulfill(calls++ ? { json: {} }
      : { status: 401, headers: { 'WWW-Authenticate': 'Bearer realm="x", error="invalid_token"' } }));
    const before = (await demo.report()).counts.refresh_token ?? 0;
    expect(await app.page.evaluate(async () => (await window.agent.fetch('/api/orders')).status)).toBe(200);
    expect((await demo.report()).counts.refresh_token).toBe(before + 1);
  });

  test('can be handed on as a function', async ({ app }) => {
    await makeAgent(app.page);
    await fakeAPI(app.page, [[401, 'token_expired']]);
    expect(await app.page.evaluate(async () => {
      const { fetch } = window.agent;
      return (await fetch('/api/orders')).status;
    })).toBe(200);
  });

  test('says nothing to others', async ({ app }) => {
    await makeAgent(app.page, { apiPaths: ['/api'] });
    const seen = [];
    await app.page.route('**/{apis,api,else}/**', async (route) => {
      const headers = await route.request().allHeaders();
      seen.push([new URL(route.request().url()).pathname, 'x-agent-csrf' in headers]);
      await route.fulfill({ json: {} });
    });
    await app.page.evaluate(async () => {
      for (const path of ['/api/orders', '/apis/orders', '/api/../else/orders', '/else/orders']) {
        await window.agent.fetch(path, { method: 'POST' });
      }
    });
    expect(seen).toEqual([['/api/orders', true], ['/apis/orders', false], ['/else/orders', false], ['/else/orders', false]]);
  });
});

test('user info that takes no access token is asked once, after one refresh', async ({ app, demo }) => {
  await app.logIn();
  await makeAgent(app.page);
  const answers = [[401, 'token_expired'], [403, 'userinfo_refused']];
  let calls = 0;
  await app.page.route('**/oauth-agent/userInfo', async (route) => {
    const [status, code] = answers[Math.min(calls++, 1)];
    await route.fulfill({ status, json: { code, message: '' } });
  });
  const before = (await demo.report()).counts.refresh_token ?? 0;
  const codes = await app.page.evaluate(async () => {
    const heard = [];
    window.agent.on('refresh', () => window.agent.userInfo().catch(() => {})); // as pages do
    for (let i = 0; i < 3; i++) heard.push(await window.agent.userInfo().catch(({ code }) => code));
    return [...heard, (await window.agent.claims()).sub !== undefined];
  });
  expect(codes).toEqual(['userinfo_refused', 'userinfo_refused', 'userinfo_refused', true]);
  expect(calls).toBe(3); // the first, its repetition, and the listener's at the same time
  expect((await demo.report()).counts.refresh_token).toBe(before + 1);
  expect(await app.page.evaluate(async () => (await window.agent.session()).isLoggedIn)).toBe(true);
});

test('errors have codes', async ({ app }) => {
  await app.open();
  await makeAgent(app.page);
  const codes = await app.page.evaluate(async () => {
    const codeOf = (promise) => promise.then(() => '', (error) => `${error.name} ${error.status} ${error.code}`);
    return [
      await codeOf(window.agent.userInfo()),
      await codeOf(window.agent.refresh()),
      await codeOf(window.agent.logout()),
      await codeOf(window.agent.login({ extraParams: { state: 'mine' } })),
    ];
  });
  expect(codes).toEqual([
    'AgentError 401 unauthorized_request',
    'AgentError 401 unauthorized_request',
    '', // nobody is logged in, as wanted
    'AgentError 400 invalid_request',
  ]);
});

test('a login that is one too many says when to try again', async ({ app }) => {
  await app.open();
  await makeAgent(app.page);
  await app.page.route('**/login/start', (route) => route.fulfill({
    status: 429, headers: { 'Retry-After': '12' }, json: { code: 'too_many_requests', message: '' },
  }));
  const told = await app.page.evaluate(() => window.agent.login().catch(({ code, status, retryAfter }) => ({ code, status, retryAfter })));
  expect(told).toEqual({ code: 'too_many_requests', status: 429, retryAfter: 12 });
});

test('an agent that is away is not a logout', async ({ app, context }) => {
  await app.logIn();
  await context.setOffline(true);
  await app.click('Call user info');
  await expect(app.notice).toHaveText('The server cannot be reached. Are you online?');
  await expect(app.greeting).toBeVisible();
  await context.setOffline(false);
  await app.click('Call user info');
  await expect(app.notice).toBeHidden();
  await app.isLoggedIn();
});

test('extra parameters reach the authorization request', async ({ app }) => {
  await app.open();
  await makeAgent(app.page);
  const asked = app.page.waitForRequest((request) => request.url().includes('response_type=code'));
  await app.page.evaluate(() => void window.agent.login({ extraParams: { ui_locales: 'fr & de', login_hint: 'zoë' } }));
  const { searchParams } = new URL((await asked).url());
  expect(searchParams.get('ui_locales')).toBe('fr & de');
  expect(searchParams.get('login_hint')).toBe('zoë');
  await expect(app.page.getByLabel('User name')).toHaveValue('zoë');
});

for (const [what, answered, path] of [
  ['its own next step, where the page reaches it', 'http://inside:8080/elsewhere/logout/continue', 'oauth-agent/logout/continue'],
  ["the authorization server's own URL, as it is", 'end/logout/continue?client_id=spa', 'end/logout/continue?client_id=spa'],
]) {
  test(`a logout follows ${what}`, async ({ app }) => {
    await app.logIn();
    await makeAgent(app.page);
    await app.page.route('**/oauth-agent/logout', async (route) => {
      await route.fulfill({ response: await route.fetch(), json: { url: new URL(answered, app.url).href } });
    });
    const asked = app.page.waitForResponse('**/logout/continue*');
    await app.page.evaluate(() => void window.agent.logout());
    expect((await asked).url()).toBe(new URL(path, app.url).href);
    // On to the provider and back, or else to a page that is not there.
    await (answered.includes('inside') ? app.isLoggedOut() : app.page.waitForLoadState('networkidle'));
  });
}

test('the agent serves the library as one module', async ({ app }) => {
  await app.logIn();
  const calls = [];
  app.page.on('request', (request) => calls.push(new URL(request.url()).pathname));
  expect(await app.page.evaluate(async () => {
    const { createAgent } = await import('/oauth-agent/client.js');
    return (await createAgent({ baseUrl: '/oauth-agent' }).session()).isLoggedIn;
  })).toBe(true);
  expect(calls).toEqual(['/oauth-agent/client.js', '/oauth-agent/session']);
});
