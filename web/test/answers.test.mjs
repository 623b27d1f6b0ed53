// Answers that come late, in the wrong order, or in many pages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, askAt, setUp, settled } from './console.mjs';

const w = setUp();

/** Holds what is asked of a path until it is told to go on, first come first; how many were asked. */
async function hold(page, path, held = () => true) {
  const waiting = [];
  let heard = () => {};
  await page.route((url) => url.pathname === path, (route) => {
    if (!held(route.request())) return route.continue();
    return new Promise((go) => {
      waiting.push(() => { go(); return route.continue(); });
      heard();
    });
  });
  return {
    asked: () => waiting.length,
    first: () => (waiting.length > 0 ? Promise.resolve() : new Promise((ok) => { heard = ok; })),
    async go() {
      const [answer] = await Promise.all([page.waitForResponse((r) => new URL(r.url()).pathname === path), waiting.shift()()]);
      await answer.finished();
    },
  };
}

/** What came has been shown. */
const shown = (page) => page.evaluate(() => new Promise((ok) => requestAnimationFrame(() => setTimeout(ok))));

test('a service that is slower than the page asks is seen, and is not asked again meanwhile', async () => {
  const page = await w.open();
  await page.clock.install();
  const search = await hold(page, '/v1/messages/search');
  await page.goto(w.at('/messages'));
  await search.first();
  for (let i = 0; i < 10; i++) await page.clock.runFor(5000);
  assert.equal(search.asked(), 1);
  await search.go();
  await page.waitForSelector('tbody tr');
  await page.clock.runFor(5000);
  await search.first();
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('what is read once is read again when the service is back', async () => {
  const page = await w.open({ lang: 'en' });
  await page.clock.install();
  const tenants = (url) => url.pathname === '/v1/tenants';
  await page.route(tenants, (route) => route.abort());
  await page.goto(w.at('/tenants'));
  await page.waitForSelector('.alert.bad');
  await page.unroute(tenants);
  await page.clock.runFor(5000);
  await page.waitForSelector('td:has-text("order-service")');
  await page.waitForSelector('.alert.bad', { state: 'detached' }); // another part of the page may have asked a moment later
  await page.context().close();
});

test('a question has the focus where it is answered, and gives it back', async () => {
  const page = await w.open({ lang: 'en' });
  const focus = (selector) => page.waitForFunction((s) => document.activeElement?.matches(s), selector);
  const ask = async (path, button) => {
    await page.goto(w.at(path));
    await settled(page);
    await page.focus(button);
    await page.keyboard.press('Enter');
  };
  const remove = '.actions .button:has-text("Delete")', one = '.head .button.main';
  await ask('/routes/otp-sms', remove); // it is off while it waits for the answer
  await focus('dialog input');
  await page.keyboard.press('Escape');
  await focus('.button.danger');
  await ask('/users', one);
  await focus('dialog input');
  await page.keyboard.press('Escape');
  await focus(one);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a link that was copied leads to its page through the identity provider', async () => {
  const page = await w.open({ lang: 'en', signedIn: false });
  const session = (url) => url.pathname === '/console/session';
  await page.route(session, (route) => route.fulfill({ json: { live: true, scopes: [], identity: true } }));
  await page.route('**/console/oidc', async (route) => { // which leads back to the console, signed in
    await page.unroute(session);
    await page.context().addCookies(w.cookies);
    return route.fulfill({ contentType: 'text/html', body: '<meta http-equiv="refresh" content="0;url=/console/">' });
  });
  await page.goto(w.at(`/messages/${w.ids.refund}`));
  await page.click('a.button[href="/console/oidc"]');
  await page.waitForSelector('.timeline');
  await page.goto(w.at('/'));
  await page.waitForSelector('h1:has-text("Overview")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('older messages follow on those that are shown, though newer ones have come meanwhile', async () => {
  const { messages } = await w.api('POST', '/v1/messages/search', {});
  const page = await w.open();
  await page.clock.install();
  let begun = 1; // of five messages the newest has not come yet
  let older;
  await page.route('**/v1/messages/search', (route) => {
    const say = (list, next) => route.fulfill({ json: { index: 'tenant', searched: list.length, from: messages[9].created_at, to: messages[0].created_at, messages: list, next } });
    if (!route.request().postDataJSON().cursor) return say(messages.slice(begun, begun + 2), 'c');
    older = () => say(messages.slice(3, 5));
  });
  await page.goto(w.at('/messages'));
  await page.waitForSelector('tbody tr');
  await page.click('.more .button');
  begun = 0;
  const polled = page.waitForResponse('**/v1/messages/search');
  await page.clock.runFor(5000);
  await (await polled).finished();
  await shown(page);
  older();
  await page.waitForSelector('tbody tr:nth-child(4)');
  const ids = await page.locator('tbody tr td:first-child a').evaluateAll((list) => list.map((a) => a.href.split('/').pop()));
  assert.deepEqual(ids, messages.slice(1, 5).map((m) => m.id));
  await page.waitForSelector('.more:has-text("读取了 4 条")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('the way back leads to where somebody was in a list', async () => {
  const { messages } = await w.api('POST', '/v1/messages/search', {});
  const page = await w.open();
  await page.route('**/v1/messages/search', (route) => {
    const n = Number(route.request().postDataJSON().cursor ?? 0), list = messages.slice(0, 15).map((m, i) => (n === 2 && i === 14 ? { ...m, id: w.ids.refund } : { ...m, id: `${m.id}${n}` }));
    return route.fulfill({ json: { index: 'tenant', searched: 15, from: messages[9].created_at, to: messages[0].created_at, messages: list, next: n < 2 ? String(n + 1) : undefined } });
  });
  await page.goto(w.at('/messages'));
  for (const rows of [30, 45]) {
    await page.click('p.more .button');
    await page.waitForFunction((n) => document.querySelectorAll('tbody tr').length === n, rows);
  }
  await page.locator('tbody tr').last().locator('a').first().click();
  await page.waitForSelector('.timeline');
  assert.equal(await page.evaluate(() => scrollY), 0);
  await page.goBack();
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 45 && scrollY > 500);
  await page.click('#nav a:has-text("总览")');
  await page.click('#nav a:has-text("消息")'); // anew
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 15 && scrollY === 0);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a recipient of many messages: all of them can be had', async () => {
  for (let i = 0; i < 60; i++) await w.api('POST', '/v1/messages', { to: 'many', channel: 'slack', content: { text: `no ${i}` } });
  const page = await w.open({ lang: 'en' });
  await askAt(page, w.at('/'), 'many');
  await page.waitForSelector('h2:has-text("Other messages (49+)")');
  await page.click('.more .button');
  await page.waitForSelector('h2:has-text("Other messages (59)")');
  assert.equal(await page.locator('.card:has-text("Other messages") tbody tr').count(), 59);
  page.wrong = page.wrong.filter((x) => !/422/.test(x)); // an alias is no address that could be suppressed, and the browser says so
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('what is neither a reference nor an address is not found, and is no error', async () => {
  const page = await w.open();
  await askAt(page, w.at('/'), '工单（三）#7');
  assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'none_matching');
  page.wrong = page.wrong.filter((x) => !/422/.test(x)); // the browser reports the answer itself
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('what would be sent is of what stands in the form, and so is what is wrong with it', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/send?template=demo/login-code'));
  const code = page.getByLabel('code'), to = page.getByLabel('Recipient');
  const first = await hold(page, '/v1/messages/explain', (r) => r.postDataJSON().vars.code === '111111');
  await code.fill('111111');
  await to.fill('13900139900');
  await first.first();
  await code.fill('222222');
  await page.waitForSelector('.bubble:has-text("222222")');
  await first.go();
  await shown(page);
  assert.match(await page.textContent('.bubble'), /222222/);

  await page.route('**/v1/messages', (r) => r.fulfill({ status: 422, contentType: 'application/problem+json', json: { code: 'invalid_request', errors: [{ pointer: '/to', code: 'bad_address', detail: 'nobody is there' }] } }), { times: 1 });
  await page.click('main form [type=submit]');
  await page.waitForSelector('.field.wrong:has-text("nobody is there")');
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await to.fill('13900139901');
  await page.waitForSelector('.field.wrong', { state: 'detached' });
  await to.fill('');
  await page.waitForSelector('.bubble', { state: 'detached' });
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('what is wrong is said in the language of the page, by its code', async () => {
  const problem = { code: 'invalid_request', detail: '2 fields are not valid; see errors', errors: [{ pointer: '/to', code: 'bad_address', detail: 'write it with its country code' }, { pointer: '/vars/code', code: 'missing_variable', detail: 'the template needs code' }] };
  for (const [lang, to, code] of [['zh', '地址不对（write it with its country code）', '缺变量'], ['en', 'write it with its country code', 'the template needs code']]) {
    const page = await w.open({ lang });
    await page.route('**/v1/messages/explain', (r) => r.fulfill({ status: 422, contentType: 'application/problem+json', json: problem }));
    await page.goto(w.at('/send?template=demo/login-code'));
    await page.locator('form .field:nth-of-type(1) input').first().fill('x');
    await page.waitForSelector('.field.wrong');
    assert.deepEqual(await page.locator('.field .error').allTextContents(), [to, code]);
    await page.goto(w.at('/suppressions'));
    await page.route('**/v1/suppressions/check', (r) => r.fulfill({ status: 422, contentType: 'application/problem+json', json: problem }));
    await page.locator('main form input').fill('x');
    await page.keyboard.press('Enter');
    await page.waitForSelector('main .alert.bad');
    assert.deepEqual(await page.locator('main .alert.bad > div').allTextContents(), [`/to ${to}`, `/vars/code ${code}`]);
    await page.context().close();
  }
});

test('what is resent again because its answer was lost is one message', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at(`/messages/${w.ids.mail}`));
  let made;
  await page.route('**/resend', async (r) => {
    made = await (await r.fetch()).json();
    await r.abort();
  }, { times: 1 });
  const resend = async () => {
    await page.click('.button:text-is("Resend")');
    await answer(page, 'it was lost');
  };
  await resend();
  await page.waitForSelector('.verdict .alert.bad');
  page.wrong.length = 0; // the browser reports it itself
  await resend();
  await page.waitForURL((u) => u.pathname.endsWith(made.id));
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a verdict that was found goes on, and what was sought is gone with the session', async () => {
  const page = await w.open({ lang: 'en' });
  await page.clock.install();
  await page.route('**/v1/messages/search', async (r) => {
    const answer = await r.fetch();
    const body = await answer.json();
    for (const m of body.messages) Object.assign(m, { status: 'queued', verdict: { ...m.verdict, code: 'queued' } });
    return r.fulfill({ response: answer, json: body });
  });
  await askAt(page, w.at('/'), 'gone@example.com');
  await page.clock.runFor(5000);
  await page.waitForSelector('[data-verdict=bounced]');
  await page.unroute('**/v1/messages/search');

  await page.route('**/v1/messages/search', (r) => r.fulfill({ status: 401, json: { code: 'unauthorized' } }));
  await page.click('#nav a:has-text("Messages")');
  await page.waitForSelector('input[type=password]');
  await page.unroute('**/v1/messages/search');
  await page.fill('input[type=password]', w.service.key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('#search');
  assert.equal(await page.inputValue('#search'), '');
  await page.context().close();
});

test('what is rare is looked for further back on a word, and not every few seconds', async () => {
  const { messages: [m] } = await w.api('POST', '/v1/messages/search', { limit: 1 });
  const page = await w.open({ lang: 'en' });
  await page.clock.install();
  let asked = 0;
  await page.route('**/v1/messages/search', (r) => {
    const { cursor } = r.request().postDataJSON();
    asked++;
    return r.fulfill({ json: { index: 'tenant', searched: 5000, from: m.created_at, to: m.created_at, messages: cursor ? [m] : [], next: cursor ? undefined : 'c' } });
  });
  await page.goto(w.at('/messages?class=otp'));
  await page.waitForSelector('.empty:has-text("None among the newest 5,000 records")');
  const before = asked;
  await page.clock.runFor(25_000);
  await shown(page);
  assert.equal(asked, before);
  await page.click('.more .button');
  await page.waitForSelector('tbody tr');
  await page.waitForSelector('.more:has-text("10,000 records read")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});
