import { createServer } from 'node:http';

/** Of the agent, below its base path. */
export const ENDPOINTS = [
  ['POST', '/login/start'], ['POST', '/login/end'], ['GET', '/userInfo'], ['GET', '/claims'],
  ['POST', '/refresh'], ['POST', '/logout'], ['GET', '/logout/continue'],
];

/**
 * A server of somebody else, with an empty page.
 *
 * @param {string} host by which the page is called; all are this machine
 */
export async function startStranger(host) {
  const server = createServer((_, response) => {
    response.setHeader('Content-Type', 'text/html');
    response.end('<!doctype html><title>stranger</title>');
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://${host}:${server.address().port}/`,
    close: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

/**
 * Tries a call in each way that needs no preflight, and in one that does.
 *
 * @returns {Promise<string[]>} the ways in which the page could read an answer
 */
export async function attempts({ method, url }) {
  const ways = {
    plain: {},
    opaque: { mode: 'no-cors' },
    json: { headers: { 'Content-Type': 'application/json' } },
    csrf: { headers: { 'x-agent-csrf': 'guessed' } },
  };
  const body = method === 'POST' ? '{"pageUrl":"http://localhost/"}' : undefined;
  const readable = [];
  for (const [way, init] of Object.entries(ways)) {
    try {
      const response = await fetch(url, { method, body, credentials: 'include', redirect: 'follow', ...init });
      if (response.type !== 'opaque') readable.push(`${way}: ${response.status}`);
    } catch {
      // What a page is told when it may not read the answer.
    }
  }
  return readable;
}
