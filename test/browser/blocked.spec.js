import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App, expect, test as base } from './support/fixtures.js';

/**
 * Chromium's own setting: the page's cookies are blocked, and with them all
 * storage. Those of the provider, on 127.0.0.1, are not: it could not log in anyone.
 */
const PREFERENCES = {
  profile: { content_settings: { exceptions: { cookies: { 'localhost,*': { setting: 2 } } } } },
};

const test = base.extend({
  context: async ({ playwright, launchOptions }, use) => {
    const profile = await mkdtemp(join(tmpdir(), 'oauth-agent-profile-'));
    await mkdir(join(profile, 'Default'));
    await writeFile(join(profile, 'Default/Preferences'), JSON.stringify(PREFERENCES));
    const context = await playwright.chromium.launchPersistentContext(profile, launchOptions);
    await use(context);
    await context.close();
    await rm(profile, { recursive: true });
  },
  // It looks into the storage that is blocked here.
  witness: async ({}, use) => use(undefined),
});

test('with cookies and storage blocked the page says so, and does not loop', async ({ context, demo }) => {
  const app = new App(await context.newPage(), demo.url);
  await app.open();
  expect(await app.page.evaluate(() => {
    try {
      return String(localStorage.length);
    } catch (error) {
      return error.name;
    }
  })).toBe('SecurityError');
  await app.isLoggedOut();
  await app.click('Log in');
  await app.page.getByLabel('User name').waitFor();
  await app.signIn();
  await expect(app.page.getByText('blocks cookies')).toBeVisible();
  await app.isLoggedOut();
});
