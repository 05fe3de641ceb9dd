// Makes what of web/client is generated, and committed so that nobody needs this
// to use it: the type declarations, and the library as one file for the agent to
// serve. `npm run build` writes them; `npm run check` fails when they are old.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { build } from 'esbuild';

/** What the library may weigh, minified and zipped, in bytes. */
const MAX_BYTES = 4096;

const CLIENT = new URL('../../web/client/', import.meta.url).pathname;

/** @param {string} to the folder for `types` and `dist` */
async function generate(to) {
  execFileSync('node_modules/.bin/tsc', ['--project', 'tsconfig.types.json', '--outDir', join(to, 'types')], { stdio: 'inherit' });
  await build({
    entryPoints: [join(CLIENT, 'index.js')],
    outfile: join(to, 'dist/client.js'),
    bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', legalComments: 'none',
    banner: { js: '/* oauth-agent-client, Apache-2.0 */' },
    logLevel: 'warning',
  });
}

/** @param {string} root */
async function contents(root) {
  const files = new Map();
  for (const folder of ['types', 'dist']) {
    for (const name of (await readdir(join(root, folder))).sort()) {
      files.set(`${folder}/${name}`, await readFile(join(root, folder, name), 'utf8'));
    }
  }
  return files;
}

async function check() {
  const fresh = await mkdtemp(join(tmpdir(), 'oauth-agent-client-'));
  try {
    await generate(fresh);
    const [is, should] = [await contents(CLIENT), await contents(fresh)];
    const old = [...new Set([...is.keys(), ...should.keys()])].filter((name) => is.get(name) !== should.get(name));
    if (old.length) throw new Error(`web/client is not up to date, run npm run build: ${old.join(', ')}`);
  } finally {
    await rm(fresh, { recursive: true });
  }
}

if (process.argv.includes('--check')) {
  await check();
} else {
  for (const folder of ['types', 'dist']) await rm(join(CLIENT, folder), { recursive: true, force: true });
  await generate(CLIENT);
}
const bundle = await readFile(join(CLIENT, 'dist/client.js'));
const bytes = gzipSync(bundle, { level: 9 }).length;
console.log(`the library is ${bytes} bytes minified and zipped, ${bundle.length} unzipped`);
if (bytes > MAX_BYTES) throw new Error(`that is more than ${MAX_BYTES}`);
