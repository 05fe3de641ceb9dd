import { readFile } from 'node:fs/promises';

import { expect, test } from './support/fixtures.js';

/** Has a tab note each state of the session's store. */
async function watchStore(page, { first = false } = {}) {
  await page.evaluate(async (loadFirst) => {
    const [{ createAgent }, { sessionStore, whenLoaded }] = await Promise.all([import('/client/index.js'), import('/client/store.js')]);
    window.agent = createAgent({ baseUrl: '/oauth-agent' });
    window.states = [];
    if (loadFirst) await window.agent.onPageLoad();
    const store = sessionStore(window.agent);
    store.subscribe(() => window.states.push([store.get().status, store.get().error?.code ?? '']));
    window.loaded = whenLoaded(window.agent);
  }, first);
  return {
    states: () => page.evaluate(() => window.states),
    loaded: () => page.evaluate(() => window.loaded),
  };
}

for (const first of [false, true]) {
  test(`the store of a session tells a page load once${first ? ', also one that was made before' : ''}`, async ({ app }) => {
    await app.logIn();
    const other = await app.anotherTab();
    await app.page.goto(`${app.url}/client/index.js`);
    const store = await watchStore(app.page, { first });
    expect(await store.loaded()).toEqual({ status: 'in', error: null });
    expect(await store.states()).toEqual([['in', '']]);
    await other.click('Log out');
    await expect.poll(store.states).toEqual([['in', ''], ['out', '']]);
    await other.isLoggedOut();
  });
}

test('a store that is made after a logout does not believe the page load', async ({ app }) => {
  await app.logIn();
  const other = await app.anotherTab();
  await app.page.goto(`${app.url}/client/index.js`);
  await app.page.evaluate(async () => {
    const { createAgent } = await import('/client/index.js');
    window.agent = createAgent({ baseUrl: '/oauth-agent' });
    await window.agent.onPageLoad();
    window.out = new Promise((resolve) => window.agent.on('logout', () => resolve(true)));
  });
  await other.click('Log out');
  expect(await app.page.evaluate(() => window.out)).toBe(true);
  await other.isLoggedOut();
  expect(await app.page.evaluate(async () => {
    const { whenLoaded } = await import('/client/store.js');
    return (await whenLoaded(window.agent)).status;
  })).toBe('out');
});

test('a store asks again after an outage at page load, and not after a refusal', async ({ app }) => {
  await app.logIn();
  await app.page.goto(`${app.url}/client/index.js`);
  let calls = 0;
  await app.page.route('**/login/end', (route) => {
    if (calls++ === 0) return route.abort();
    return calls === 2 ? route.fulfill({ status: 503, contentType: 'text/html', body: 'gateway' }) : route.continue();
  });
  const store = await watchStore(app.page);
  expect(await store.loaded()).toEqual({ status: 'in', error: null });
  expect(await store.states()).toEqual([['unknown', 'network_error'], ['unknown', 'unexpected_answer'], ['in', '']]);

  await app.page.unrouteAll();
  await app.page.reload();
  calls = 0;
  await app.page.route('**/login/end', (route) => {
    calls++;
    return route.fulfill({ status: 401, json: { code: 'unauthorized_request', message: 'untrusted' } });
  });
  const refused = await watchStore(app.page);
  expect((await refused.loaded()).status).toBe('unknown');
  expect(calls).toBe(1);
});

test('axios calls as agent.fetch does', async ({ app, demo }) => {
  await app.logIn();
  await app.page.route('**/axios.min.js', async (route) => route.fulfill({
    contentType: 'text/javascript', body: await readFile('node_modules/axios/dist/esm/axios.min.js', 'utf8'),
  }));
  const got = [];
  const answers = [];
  await app.page.route('**/api/**', async (route) => {
    got.push([route.request().method(), Boolean((await route.request().allHeaders())['x-agent-csrf']), route.request().postData()]);
    const [status, code, headers] = answers.shift() ?? [200];
    await route.fulfill({ status, headers, json: { code } });
  });
  const call = (method, data) => app.page.evaluate(async (options) => {
    const [{ default: axios }, { createAgent }, { withAgent }] = await Promise.all(
      [import('/axios.min.js'), import('/client/index.js'), import('/client/axios.js')]);
    window.agent ??= createAgent({ baseUrl: '/oauth-agent' });
    await window.agent.onPageLoad();
    const api = withAgent(axios.create({ baseURL: '/api' }), window.agent);
    return api.request({ url: '/orders', ...options }).then(({ status }) => status, ({ response, code }) => response?.status ?? code);
  }, { method, data });

  const before = (await demo.report()).counts.refresh_token ?? 0;
  answers.push([401, 'token_expired']);
  expect(await call('post', { item: 'tea' })).toBe(200);
  expect(got.splice(0)).toEqual(Array(2).fill(['POST', true, '{"item":"tea"}']));
  expect((await demo.report()).counts.refresh_token).toBe(before + 1);
  expect(await call('get')).toBe(200);
  expect(got.splice(0)).toEqual([['GET', false, null]]);
  answers.push([307, '', { Location: 'http://127.0.0.1:1/taken' }]);
  expect(await call('post', { item: 'tea' })).toBe('ERR_NETWORK');
});
