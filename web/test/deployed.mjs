// Both journeys in the console of a deployed stack: run by the tests of deploy/, which say where it is (CONSOLE, a link
// that signs in once) and what was sent (MAIL, an address, and TEXT, what was written to it).
import assert from 'node:assert/strict';
import { askAt, openPage } from './console.mjs';
import { browse } from './world.mjs';

const { CONSOLE, MAIL, TEXT, OWNER } = process.env;
const browser = await browse();
try {
  const page = await openPage(browser, { lang: 'en' });
  await page.goto(CONSOLE);
  await page.waitForSelector('#nav');
  const home = new URL('/console/', CONSOLE).href;

  await askAt(page, home, MAIL); // the user says it never came
  assert.match(await page.getAttribute('[data-verdict]', 'data-verdict'), /^sent/);
  assert.match(await page.textContent('[data-owner]'), new RegExp(OWNER));

  await askAt(page, home, TEXT); // whose message is this
  assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'who_template');
  assert.match(await page.textContent('[data-owner]'), new RegExp(OWNER));

  assert.ok(!page.requests.some((u) => decodeURIComponent(u).includes(MAIL)), 'no recipient in any URL');
  assert.deepEqual(page.wrong, []);
} finally {
  await browser.close();
}
