// Both journeys, and the way of a list, in the console of a deployed stack: run by the tests of deploy/, which say where
// it is (CONSOLE, a link that signs in once), what was sent (MAIL, an address, and TEXT, what was written to it, of
// TEMPLATE), and whose it is (OWNER).
import assert from 'node:assert/strict';
import { askAt, openPage } from './console.mjs';
import { browse } from './world.mjs';

const { CONSOLE, MAIL, TEXT, OWNER, TEMPLATE } = process.env;
const browser = await browse();
try {
  const page = await openPage(browser, { lang: 'en' });
  page.setDefaultTimeout(120_000); // an emulator's functions start slowly where much else is tested
  await page.goto(CONSOLE);
  await page.waitForSelector('#nav');
  const home = new URL('/console/', CONSOLE).href;

  await askAt(page, home, MAIL); // the user says it never came
  assert.match(await page.getAttribute('[data-verdict]', 'data-verdict'), /^sent/);
  assert.match(await page.textContent('[data-owner]'), new RegExp(OWNER));

  await askAt(page, home, TEXT); // whose message is this
  assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'who_template');
  assert.match(await page.textContent('[data-owner]'), new RegExp(OWNER));

  // A list goes from the browser straight to the bucket, under its rules for other origins and the page's policy.
  await page.goto(new URL(`campaigns/new?template=${TEMPLATE}`, home).href);
  await page.getByLabel('Title').fill('From a list');
  await page.setInputFiles('input[type=file]', { name: 'list.csv', mimeType: 'text/csv', buffer: Buffer.from(`email,n\n${MAIL},4712\nnobody,4713\n`) });
  await page.waitForSelector('text="Parcel 4712 waits at your door"');
  await page.click('.button:has-text("Upload and check")');
  await page.waitForURL(/campaigns\/run_/);
  await page.waitForSelector('[data-word]'); // all weighed; until then the figures grow
  assert.deepEqual((await page.locator('[data-dry] .figure').allTextContents()).slice(0, 2), ['Would be sent1', 'Wrong rows1']);
  const put = page.requests.filter((u) => /X-Amz-Signature/.test(u));
  assert.equal(put.length, 1);
  assert.notEqual(new URL(put[0]).origin, new URL(home).origin);

  assert.ok(!page.requests.some((u) => decodeURIComponent(u).includes(MAIL)), 'no recipient in any URL');
  assert.deepEqual(page.wrong, []);
} finally {
  await browser.close();
}
