// A service, a browser signed in to its console, and what every test asks of a page.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { after, before } from 'node:test';
import { browse, client, seed, start } from './world.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Starts them before a file's tests, and ends them after. NOTIFY is the command to start. */
export function setUp() {
  const w = { at: (path) => `${w.service.url}/console${path}` };
  before(async () => {
    w.service = await start(process.env.NOTIFY ?? '../bin/notify');
    w.api = client(w.service);
    w.browser = await browse();
    w.ids = await seed(w.service);
    const page = await (await w.browser.newContext()).newPage();
    await page.goto(w.service.console);
    await page.waitForSelector('#nav');
    assert.equal(new URL(page.url()).hash, '', 'the token leaves the address bar');
    w.cookies = await page.context().cookies();
    await page.context().close();
  });
  after(async () => {
    await w.browser?.close();
    await w.service?.stop();
  });
  w.open = ({ signedIn = true, ...looks } = {}) => openPage(w.browser, { cookies: signedIn ? w.cookies : [], ...looks });
  return w;
}

/** A page that remembers everything that went wrong in it. */
export async function openPage(browser, { lang = 'zh', theme = 'light', width = 1280, timezoneId, cookies = [] } = {}) {
  const context = await browser.newContext({ viewport: { width, height: 800 }, timezoneId, permissions: ['clipboard-read', 'clipboard-write'] });
  await context.addCookies(cookies);
  await context.addInitScript(([l, c]) => {
    if (window !== top) return;
    localStorage.lang = l;
    localStorage.theme = c;
    document.addEventListener('securitypolicyviolation', (e) => console.error('CSP', e.violatedDirective, e.blockedURI));
  }, [lang, theme]);
  const page = await context.newPage();
  page.wrong = [];
  page.requests = [];
  page.on('console', (m) => m.type() === 'error' && page.wrong.push(m.text()));
  page.on('pageerror', (e) => page.wrong.push(e.message));
  page.on('request', (r) => page.requests.push(r.url()));
  return page;
}

/** One paste, one Enter. */
export async function askAt(page, home, text) {
  await page.goto(home);
  await settled(page); // what is shown may not hear keys yet
  await page.keyboard.press('/');
  await page.waitForSelector('#search:focus');
  await page.evaluate((t) => navigator.clipboard.writeText(t), text);
  await page.keyboard.press('Control+v');
  await page.keyboard.press('Enter');
  await page.waitForSelector('[data-verdict]');
}

export const settled = (page) => page.waitForFunction(() => document.querySelector('main h1') && !document.querySelector('[role=status].empty'));

export async function findings(page) {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { iframes: false, runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] });
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
  });
}

/** Chinese in an English page, outside of what people wrote. */
export const leftovers = (page) => page.evaluate(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const out = [];
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const text = n.textContent ?? '', el = n.parentElement;
    if (/[\u3400-\u9fff]/.test(text) && !el?.closest('[translate=no], option, textarea, [lang=zh]')) out.push(text);
  }
  return out;
});

/** Answers the question that a change asks. */
export async function answer(page, reason) {
  await page.fill('dialog input', reason);
  await page.click('dialog footer [type=submit]');
  await page.waitForSelector('#question', { state: 'detached' }); // another dialog may follow at once
}

