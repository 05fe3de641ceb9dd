// The program under test, as several processes that share their settings, behind
// a gateway that gives each request to the next one.
import { once } from 'node:events';
import http from 'node:http';

import { credentials } from './authorization_servers.mjs';
import { freePort, start } from './processes.mjs';

export class Proxies {
  #front;

  #processes = [];

  #next = 0;

  calls = []; // "METHOD path" and the process, in order

  // listen opens the gateway; its address is needed to set up everything else.
  async listen() {
    this.#front = http.createServer((req, res) => this.#forward(req, res)).listen(0, '127.0.0.1');
    await once(this.#front, 'listening');
    this.issuer = `http://127.0.0.1:${this.#front.address().port}`;
    this.callback = `${this.issuer}/callback`;
  }

  async start(count, as, redirectURIs) {
    const env = {
      OAUTH_CLIENT_ID: credentials.id,
      OAUTH_CLIENT_SECRET: credentials.secret,
      OAUTH_AUTH_URL: as.authorize,
      OAUTH_TOKEN_URL: as.token,
      OAUTH_REVOCATION_URL: as.revocation,
      OAUTH_REDIRECT_URL: this.callback,
      OAUTH_ALLOWED_REDIRECT_URIS: redirectURIs.join(','),
      JWT_SIGNING_KEY: '0123456789abcdef'.repeat(4),
      ENCRYPTION_KEY: 'fedcba9876543210'.repeat(4),
    };
    for (let i = 0; i < count; i += 1) {
      const port = await freePort();
      const program = await start(process.env.OAUTH_AGENT, [], { cwd: '/', env: { ...env, PORT: port, ADMIN_ADDR: 'off' } });
      this.#processes.push({ port, program });
    }
  }

  // url gives the address of one process, past the gateway.
  url(index) { return `http://127.0.0.1:${this.#processes[index].port}`; }

  output() { return this.#processes.map(({ program }) => program.output()).join('\n'); }

  async stop() {
    await Promise.all(this.#processes.map(({ program }) => program.stop()));
    this.#front.close();
    this.#front.closeAllConnections();
  }

  #forward(req, res) {
    const index = this.#next % this.#processes.length;
    this.#next += 1;
    const path = req.url.split('?')[0];
    this.calls.push({ what: `${req.method} ${path}`, process: index });
    const onward = http.request(this.url(index) + req.url, { method: req.method, headers: req.headers }, (answer) => {
      res.writeHead(answer.statusCode, answer.headers);
      answer.pipe(res);
    });
    onward.on('error', () => res.writeHead(599).end());
    req.pipe(onward);
  }
}
