// All that the provider remembers: in memory, and in a file between two runs.
import fs from 'node:fs';
import { generateKeyPairSync, randomBytes } from 'node:crypto';

const keyPairs = {
  RS256: ['rsa', { modulusLength: 2048 }],
  PS256: ['rsa', { modulusLength: 2048 }],
  ES256: ['ec', { namedCurve: 'P-256' }],
  EdDSA: ['ed25519', undefined],
};

const freshKey = ([alg, [type, options]]) => ({
  ...generateKeyPairSync(type, options).privateKey.export({ format: 'jwk' }),
  alg, use: 'sig', kid: `${alg}-${randomBytes(4).toString('hex')}`,
});

export class State {
  #file;

  #values = new Map();

  #keys;

  constructor(file) {
    this.#file = file;
    const saved = file && fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : {};
    this.#values = new Map(saved.values);
    this.#keys = saved.keys ?? {
      jwks: { keys: Object.entries(keyPairs).map(freshKey) },
      cookies: [randomBytes(32).toString('hex')],
    };
  }

  save() {
    if (!this.#file) return;
    fs.writeFileSync(this.#file, JSON.stringify({ values: [...this.#values], keys: this.#keys }), { mode: 0o600 });
  }

  jwks() { return this.#keys.jwks; }

  cookieKeys() { return this.#keys.cookies; }

  // adapter is oidc-provider's storage interface over the one map.
  adapter() {
    const values = this.#values;
    return (model) => {
      const key = (id) => `${model}:${id}`;
      const live = (entry) => (entry && (!entry.until || entry.until > Date.now()) ? entry.payload : undefined);
      const findBy = (field, value) => {
        for (const [k, entry] of values) {
          if (k.startsWith(`${model}:`) && entry.payload[field] === value) return live(entry);
        }
        return undefined;
      };
      return {
        async upsert(id, payload, expiresIn) {
          values.set(key(id), { payload, until: expiresIn && Date.now() + expiresIn * 1000 });
        },
        async find(id) { return live(values.get(key(id))); },
        async findByUid(uid) { return findBy('uid', uid); },
        async findByUserCode(code) { return findBy('userCode', code); },
        async destroy(id) { values.delete(key(id)); },
        async consume(id) { values.get(key(id)).payload.consumed = Math.floor(Date.now() / 1000); },
        async revokeByGrantId(grantId) {
          for (const [k, entry] of values) {
            if (k.startsWith(`${model}:`) && entry.payload.grantId === grantId) values.delete(k);
          }
        },
      };
    };
  }
}
