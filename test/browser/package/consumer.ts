// Compiles only if the declarations say what the documentation says.

import { AgentError, createAgent, type EventType, type PageLoad, type Session } from 'oauth-agent-client';

const agent = createAgent({ baseUrl: '/oauth-agent', cookiePrefix: 'example', apiPaths: ['/api/'], refreshAhead: false });

export async function main(): Promise<string> {
  const load: PageLoad = await agent.onPageLoad();
  if (load.error instanceof AgentError) return load.error.returnTo ?? load.error.code;
  if (!load.isLoggedIn) await agent.login({ returnTo: '/orders?page=2#top', prompt: 'none', extraParams: { ui_locales: 'fr' } });
  const session: Session = await agent.session();
  const left: number | undefined = session.accessTokenExpiresIn;
  const stop: () => void = agent.on('expired', ({ elsewhere }) => console.log(elsewhere satisfies boolean, left));
  stop();
  const type: EventType = 'logout';
  agent.addEventListener(type, () => {});
  interface Info { sub: string; name?: string }
  const info = await agent.userInfo<Info>();
  const { sub }: { sub: string } = info;
  const tenant: string = (await agent.claims<{ tenant: string }>()).tenant;
  const unknown: unknown = (await agent.claims()).whatever;
  const headers: Record<string, string> = agent.csrfHeaders('/api/upload');
  console.log(sub, tenant, unknown, headers);
  // @ts-expect-error: not in Info
  console.log(info.email);
  const response: Response = await agent.fetch('/api/orders', { method: 'POST', body: '{}' });
  return response.statusText;
}

// @ts-expect-error: there must be a base URL
createAgent({});
// @ts-expect-error: no such event
agent.on('nonsense', () => {});
// @ts-expect-error: no such prompt
void agent.login({ prompt: 'sometimes' });
// @ts-expect-error: inner parts are not exported
await import('oauth-agent-client/tabs.js');
