import { join } from 'node:path';

import { App, expect, test as base } from './support/fixtures.js';

for (const name of ['react', 'vue']) {
  // What Vite has built, in place of the demo's page and under its strict policy.
  const test = base.extend({ demoArgs: [['-test-page', join(process.env.EXAMPLES ?? '', name)], { scope: 'worker' }] });

  test(`an application built with ${name}`, async ({ context, demo, page }) => {
    const app = new App(page, demo.url);
    const status = (tab) => tab.locator('main');
    await page.goto(`${demo.url}/?page=2`);
    await expect(status(page)).toHaveAttribute('data-status', 'out');
    await app.click('Log in');
    await app.signIn();
    await expect(status(page)).toHaveAttribute('data-status', 'in');
    await expect(app.greeting).toHaveText('Hello, Ada Lovelace');
    expect(page.url()).toBe(`${demo.url}/?page=2`);

    const second = await context.newPage();
    await second.goto(demo.url);
    await expect(status(second)).toHaveAttribute('data-status', 'in');
    await app.click('Log out');
    await expect(status(second)).toHaveAttribute('data-status', 'out');
    await expect(status(page)).toHaveAttribute('data-status', 'out');
  });
}

// With a router. Angular's example has no build step of its own: it compiles in the
// browser, which the policy forbids.
for (const [name, options] of [['react-router', {}], ['vue-router', {}], ['angular', { bypassCSP: true }]]) {
  const test = base.extend({ demoArgs: [['-test-page', join(process.env.EXAMPLES ?? '', name)], { scope: 'worker' }] });
  test.describe(`with ${name}`, () => {
    test.use(options);

    test('the router begins where the user wants to be', async ({ demo, page }) => {
      const app = new App(page, demo.url);
      const main = page.locator('main');
      const at = '/orders/9?page=2';
      const isAt = async (status) => {
        await expect(main).toHaveAttribute('data-status', status);
        await expect(main).toHaveAttribute('data-at', at);
        await expect(page.getByRole('heading')).toHaveText(/^Order/);
        expect(page.url()).toBe(demo.url + at);
      };
      await page.goto(demo.url + at);
      await isAt('out');
      await app.click('Log in silently');
      await page.waitForEvent('load');
      await isAt('out');
      await expect(page.getByRole('alert')).toBeHidden();

      await app.click('Log in');
      await app.click('Cancel');
      await expect(page.getByRole('alert')).toHaveText('access_denied');
      await isAt('out');

      await app.click('Log in');
      await app.signIn();
      await isAt('in');
      await page.getByRole('link', { name: 'Start' }).click();
      await expect(main).toHaveAttribute('data-at', '/');
      await page.goBack(); // no entry of the history holds the response
      await isAt('in');
    });

    test('an agent that is away is asked again', async ({ demo, page }) => {
      let lost = 0;
      await page.route('**/login/end', (route) => (lost++ < 2 ? route.abort() : route.continue()));
      await page.goto(`${demo.url}/orders/9`);
      await expect(page.locator('main')).toHaveAttribute('data-status', 'out');
      await expect(page.locator('main')).toHaveAttribute('data-at', '/orders/9');
      expect(lost).toBe(3);
    });
  });
}

for (const name of ['early-react', 'early-vue']) {
  const test = base.extend({ demoArgs: [['-test-page', join(process.env.EXAMPLES ?? '', name)], { scope: 'worker' }] });

  test(`a router that has read the URL too early reads it again: ${name}`, async ({ demo, page }) => {
    const app = new App(page, demo.url);
    const main = page.locator('main');
    await page.goto(`${demo.url}/orders/9`);
    await app.click('Log in');
    await app.signIn();
    await expect(main).toHaveAttribute('data-status', 'in');
    await expect(main).toHaveAttribute('data-at', '/orders/9');
    expect(page.url()).toBe(`${demo.url}/orders/9`);
    await page.getByRole('link', { name: 'Start' }).click();
    await expect(main).toHaveAttribute('data-at', '/');
    await page.goBack();
    await expect(main).toHaveAttribute('data-at', '/orders/9');
  });
}

base.describe("Angular's HttpClient", () => {
  const test = base.extend({ demoArgs: [['-test-page', join(process.env.EXAMPLES ?? '', 'angular')], { scope: 'worker' }] });
  test.use({ bypassCSP: true });

  /** Makes a call, and gives its status. */
  const call = (page, ...args) => page.evaluate(([method, url, options]) => new Promise((resolve) => {
    window.http.request(method, url, { observe: 'response', ...options }).subscribe({
      next: ({ status }) => resolve(status), error: ({ status }) => resolve(status),
    });
  }), args);

  test('calls as agent.fetch does', async ({ demo, page }) => {
    const app = new App(page, demo.url);
    await page.goto(demo.url);
    await app.click('Log in');
    await app.signIn();
    await expect(page.locator('main')).toHaveAttribute('data-status', 'in');

    const got = [];
    const answers = [];
    await page.route('**/api/**', async (route) => {
      got.push([route.request().method(), Boolean((await route.request().allHeaders())['x-agent-csrf']), route.request().postData()]);
      const [status, code, headers] = answers.shift() ?? [200];
      await route.fulfill({ status, headers, json: { code } });
    });
    const refreshes = async () => (await demo.report()).counts.refresh_token ?? 0;
    for (const responseType of ['json', 'text', 'blob', 'arraybuffer']) {
      const before = await refreshes();
      answers.push([401, 'token_expired']);
      expect(await call(page, 'POST', '/api/orders', { body: 'tea', responseType })).toBe(200);
      expect(got.splice(0), responseType).toEqual([['POST', true, 'tea'], ['POST', true, 'tea']]);
      expect(await refreshes()).toBe(before + 1);
    }
    expect(await call(page, 'GET', '/api/orders')).toBe(200);
    answers.push([401, 'token_expired'], [401, 'token_expired']);
    expect(await call(page, 'GET', '/api/orders')).toBe(401);
    answers.push([500, 'token_expired']);
    expect(await call(page, 'GET', '/api/orders')).toBe(500);
    expect(got.splice(0)).toEqual(Array(4).fill(['GET', false, null]));

    const before = await refreshes();
    answers.push(...Array(5).fill([401, 'token_expired']));
    expect(await Promise.all(Array(5).fill(0).map(() => call(page, 'GET', '/api/orders')))).toEqual(Array(5).fill(200));
    expect(await refreshes()).toBe(before + 1);

    got.length = 0;
    answers.push([307, '', { Location: 'http://127.0.0.1:1/taken' }]);
    expect(await call(page, 'POST', '/api/orders', { body: 'tea' })).toBe(0);
    expect(got).toEqual([['POST', true, 'tea']]);
  });
});
