import { createServer } from 'node:http';
import { readFile } from 'node:fs/promises';

import { expect, test } from '@playwright/test';

const CLIENT = new URL('../../web/client/', import.meta.url);

/**
 * Starts a server that notes what its calls carry, and allows every page to call it.
 *
 * @param {(request: import('node:http').IncomingMessage, response: import('node:http').ServerResponse) => unknown} answer
 */
async function startServer(answer) {
  const got = [];
  const server = createServer((request, response) => {
    const { origin, 'x-agent-csrf': csrf, 'access-control-request-headers': asked = '' } = request.headers;
    response.setHeader('Access-Control-Allow-Origin', origin ?? '*');
    response.setHeader('Access-Control-Allow-Credentials', 'true');
    response.setHeader('Access-Control-Allow-Headers', asked);
    response.setHeader('Access-Control-Allow-Methods', 'POST, DELETE');
    if (request.method === 'OPTIONS') return response.end();
    if (/^\/(api|taken)/.test(request.url)) got.push({ call: `${request.method} ${request.url}`, csrf, origin });
    return answer(request, response);
  });
  await new Promise((resolve) => server.listen(0, 'localhost', resolve));
  return { got, url: `http://localhost:${server.address().port}`, close: () => (server.closeAllConnections(), server.close()) };
}

/** Serves page, library, an agent and an API that redirects to where it is told. */
async function serve({ url }, response) {
  const { pathname, searchParams } = new URL(url, 'http://localhost');
  const status = Number(searchParams.get('status'));
  if (status) return response.writeHead(status, { Location: searchParams.get('to') }).end();
  if (pathname.startsWith('/client/')) {
    response.setHeader('Content-Type', 'text/javascript');
    return response.end(await readFile(new URL(pathname.slice(8), CLIENT)));
  }
  const page = pathname === '/';
  response.setHeader('Content-Type', page ? 'text/html' : 'application/json');
  response.setHeader('Referrer-Policy', 'no-referrer');
  return response.end(page ? '<!doctype html><title>page</title>' : '{"isLoggedIn":true,"csrf":"value"}');
}

const it = test.extend({
  home: async ({}, use) => {
    const server = await startServer(serve);
    await use(server);
    server.close();
  },
  greedy: async ({}, use) => {
    const server = await startServer((_, response) => response.end('taken'));
    await use(server);
    server.close();
  },
});

/** Makes a call by the library, and gives its status or the name of its error. */
function call(page, { base = '', path, init = {}, asRequest = false }) {
  return page.evaluate(async (options) => {
    const { createAgent } = await import('/client/index.js');
    const agent = createAgent({ baseUrl: `${options.base}/oauth-agent` });
    await agent.onPageLoad();
    const url = options.base + options.path;
    const answer = options.asRequest ? agent.fetch(new Request(url, options.init)) : agent.fetch(url, options.init);
    return answer.then((response) => response.status || response.type, (error) => error.name);
  }, { base, path, init, asRequest });
}

const moved = (status, to) => `/api/moved?status=${status}&to=${encodeURIComponent(to)}`;

for (const where of ['of its own origin', 'of another origin']) {
  it(`an API ${where} cannot redirect the CSRF header to a stranger`, async ({ page, home, greedy }) => {
    const api = where.includes('own') ? home : await startServer(serve);
    const base = api === home ? '' : api.url;
    await page.goto(home.url);
    for (const status of [301, 302, 303, 307, 308]) {
      for (const [init, asRequest] of [
        [{ method: 'POST', body: 'x' }, false], [{ method: 'DELETE', redirect: 'follow' }, false],
        [{ method: 'POST', body: 'x' }, true], [{ method: 'POST', mode: 'cors', referrerPolicy: 'unsafe-url' }, true],
      ]) {
        const path = moved(status, `${greedy.url}/taken`);
        expect(await call(page, { base, path, init, asRequest }), `${status} ${JSON.stringify(init)}`).toBe('TypeError');
      }
    }
    const manual = { method: 'POST', redirect: 'manual' };
    expect(await call(page, { base, path: moved(307, `${greedy.url}/taken`), init: manual })).toBe('opaqueredirect');
    expect(greedy.got).toEqual([]);
    expect(api.got.length).toBe(21);
    expect(new Set(api.got.map(({ csrf }) => csrf))).toEqual(new Set(['value']));
    // What the agent would refuse: the origin `null`.
    expect(new Set(api.got.map(({ origin }) => origin))).toEqual(new Set([home.url]));
    if (api !== home) api.close();
  });
}

it('the browser alone would hand the header over', async ({ page, home, greedy }) => {
  await page.goto(home.url);
  const path = moved(307, `${greedy.url}/taken`);
  await page.evaluate((url) => fetch(url, { method: 'POST', headers: { 'x-agent-csrf': 'value' } }), path);
  expect(greedy.got.map(({ csrf }) => csrf)).toEqual(['value']);
});

it('a redirect within the origin is followed', async ({ page, home }) => {
  await page.goto(home.url);
  expect(await call(page, { path: moved(308, '/api/here'), init: { method: 'POST', body: 'x' } })).toBe(200);
  expect(home.got.at(-1)).toEqual({ call: 'POST /api/here', csrf: 'value', origin: home.url });
});

it('a GET is redirected anywhere, without the header', async ({ page, home, greedy }) => {
  await page.goto(home.url);
  expect(await call(page, { path: moved(302, `${greedy.url}/taken`), init: { credentials: 'omit' } })).toBe(200);
  expect(greedy.got.map(({ call: made, csrf }) => [made, csrf])).toEqual([['GET /taken', undefined]]);
});

it('a call to a stranger carries nothing', async ({ page, home, greedy }) => {
  await page.goto(home.url);
  const headers = await page.evaluate(async (other) => {
    const { createAgent } = await import('/client/index.js');
    const agent = createAgent({ baseUrl: '/oauth-agent' });
    const before = agent.csrfHeaders();
    await agent.onPageLoad();
    await agent.fetch(`${other}/taken`, { method: 'POST' });
    return [before, agent.csrfHeaders(), agent.csrfHeaders('/api/orders'), agent.csrfHeaders(new URL('api', location.href)), agent.csrfHeaders(other)];
  }, greedy.url);
  expect(greedy.got.map(({ csrf }) => csrf)).toEqual([undefined]);
  const value = { 'x-agent-csrf': 'value' };
  expect(headers).toEqual([{}, value, value, value, {}]);
});
