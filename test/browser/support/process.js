import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How long a program may take to start or to end. */
const PATIENCE_MS = 15_000;

/**
 * Starts a server that prints where it is, and that reports in a file what its
 * identity provider has issued.
 *
 * @param {string} program
 * @param {string[]} args beside those for port and report
 * @param {RegExp} ready what it prints when it is there
 */
export async function start(program, args, ready) {
  const directory = await mkdtemp(join(tmpdir(), 'oauth-agent-browser-'));
  const report = join(directory, 'report.json');
  const child = spawn(program, ['-port', '0', '-test-report', report, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  const output = collect(child);
  return {
    found: await output.match(ready),
    log: () => output.text(),
    /** What the identity provider issued and how often it was asked. */
    report: async () => JSON.parse(await readFile(report, 'utf8')),
    /**
     * Tells the program something, and waits for its answer.
     *
     * @param {string} line
     * @param {RegExp} answer
     */
    async tell(line, answer) {
      output.forget();
      child.stdin.write(`${line}\n`);
      return output.match(answer);
    },
    async stop() {
      await end(child);
      await rm(directory, { recursive: true });
    },
  };
}

/** @param {import('node:child_process').ChildProcess} child */
function collect(child) {
  let text = '';
  const listeners = new Set();
  const add = (chunk) => {
    text += chunk;
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', add);
  child.stderr.on('data', add);
  return {
    text: () => text,
    forget: () => {
      text = '';
    },
    match: (pattern) => new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`not ready in time:\n${text}`)), PATIENCE_MS);
      const look = () => {
        const found = text.match(pattern);
        if (!found) return;
        clearTimeout(timer);
        listeners.delete(look);
        resolve(found);
      };
      child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${text}`)));
      child.once('error', reject);
      listeners.add(look);
      look();
    }),
  };
}

/** @param {import('node:child_process').ChildProcess} child */
function end(child) {
  if (child.exitCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill('SIGTERM');
  });
}
