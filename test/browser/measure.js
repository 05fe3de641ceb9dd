// Prints figures of the demo: `./run measure`. None of them is asserted, since
// they are this machine's.

import { chromium } from '@playwright/test';

import config from './playwright.config.js';
import { App, libraryTabs } from './support/fixtures.js';
import { start } from './support/process.js';

const ROUNDS = 5;
const LIFETIME_S = 6;

const browser = await chromium.launch(config.use.launchOptions);

/** @param {string[]} args */
async function withDemo(args, work) {
  const demo = await start(process.env.DEMO, args, /Open\s+(http\S+)/);
  try {
    await work(demo, demo.found[1]);
  } finally {
    await demo.stop();
  }
}

/** From the click on Log in to the page that greets, with a session at the provider. */
async function clickToPage(url) {
  const context = await browser.newContext();
  const app = new App(await context.newPage(), url);
  await app.logIn();
  const times = [];
  for (let i = 0; i < ROUNDS; i++) {
    await context.clearCookies({ domain: 'localhost' });
    await app.open();
    const began = performance.now();
    await app.click('Log in');
    await app.greeting.waitFor();
    times.push(performance.now() - began);
  }
  await context.close();
  return times.sort((a, b) => a - b)[ROUNDS >> 1];
}

async function requestsPerLoad(url) {
  const context = await browser.newContext();
  const app = new App(await context.newPage(), url);
  await app.logIn();
  const calls = [];
  app.page.on('request', (request) => calls.push(`${request.method()} ${new URL(request.url()).pathname}`));
  await app.page.reload();
  await app.isLoggedIn();
  const library = calls.filter((call) => /login\/end|session$/.test(call));
  await context.close();
  return { all: calls.length, calls: calls.filter((call) => /oauth-agent|api/.test(call)), library };
}

/** Refreshes at the provider while tabs that are all looked at live for some lifetimes. */
async function refreshes(demo, url, count) {
  const context = await browser.newContext();
  const app = new App(await context.newPage(), url);
  await app.logIn();
  await libraryTabs(app, count);
  const before = (await demo.report()).counts.refresh_token ?? 0;
  await app.page.waitForTimeout(3 * LIFETIME_S * 1000);
  const after = (await demo.report()).counts.refresh_token ?? 0;
  await context.close();
  return after - before;
}

await withDemo([], async (demo, url) => {
  console.log(`click to logged-in page, median of ${ROUNDS}: ${Math.round(await clickToPage(url))} ms`);
  const { all, calls } = await requestsPerLoad(url);
  console.log(`requests of a page load, logged in: ${all}, of them calls: ${calls.join(', ')}`);
});
await withDemo(['-access-token-lifetime', `${LIFETIME_S}s`], async (demo, url) => {
  for (const count of [1, 5, 10]) {
    console.log(`refreshes at the provider in ${3 * LIFETIME_S} s, tokens of ${LIFETIME_S} s, ${count} tabs: ${await refreshes(demo, url, count)}`);
  }
});
await browser.close();
