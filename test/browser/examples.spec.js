import { join } from 'node:path';

import { App, expect, test as base } from './support/fixtures.js';

for (const name of ['react', 'vue']) {
  // What Vite has built, in place of the demo's page and under its strict policy.
  const test = base.extend({ demoArgs: [['-test-page', join(process.env.EXAMPLES ?? '', name)], { scope: 'worker' }] });

  test(`an application built with ${name}`, async ({ context, demo, page }) => {
    const app = new App(page, demo.url);
    const status = (tab) => tab.locator('main');
    await page.goto(`${demo.url}/?page=2`);
    await expect(status(page)).toHaveAttribute('data-status', 'out');
    await app.click('Log in');
    await app.signIn();
    await expect(status(page)).toHaveAttribute('data-status', 'in');
    await expect(app.greeting).toHaveText('Hello, Ada Lovelace');
    expect(page.url()).toBe(`${demo.url}/?page=2`);

    const second = await context.newPage();
    await second.goto(demo.url);
    await expect(status(second)).toHaveAttribute('data-status', 'in');
    await app.click('Log out');
    await expect(status(second)).toHaveAttribute('data-status', 'out');
    await expect(status(page)).toHaveAttribute('data-status', 'out');
  });
}
