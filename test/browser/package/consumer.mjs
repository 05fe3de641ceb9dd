// The package as a bundler or a server-side renderer loads it: without a page.

import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';

import { Agent, AgentError, createAgent } from 'oauth-agent-client';

assert.equal(typeof createAgent, 'function');
assert.ok(new AgentError('session_expired', 'x', 401) instanceof Error);
assert.ok(Agent.prototype instanceof EventTarget);

const root = 'node_modules/oauth-agent-client/';
const manifest = JSON.parse(await readFile(`${root}package.json`, 'utf8'));
assert.equal(manifest.sideEffects, false);
assert.equal(manifest.dependencies, undefined);
for (const { types, default: module } of Object.values(manifest.exports).filter((entry) => typeof entry === 'object')) {
  await readFile(root + types);
  await readFile(root + module);
}
assert.deepEqual((await readdir(root)).filter((name) => /test|config|dist/.test(name)), []);
