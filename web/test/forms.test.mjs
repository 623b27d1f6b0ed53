// Forms: what they do not show stays as it was, what was typed is not lost, and what is pressed twice is done once.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { answer, setUp } from './console.mjs';

const w = setUp();

test('a schedule that is changed keeps its version, reference and life', async () => {
  const path = '/v1/schedules/demo/kept';
  const kept = { template_version: 1, reference: 'bills-2026', ttl_seconds: 7200 };
  await w.api('PUT', path, { ...kept, template: 'spring-sale', channel: 'sms', vars: { discount: '20%' }, audience: { rows: [{ to: '+8613900139801', vars: { name: '李雷' } }] }, cron: '0 9 * * ? *', zone: 'Asia/Shanghai' });
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/schedules/demo/kept'));
  await page.waitForSelector('dd:has-text("spring-sale v1")');
  await page.waitForSelector('dd:text-is("1 person")');
  await page.click('.button:has-text("Change")');
  await page.getByLabel('Title').fill('Kept');
  await page.click('.button:has-text("Save")');
  await page.waitForSelector('h1:has-text("Kept")');
  const { template_version, reference, ttl_seconds } = await w.api('GET', path);
  assert.deepEqual({ template_version, reference, ttl_seconds }, kept);

  await page.click('.button:has-text("Change")');
  await page.getByLabel('Version').selectOption('the published one');
  await page.click('.button:has-text("Save")');
  await page.waitForSelector('dd:has-text("the published one")');
  assert.equal((await w.api('GET', path)).template_version, undefined);
  await w.api('DELETE', path);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a route that is changed keeps what it does without an answer', async () => {
  const path = '/v1/routes/kept';
  await w.api('PUT', path, { match: { tenant: 'demo', channel: 'slack' }, in_doubt: 'give_up', dedup_seconds: 5 });
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/routes/kept'));
  await page.waitForSelector('[data-sentence]:has-text("without an answer: Do not send again")');
  await page.getByLabel('Template').fill('order-card');
  await page.click('.actions .button:has-text("Save")');
  await answer(page, 'only cards');
  await page.waitForSelector('td:has-text("only cards")');
  const { in_doubt, match } = await w.api('GET', path);
  assert.deepEqual([in_doubt, match.template], ['give_up', 'order-card']);
  await page.getByLabel('Without an answer').selectOption('');
  await page.click('.actions .button:has-text("Save")');
  await answer(page, 'as the class says');
  await page.waitForSelector('td:has-text("as the class says")');
  assert.equal((await w.api('GET', path)).in_doubt, undefined);
  await w.api('DELETE', path + '?version=3');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a channel that a recipe declares is written for, routed and suppressed like any other', async () => {
  const recipe = readFileSync(new URL('../../pkg/local/testdata/courier/recipe.yaml', import.meta.url), 'utf8');
  await w.api('PUT', '/v1/recipes/courier', { recipe });
  await w.api('PUT', '/v1/routes/couriers', { match: { channel: 'courier', tenant: 'demo' }, dedup_seconds: 5 });
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/templates/demo/spring-sale'));
  await page.click('.card header .button:has-text("Add")');
  await page.getByLabel('Channel').selectOption('Courier');
  await page.click('dialog footer .button');
  await page.waitForSelector('.tabs button[aria-pressed=true]:has-text("courier zh")');
  await page.goto(w.at('/routes/couriers'));
  await page.waitForSelector('option:has-text("Courier")', { state: 'attached' });
  assert.equal(await page.getByLabel('Channel').evaluate((x) => x.selectedOptions[0].textContent), 'Courier');
  await page.locator('.card:has-text("Channels") .field select').last().selectOption('Courier');
  await page.waitForSelector('strong:has-text("1. courier")');
  await page.goto(w.at('/messages?channel=courier'));
  await page.waitForSelector('#filter-channel option:checked:has-text("Courier")', { state: 'attached' });

  // What is gone is shown as it was, not as another.
  await w.api('DELETE', '/v1/recipes/courier?version=1');
  await page.goto(w.at('/routes/couriers'));
  await page.waitForSelector('[data-sentence]:has-text("courier")');
  assert.equal(await page.getByLabel('Channel').inputValue(), 'courier');
  await w.api('DELETE', '/v1/routes/couriers?version=1');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

const chosen = (page, text, name = 'list.csv') => page.setInputFiles('input[type=file]', { name, mimeType: 'text/csv', buffer: Buffer.from(text) });

/** The form of a campaign, but for its list. */
async function campaign(page) {
  await page.goto(w.at('/campaigns/new'));
  await page.getByLabel('Template').selectOption('demo/spring-sale');
  await page.getByLabel('discount').first().fill('15%');
}

test('a list: what is the same for all does not come out of the file, a mended file is read again, and is put once', async () => {
  const page = await w.open({ lang: 'en' });
  await campaign(page);
  await chosen(page, 'to,name,discount,language\n13900139810,Anna,far too long to be one,zh\n');
  await page.waitForSelector('p:has-text("its own channel or language: language")');
  const from = page.locator('.field:has-text("discount") select').last();
  assert.equal(await from.inputValue(), 'discount', 'a column of its name is taken');
  await from.selectOption('');
  await page.waitForSelector('p:has-text("Columns not used: discount")');
  assert.equal(await page.inputValue('input[type=file]'), '', 'the same file can be chosen again');

  await page.route('**/v1/campaigns', (r) => r.abort(), { times: 1 });
  await page.click('.button:has-text("Upload and check")');
  await page.waitForSelector('main > .cols .alert.bad');
  page.wrong.length = 0; // the browser reports it itself
  await page.click('.button:has-text("Upload and check")');
  await page.waitForURL(/campaigns\/run_/);
  assert.equal(page.requests.filter((u) => u.endsWith('/v1/audiences')).length, 1);
  await page.waitForSelector('[data-word]', { timeout: 20_000 });
  assert.deepEqual((await page.locator('[data-dry] .figure').allTextContents()).slice(0, 2), ['Would be sent1', 'Wrong rows0']);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a list: columns that a spreadsheet would compute, Chinese far down, and a file that cannot be read', async () => {
  const page = await w.open({ lang: 'en' });
  await campaign(page);
  await chosen(page, "to,'=name\n13900139811,'=Anna\n");
  await page.waitForSelector('th:has-text("=name")');
  assert.deepEqual(await page.locator('table [translate=no]').allTextContents(), ['to', '=name', '13900139811', '=Anna']);

  const far = Buffer.concat([Buffer.from('to,name\n' + '13900139812,Ben\n'.repeat(20_000) + '13900139813,'), Buffer.from([0xc0, 0xee, 0xc0, 0xd7, 0x0a])]);
  await page.setInputFiles('input[type=file]', { name: 'far.csv', mimeType: 'text/csv', buffer: far });
  await page.waitForSelector('.alert.warn:has-text("GB18030")');

  await page.evaluate(() => { File.prototype.stream = () => new ReadableStream({ start: (c) => c.error(new DOMException('changed', 'NotReadableError')) }); });
  await chosen(page, 'to,name\n13900139814,Carl\n');
  await page.waitForSelector('.alert.bad:has-text("cannot be read")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a draft is not lost by a look at another version', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/templates/order-service/refund'));
  const text = page.locator('main textarea').first();
  await text.fill('【订单中心】草稿{{order}}{{amount}}');
  await page.click('tr:has-text("v1") .button:has-text("v1")');
  await page.waitForSelector('dialog:has-text("not saved")');
  await page.click('dialog footer .button:has-text("Cancel")');
  assert.equal(await text.inputValue(), '【订单中心】草稿{{order}}{{amount}}');
  await page.click('tr:has-text("v1") .button:has-text("v1")');
  await page.click('dialog footer [type=submit]');
  await page.waitForFunction(() => document.querySelector('main textarea')?.value.includes('3个工作日'));
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a developer tries and changes the endpoints of his tenant, as the API lets him', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/tenants/order-service'));
  await page.click('button:has-text("New key")');
  assert.equal(await page.locator('dialog .check:has-text("support")').count(), 1, 'a key for the help desk can be made');
  await page.context().close();
  const { key } = await w.api('POST', '/v1/keys', { tenant: 'order-service', title: 'developer', scopes: ['read', 'send'], live: true });
  const own = await w.open({ lang: 'en', signedIn: false });
  await own.goto(w.at('/endpoints/order-service/crm'));
  await own.fill('input[type=password]', key);
  await own.keyboard.press('Enter');
  await own.click('.button.main:has-text("test")');
  await own.waitForSelector('tbody tr:has-text("endpoint.test")');
  assert.deepEqual(own.wrong, []);
  await own.context().close();
});

test('what cannot be copied is said; a page that breaks leaves a way on', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at(`/messages/${w.ids.refund}`));
  await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  await page.click('.head .button:has-text("Copy")');
  await page.waitForSelector('.toast.bad:has-text("by hand")');
  assert.deepEqual(page.wrong, []);
  await page.route('**/v1/accounts', (r) => r.fulfill({ json: { items: [{ name: 'y', provider: 'smtp', version: 1, secrets: [], author: 'x', changed_at: '2026-01-02T03:04:05Z', price: 1, currency: 'no currency' }] } }));
  await page.goto(w.at('/providers'));
  await page.waitForSelector('h1:has-text("This page broke")');
  await page.click('#nav a:has-text("Tenants")');
  await page.waitForSelector('td:has-text("order-service")');
  await page.context().close();
});

test('failures over an account are found behind those over others', async () => {
  const { messages: [m] } = await w.api('POST', '/v1/messages/search', { status: 'dead' });
  const page = await w.open({ lang: 'en' });
  let pages = 0;
  await page.route('**/v1/messages/search', (r) => {
    const { cursor, status } = r.request().postDataJSON();
    if (status !== 'dead') return r.continue();
    pages++;
    return r.fulfill({ json: { index: 'trouble', searched: 1, from: m.created_at, to: m.created_at, messages: [cursor === 'c2' ? { ...m, account: 'mail-relay' } : m], next: cursor === 'c2' ? undefined : cursor === 'c1' ? 'c2' : 'c1' } });
  });
  await page.goto(w.at('/providers/mail-relay'));
  await page.waitForSelector('.card:has-text("Failures of late") tbody tr .tag:has-text("Dead")');
  assert.equal(pages, 3);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});
