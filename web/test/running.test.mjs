// Operators run the service: what is dead goes again, providers come and go, people are asked why.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { answer, findings, setUp } from './console.mjs';
import { behave } from './world.mjs';

const w = setUp();

test('dead letters are counted, redriven at a rate after the count was typed, and arrive', async () => {
  await behave(w.api, 'deliver', '修好了');
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/dlq'));
  await page.selectOption('#filter-tenant', 'order-service');
  await page.waitForURL(/tenant=order-service/);
  await page.click('.head .button.main:has-text("Redrive 2")');
  const go = page.locator('dialog footer [type=submit]');
  const [rate, count, reason] = [0, 1, 2].map((i) => page.locator('dialog .field input').nth(i));
  await reason.fill('bot is back');
  await count.fill('3');
  assert.ok(await go.isDisabled(), 'another count is not the count');
  await rate.fill('501');
  await count.fill('2');
  await go.click();
  await page.waitForSelector('dialog .field.wrong:has-text("500")'); // refused, and the form is kept
  page.wrong.length = 0; // the browser reports the answer 422 itself
  assert.equal(await reason.inputValue(), 'bot is back');
  await rate.fill('1');
  await go.click();
  await page.waitForURL(/dlq\/rdr_\w+\?of=2/);
  await page.waitForSelector('[data-state=done]');
  assert.match(await page.textContent('.verdict .what'), /2 redriven/);
  assert.deepEqual(await findings(page), []);
  await page.click('main a[href$="/dlq"]');
  await page.waitForSelector('tr:has-text("bot is back")');
  await page.goto(w.at('/messages?status=delivered&tenant=order-service&channel=telegram'));
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a redrive is stopped, with a reason', async () => {
  await behave(w.api, 'account', '又坏了');
  const { redrive } = await w.api('POST', '/v1/dlq/redrive', { rate: 1, reason: 'by a program', filter: {} });
  const page = await w.open();
  await page.goto(w.at(`/dlq/${redrive.id}`));
  await page.waitForSelector('[data-state]');
  if (await page.locator('.button.danger').count()) { // it has little to do, and may be done already
    await page.click('.button.danger');
    await answer(page, '弄错了');
  }
  await page.waitForSelector('[data-state=done], [data-state=stopped]');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a recipient is revealed with a reason, and the audit says so; a developer may not', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at(`/messages/${w.ids.refund}`));
  await page.click('.verdict .button:has-text("Reveal recipient")');
  await page.click('dialog footer [type=submit]');
  assert.ok(await page.locator('dialog input:invalid').count(), 'not without a reason');
  await page.fill('dialog input', 'the user calls');
  await page.click('dialog footer [type=submit]');
  await page.waitForSelector('[data-revealed]:has-text("+8613812345678")');
  assert.deepEqual(await findings(page), []);
  await page.click('dialog header .button');
  await page.waitForSelector('dialog', { state: 'detached' });
  assert.doesNotMatch(await page.textContent('body'), /13812345678/);
  assert.ok(!page.requests.some((u) => u.includes('13812345678')), 'no recipient in any URL');
  await page.goto(w.at('/audit?what=revealed'));
  await page.waitForSelector('tbody tr:has-text("the user calls")');
  await page.goto(w.at('/audit?kind=template&name=refund'));
  await page.click('tbody tr:has-text("v3") a[href*="/templates/"]');
  await page.waitForURL(/templates\/order-service\/refund/);
  assert.deepEqual(page.wrong, []);
  await page.context().close();

  const { key } = await w.api('POST', '/v1/keys', { tenant: 'order-service', title: 'dev', live: true, scopes: ['read', 'send'] });
  const dev = await w.open({ lang: 'en', signedIn: false });
  await dev.goto(w.at(`/messages/${w.ids.refund}`));
  await dev.fill('input[type=password]', key);
  await dev.keyboard.press('Enter');
  await dev.waitForSelector('.timeline');
  assert.equal(await dev.locator('button:has-text("Reveal")').count(), 0);
  assert.equal(await dev.evaluate(async (path) => (await fetch(path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"reason":"x"}' })).status, `/v1/messages/${w.ids.refund}/reveal`), 403);
  await dev.goto(w.at('/audit'));
  await dev.waitForSelector('main:has-text("Needs a key with the scope operate")');
  await dev.context().close();
});

test('who cancels and resends a message by hand is in the audit, with what came of it, in both languages', async () => {
  const { id } = await w.api('POST', '/v1/messages', { to: '+8613900139077', template: 'order-shipped', channel: 'sms', vars: { name: '赵敏', order: 'A-1077' }, send_at: new Date(Date.now() + 86400e3).toISOString() });
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at(`/messages/${id}`));
  await page.click('button:has-text("Cancel message")');
  await answer(page, 'wrong price');
  await page.click('button:has-text("Resend")');
  await answer(page, 'right price');
  await page.waitForSelector('.timeline li:has-text("right price")');
  const again = page.url().split('/').pop();
  assert.notEqual(again, id);
  for (const [lang, cancelled, resent] of [['en', 'Cancelled', 'Resent'], ['zh', '取消', '重发']]) {
    const seen = await w.open({ lang });
    await seen.goto(w.at(`/audit?kind=message&name=${id}`));
    await seen.waitForSelector(`tr:has-text("${cancelled}"):has-text("wrong price"):has-text("${lang === 'en' ? 'Scheduled → Cancelled' : '等待中 → 已取消'}")`);
    assert.deepEqual(await findings(seen), []);
    await seen.click(`tr:has-text("${resent}"):has-text("right price") a[href$="${again}"]`);
    await seen.waitForURL(`**/messages/${again}`);
    assert.deepEqual(seen.wrong, []);
    await seen.context().close();
  }
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a provider that allows addresses by list shows ours, before and after there is an account', async () => {
  const page = await w.open({ lang: 'en' });
  await w.api('PUT', '/v1/accounts/fans', { provider: 'wechat-template', off: true, config: { app_id: 'wxba5fad812f8e6fb9' }, secrets: { app_secret: 'none' }, reason: '公众号' });
  for (const path of ['/providers/new?provider=wechat-template', '/providers/fans', '/providers']) {
    await page.goto(w.at(path));
    await page.waitForSelector('main .card:has-text("as an allowed address: 203.0.113.7")');
    assert.deepEqual(await findings(page), []);
  }
  assert.equal(await page.locator('main .card:has-text("allowed address")').count(), 1, 'others do not ask for it');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
  await w.api('DELETE', '/v1/accounts/fans?version=1&reason=over');
});

test('an account is added from the gallery, tried, and paused', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/providers'));
  await page.click('.head .button.main');
  await page.fill('main input', 'development');
  await page.click('.gallery a');
  await page.waitForURL(/provider=devinbox/);
  const form = page.locator('main form');
  await form.getByLabel('Name').fill('Spare');
  await form.getByLabel('Channel').selectOption('discord');
  await form.getByLabel('Calls a second').fill('5');
  await form.locator('[type=submit]').click();
  await answer(page, 'a spare one');
  await page.waitForSelector('.field.wrong'); // the name is no name, and the form is kept
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await form.getByLabel('Name').fill('spare-discord');
  await form.locator('[type=submit]').click();
  await answer(page, 'a spare one');
  await page.waitForURL(/providers\/spare-discord/);
  const tried = page.locator('section:has(h2:text-is("Try it"))');
  await tried.getByLabel('Recipient').fill('ops');
  await tried.getByLabel('Text').fill('is this on?');
  await tried.locator('[type=submit]').click();
  await page.waitForSelector('[data-tried=true]:has-text("dev-")'); // the provider's own id
  assert.deepEqual(await findings(page), []);
  await tried.getByLabel('Recipient').fill('fail-1');
  await tried.locator('[type=submit]').click();
  await page.waitForSelector('[data-tried=false]:has-text("dev_fail")');
  await page.click('.head .button:has-text("Switch off")');
  await answer(page, 'not yet');
  await page.waitForSelector('.head .tag:has-text("Paused")');
  const { items } = await w.api('GET', '/v1/audit?kind=account&name=spare-discord');
  assert.deepEqual(items.map((e) => [e.what, e.reason]), [['changed', 'not yet'], ['tried', undefined], ['tried', undefined], ['made', 'a spare one']]);
  await page.goto(w.at('/providers'));
  await page.waitForSelector('.card:has-text("spare-discord") .tag:has-text("Paused")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a recipe is uploaded: its faults are shown at their lines, then it is in the gallery', async () => {
  const good = readFileSync(new URL('../../pkg/local/testdata/courier/recipe.yaml', import.meta.url), 'utf8');
  const page = await w.open();
  await page.goto(w.at('/providers/recipes'));
  await page.click('.head .button.main');
  await page.setInputFiles('input[type=file]', { name: 'recipe.yaml', mimeType: 'text/yaml', buffer: Buffer.from(good.replace('outcome: sent', 'outcome: send')) });
  await page.click('main form [type=submit]');
  await answer(page, '接入信使');
  const line = 1 + good.split('\n').findIndex((l) => l.includes('outcome: sent'));
  await page.waitForSelector(`[data-faults]:has-text("第 ${line} 行")`);
  assert.deepEqual(await findings(page), []);
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await page.fill('textarea', good);
  await page.click('main form [type=submit]');
  await answer(page, '接入信使');
  await page.waitForSelector('tbody tr:has-text("courier")');
  await page.goto(w.at('/providers/new'));
  await page.waitForSelector('.gallery a:has-text("信使")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('settings are changed with a reason; a wrong value is told beside its field', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/settings'));
  await page.click('main .button:has-text("Add a prefix")');
  await page.getByLabel('Prefix').fill('882');
  await page.click('main form [type=submit]');
  await page.click('dialog footer [type=submit]');
  assert.ok(await page.locator('dialog input:invalid').count(), 'not without a reason');
  await answer(page, 'costly numbers');
  await page.waitForSelector('.field.wrong');
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await page.getByLabel('Prefix').fill('+882');
  await page.click('main form [type=submit]');
  await answer(page, 'costly numbers');
  await page.waitForSelector('tbody tr:has-text("costly numbers")');
  const { codes } = await w.api('GET', '/v1/settings');
  assert.deepEqual(codes.prefixes, [{ prefix: '+882', seconds: 86400 }]);
  assert.equal(codes.per_recipient.messages, 100, 'what was not touched is kept');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('an endpoint is made, its secret shown once, tried and seen to fail, rotated, paused', async () => {
  const page = await w.open();
  await page.goto(w.at('/endpoints'));
  await page.click('.head .button.main');
  const form = page.locator('dialog form');
  await form.getByLabel('名称').fill('hook');
  await form.getByLabel('URL').fill('shop.example.com');
  await page.click('dialog footer [type=submit]');
  await page.waitForSelector('dialog .field.wrong'); // an address with a scheme
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await form.getByLabel('URL').fill('https://shop.example.invalid/notify');
  await page.click('dialog footer [type=submit]');
  const secret = await page.textContent('[data-secret]');
  assert.match(secret, /^whsec_/);
  await page.click('dialog header .button');
  await page.waitForURL(/endpoints\/demo\/hook/);
  await page.click('.head .button.main');
  await page.waitForSelector('tbody tr:has-text("endpoint.test")');
  await page.waitForSelector('.head .tag.bad');
  assert.deepEqual(await findings(page), []);
  await page.click('.head .button:has-text("更换密钥")');
  await answer(page, '例行更换');
  assert.notEqual(await page.textContent('[data-secret]'), secret);
  await page.click('dialog header .button');
  await page.click('.head .button:has-text("停用")');
  await answer(page, '对方维护');
  await page.waitForSelector('.head .tag:has-text("已停用")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('the throttle ledger says who held the quota', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/providers/inbox-wecom'));
  await page.click('a:has-text("who held the quota")');
  await page.waitForURL(/throttles\?account=inbox-wecom/);
  await page.waitForFunction(() => document.querySelectorAll('.thirds a[href$="/tenants/demo"]').length > 0, undefined, { timeout: 60_000 });
  assert.deepEqual(await findings(page), []);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('the development inbox: what arrived is delivered, bounced late, answered with STOP', async () => {
  const { id } = await w.api('POST', '/v1/messages', { to: '+8613900139777', channel: 'sms', template: 'order-shipped', vars: { name: '赵敏', order: 'B-7' } });
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/'));
  await page.click('#nav a:has-text("Dev inbox")');
  await page.click('.letters button:has-text("B-7")');
  const shown = page.locator(`[data-shown="${id}"]`);
  await shown.locator('.bubble:has-text("B-7")').waitFor();
  await shown.locator('.tag:has-text("Delivered")').waitFor();
  await shown.locator('.button:has-text("Complaint")').click();
  await shown.locator('.tag:has-text("Complained")').waitFor();
  await shown.getByLabel('Reply as the recipient').fill('STOP');
  await shown.locator('form [type=submit]').click();
  await page.waitForSelector('.toast');
  assert.deepEqual(await findings(page), []);
  await page.goto(w.at(`/messages/${id}`));
  await page.waitForSelector('.timeline li:has-text("Answered")');
  const { items } = await w.api('POST', '/v1/suppressions/check', { address: '+8613900139777', channel: 'sms' });
  assert.ok(items.some((s) => s.reason === 'opt_out'), JSON.stringify(items));
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('what needs attention is said in words, the worst first, and leads there', async () => {
  await behave(w.api, 'account', '又坏了');
  await w.api('POST', '/v1/messages', { to: 'qian', channel: 'telegram', class: 'otp', ttl_seconds: 3600, content: { text: '值班：证书还有 3 天到期' } });
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/'));
  const item = page.locator('.todo li:has-text("dead message")');
  await item.waitFor({ timeout: 60_000 });
  const tones = await page.locator('.todo:not(.steps) .dot').evaluateAll((dots) => dots.map((d) => ['bad', 'warn', 'info', 'calm'].findIndex((x) => d.classList.contains(x))));
  assert.deepEqual(tones, tones.toSorted((a, b) => a - b));
  await item.locator('a').click();
  await page.waitForURL(/dlq/);
  await page.waitForSelector('td:has-text("inbox-telegram")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a figure leads to what it counts, in its own period', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/traffic'));
  const figure = (name) => page.locator(`.figure:has-text("${name}")`);
  await figure('Failed').waitFor();
  const count = await figure('Failed').locator('b').textContent();
  assert.equal(await figure('Dead').getAttribute('href'), '/console/messages?status=dead&since=1');
  assert.equal(await page.locator('a.figure:has-text("Sent")').count(), 0, 'what was sent is not what is sent now');
  await page.waitForSelector('td:has-text("Callbacks")');
  await figure('Failed').click();
  await page.waitForSelector('tbody tr');
  assert.equal(String(await page.locator('tbody tr').count()), count);
  await page.goto(w.at('/traffic'));
  await page.click('.tabs button:has-text("30 days")');
  await page.waitForSelector('a.figure[href="/console/messages?status=failed&since=720"]');
  await page.goto(w.at('/audit?kind=schedule'));
  await page.click('td a:has-text("demo/monday-sale")');
  await page.waitForURL(/schedules\/demo\/monday-sale/);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a day of the traffic is the reader\'s', async () => {
  const zone = 'Pacific/Kiritimati'; // where it is tomorrow for most of the day
  const page = await w.open({ lang: 'en', timezoneId: zone });
  await page.goto(w.at('/traffic'));
  await page.click('.tabs button:has-text("30 days")');
  await page.click('figure summary');
  const today = new Intl.DateTimeFormat('en-GB', { timeZone: zone, month: '2-digit', day: '2-digit' }).format();
  await page.waitForSelector(`figure td time:text-is("${today}")`);
  assert.ok(page.requests.some((u) => u.includes('zone=Pacific')));
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a timeline says which day it was', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at(`/messages/${w.ids.refund}`));
  const times = () => page.locator('.timeline time').allTextContents();
  await page.waitForSelector('.timeline time');
  assert.match((await times()).join(' '), /^(\d\d:\d\d:\d\d\.\d{3} ?)+$/);
  await page.clock.setFixedTime(Date.now() + 48 * 3600e3);
  await page.reload();
  await page.waitForSelector('.timeline time');
  const [first, ...rest] = await times();
  assert.match(first, /^\d\d\/\d\d, \d\d:/);
  assert.ok(rest.length > 0 && rest.every((x) => /^\d\d:/.test(x)), rest.join(' '));
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a full limit and dead letters need attention once, where there is something to do', async () => {
  const { items } = await w.api('GET', '/v1/accounts');
  const full = items.find((a) => a.channel === 'sms');
  const alarms = [['dead-letters', 'sms'], ['dead-letters-old', 'sms'], ['limit-used', 'sms'], ['limit-used', 'email']]
    .map(([name, channel]) => ({ name, channel, title: { zh: name, en: `alarm ${name}` }, value: 1, threshold: 1, runbook: 'https://example.com/' }));
  const page = await w.open({ lang: 'en' });
  const says = (path, body) => page.route((url) => url.pathname === path, (route) => route.fulfill({ json: body }));
  await says('/v1/alarms', { items: alarms });
  await says('/v1/accounts', { items: [{ ...full, health: { ...full.health, state: 'closed', used: [{ window: 'second', used: 9, limit: 10 }] } }] });
  await says('/v1/dlq/redrive', { dry_run: { matched: 3, expired: 0, reasons: [], more: false } });
  await page.goto(w.at('/'));
  const row = (text) => page.locator(`.todo li:has-text("${text}")`);
  await row('dead message').waitFor();
  await row(full.name).waitFor();
  await row('alarm dead-letters-old').waitFor();
  await row('alarm limit-used').waitFor(); // of email, of which no account is full
  assert.equal(await row('alarm limit-used').count(), 1);
  assert.equal(await row('alarm dead-letters').count(), 1);
  for (const [expired, said] of [[1, '2 dead messages wait'], [3, '3 dead messages have expired']]) {
    await says('/v1/dlq/redrive', { dry_run: { matched: 3, expired, reasons: [], more: false } });
    await page.goto(w.at('/'));
    await row(said).waitFor();
    assert.equal(await row(said).locator('.dot').getAttribute('class'), `dot ${expired < 3 ? 'bad' : 'calm'}`);
  }
  await says('/v1/dlq/redrive', { dry_run: { matched: 0, expired: 0, reasons: [], more: false } });
  await page.goto(w.at('/'));
  await row('alarm dead-letters').nth(1).waitFor(); // what nothing else says, the alarm does
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});
