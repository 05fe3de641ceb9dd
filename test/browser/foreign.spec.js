import { expect, test } from './support/fixtures.js';
import { ENDPOINTS, attempts, startStranger } from './support/stranger.js';

const endpoints = [...ENDPOINTS, ['GET', '/demo/cookies']];

// Cookies ignore ports, so SameSite=Strict does not hold the second one back:
// there the agent's own check of the origin is all there is.
for (const [kind, host] of [['of another site', '127.0.0.1'], ['of another port, same site', 'localhost']]) {
  test(`a page ${kind} gets nothing`, async ({ app, context, demo, witness }) => {
    await app.logIn();
    const cookies = await context.cookies(`${demo.url}/oauth-agent/x`);
    const before = (await demo.report()).counts;
    const stranger = await startStranger(host);
    const page = await context.newPage();
    const statuses = [];
    page.on('response', (response) => {
      if (response.url().startsWith(demo.url)) statuses.push(response.status());
    });
    await page.goto(stranger.url);

    for (const [method, path] of endpoints) {
      const readable = await page.evaluate(attempts, { method, url: `${demo.url}/oauth-agent${path}` });
      expect(readable, `${method} ${path}`).toEqual([]);
    }
    expect(statuses.length).toBeGreaterThanOrEqual(endpoints.length);
    expect(statuses.filter((status) => status < 400)).toEqual([]);

    // A form needs no permission to be sent.
    for (const path of ['/logout', '/refresh', '/login/end']) {
      const answered = page.waitForResponse((response) => response.url().endsWith(path));
      await page.evaluate(submit, `${demo.url}/oauth-agent${path}`);
      expect((await answered).status(), path).toBe(401);
      await page.waitForURL(`**${path}`);
      await witness.settled();
      await page.goto(stranger.url);
      await witness.settled();
    }
    await stranger.close();

    expect((await demo.report()).counts).toEqual(before);
    expect(await context.cookies(`${demo.url}/oauth-agent/x`)).toEqual(cookies);
    await app.page.reload();
    await app.isLoggedIn();
  });
}

test('no page can frame the demo', async ({ app, context }) => {
  await app.logIn();
  const stranger = await startStranger('localhost');
  const page = await context.newPage();
  await page.goto(stranger.url);
  const blocked = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
  await page.evaluate((url) => {
    const frame = document.createElement('iframe');
    frame.src = url;
    document.body.append(frame);
  }, app.url);
  await blocked;
  await stranger.close();
});

/** @param {string} action */
function submit(action) {
  const form = document.createElement('form');
  form.method = 'post';
  form.action = action;
  const field = document.createElement('input');
  field.name = 'pageUrl';
  field.value = 'http://localhost/';
  form.append(field);
  document.body.append(form);
  form.submit();
}
