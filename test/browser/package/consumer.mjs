// The package as a bundler or a server-side renderer loads it: without a page.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';

import { Agent, AgentError, createAgent } from 'oauth-agent-client';

assert.equal(typeof createAgent, 'function');
assert.ok(new AgentError('session_expired', 'x', 401) instanceof Error);
assert.ok(Agent.prototype instanceof EventTarget);

// Made at module scope, where there is no page: nothing happens until one is asked
// for, and nothing keeps this process from ending.
const { location, BroadcastChannel } = globalThis;
globalThis.BroadcastChannel = class { constructor() { throw new Error('opened without a page'); } };
const agent = createAgent({ baseUrl: '/oauth-agent', apiPaths: ['/api'], refreshAhead: false });
assert.equal(agent.isLoggedIn, false);
assert.deepEqual(agent.csrfHeaders('/api'), {});
agent.on('login', () => {})();
for (const call of ['onPageLoad', 'login', 'logout', 'session', 'userInfo', 'claims', 'refresh', 'fetch']) {
  await assert.rejects(async () => agent[call]('https://api.example.com/'), { name: 'AgentError', code: 'no_page' }, call);
}
// The page arrives.
globalThis.BroadcastChannel = undefined;
globalThis.location = new URL('https://www.example.com/orders/9');
const asked = [];
globalThis.fetch = async (url, { method, body }) => {
  asked.push([method, url, body]);
  return Response.json({ handled: false, isLoggedIn: true, csrf: 'value' });
};
assert.equal((await agent.onPageLoad()).isLoggedIn, true);
assert.deepEqual(asked, [['POST', 'https://www.example.com/oauth-agent/login/end', '{"pageUrl":"https://www.example.com/orders/9"}']]);
assert.deepEqual(agent.csrfHeaders(), { 'x-agent-csrf': 'value' });
Object.assign(globalThis, { location, BroadcastChannel });

const root = 'node_modules/oauth-agent-client/';
const manifest = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
assert.equal(manifest.sideEffects, false);
assert.equal(manifest.dependencies, undefined);
for (const { types, default: module } of Object.values(manifest.exports).filter((entry) => typeof entry === 'object')) {
  await readFile(root + types);
  await readFile(root + module);
}
assert.deepEqual((await readdir(root)).filter((name) => /test|config|dist/.test(name)), []);
