import { byId, element } from './dom.js';
import { attempt, on, quiet, say } from './notice.js';

/** The user's orders, which are at the sample API: read, added to, removed from. */
export class Orders {
  #fetch;

  /** @param {(path: string, init?: RequestInit) => Promise<Response>} fetch the agent's */
  constructor(fetch) {
    this.#fetch = fetch;
    on('reload-orders', () => this.load());
    const form = byId('new-order');
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      quiet();
      attempt(() => this.#add(field()));
    });
  }

  async load() {
    const response = await this.#call('/api/orders');
    if (response) this.#show(await response.json());
  }

  clear() {
    byId('orders').replaceChildren();
  }

  /** @param {HTMLInputElement} input */
  async #add(input) {
    const item = input.value.trim();
    if (!item) return;
    const response = await this.#call('/api/orders', {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ item }),
    });
    if (!response) return;
    input.value = '';
    await this.load();
  }

  /** @param {number} id */
  async #remove(id) {
    await this.#call(`/api/orders/${id}`, { method: 'DELETE' });
    await this.load();
    field().focus(); // the button that had it is gone
  }

  /**
   * @param {string} path
   * @param {RequestInit} [init]
   * @returns {Promise<Response | undefined>} undefined when it was refused
   */
  async #call(path, init) {
    const response = await this.#fetch(path, init);
    if (response.ok) return response;
    if (response.status !== 401) say(`The orders API answered ${response.status}.`);
    return undefined;
  }

  /** @param {{ id: number, item: string }[]} orders */
  #show(orders) {
    byId('orders').replaceChildren(...orders.map(({ id, item }) => {
      const button = element('button', 'small', 'Remove');
      button.setAttribute('type', 'button');
      button.setAttribute('aria-label', `Remove ${item}`);
      button.addEventListener('click', () => attempt(() => this.#remove(id)));
      return element('li', '', element('span', '', item), button);
    }));
  }
}

function field() {
  return /** @type {HTMLInputElement} */ (byId('new-order-item'));
}
