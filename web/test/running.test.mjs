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
  assert.deepEqual(items.map((e) => [e.what, e.reason]), [['changed', 'not yet'], ['made', 'a spare one']]);
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
