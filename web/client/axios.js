/**
 * Has an axios instance call by {@link Agent#fetch}: with the session where it
 * belongs, an expired access token renewed. It needs axios 1.12 or newer.
 *
 *     const api = withAgent(axios.create({ baseURL: '/api' }), agent);
 *
 * @template {{ defaults: any }} T
 * @param {T} instance
 * @param {import('./agent.js').Agent} agent
 * @returns {T} the same instance
 */
export function withAgent(instance, agent) {
  const { defaults } = instance;
  defaults.adapter = 'fetch';
  defaults.env = { ...defaults.env, fetch: agent.fetch };
  return instance;
}
