// Takes the pictures of the demo that docs/ has: `./run screenshots`.

import { chromium, devices } from '@playwright/test';

import config from './playwright.config.js';
import { App } from './support/fixtures.js';
import { start } from './support/process.js';

const DOCS = new URL('../../docs/', import.meta.url).pathname;

const PICTURES = {
  'demo.png': { viewport: { width: 1120, height: 1310 }, colorScheme: 'light' },
  'demo-dark.png': { viewport: { width: 1120, height: 1310 }, colorScheme: 'dark' },
  'demo-phone.png': { ...devices['iPhone SE (3rd gen)'], viewport: { width: 375, height: 1040 }, colorScheme: 'light' },
};

const demo = await start(process.env.DEMO, [], /Open\s+(http\S+)/);
const browser = await chromium.launch(config.use.launchOptions);
for (const [name, options] of Object.entries(PICTURES)) {
  const context = await browser.newContext({ ...options, locale: 'en-GB' });
  const app = new App(await context.newPage(), demo.found[1]);
  await app.logIn();
  await app.click('Refresh tokens');
  await app.calls.filter({ hasText: '/oauth-agent/refresh' }).waitFor();
  await app.page.mouse.move(0, 0);
  await app.page.evaluate(() => document.activeElement.blur());
  await app.page.waitForTimeout(1_200); // the countdown has begun
  await app.page.screenshot({ path: DOCS + name });
  await context.close();
}
await browser.close();
await demo.stop();
