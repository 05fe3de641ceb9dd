// Runs real programs for tests: on a free port, ready before they are used, and
// gone when the test ends.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// start runs a program with nothing of the developer's environment but where to
// find things, and waits until something listens on env.PORT.
export async function start(path, args, { cwd, env }) {
  const { PATH, HOME, TMPDIR = '/tmp' } = process.env;
  const child = spawn(path, args, { cwd, env: { PATH, HOME, TMPDIR, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8');
    stream.on('data', (text) => { output += text; });
  }
  const exited = once(child, 'exit');
  const program = {
    output: () => output,
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const kill = setTimeout(() => child.kill('SIGKILL'), 10_000);
      await exited;
      clearTimeout(kill);
    },
  };
  const until = Date.now() + 60_000;
  while (!(await listens(env.PORT))) {
    if (child.exitCode !== null || Date.now() > until) {
      await program.stop();
      throw new Error(`${path} does not run:\n${output}`);
    }
    await sleep(50);
  }
  return program;
}

function listens(port) {
  return new Promise((resolve) => {
    const socket = net.connect(Number(port), '127.0.0.1');
    socket.on('connect', () => { socket.destroy(); resolve(true); });
    socket.on('error', () => resolve(false));
  });
}
