// Operators send to many: a list is checked, tried, sent, and what failed comes back; a schedule is made and cancelled.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { answer, findings, setUp } from './console.mjs';

const w = setUp();

/** What the browser saved when it was clicked. */
async function saved(page, button) {
  const [file] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return readFileSync(await file.path(), 'utf8');
}

/** A list as Chinese spreadsheets write it: GB18030, one row without a number, one person twice, one whom the inbox refuses. */
const list = Buffer.concat([
  Buffer.from([0xca, 0xd6, 0xbb, 0xfa, 0xba, 0xc5, 0x2c, 0xd0, 0xd5, 0xc3, 0xfb]), // 手机号,姓名
  Buffer.from('\n+8613900139200,Anna\n13900139201,Ben\n,Carl\n+86 139 0013 9200,Anna again\n+8613800130001,Dora\n'),
]);

test('a campaign: from a list to its result, with its failures downloaded and sent again', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/campaigns'));
  await page.click('.head .button.main');
  await page.getByLabel('Template').selectOption('demo/spring-sale');
  await page.getByLabel('Title').fill('Autumn');
  await page.getByLabel('discount').first().fill('15%');
  await page.setInputFiles('input[type=file]', { name: 'members.xlsx', mimeType: 'application/zip', buffer: Buffer.from('PK\x03\x04') });
  await page.waitForSelector('.drop .alert.bad:has-text("Excel")');
  await page.setInputFiles('input[type=file]', { name: 'members.csv', mimeType: 'text/csv', buffer: list });
  await page.waitForSelector('.alert.warn:has-text("GB18030")');
  await page.locator('.field:has-text("name") select').last().selectOption('姓名');
  await page.waitForSelector('.bubble:has-text("Anna")');
  await page.waitForSelector('.wrong-note:has-text("1 of the first 5 rows")');
  assert.equal(await page.locator('.cell.bad').count(), 1);
  assert.deepEqual(await findings(page), []);
  await page.click('.button:has-text("Upload and check")');

  await page.waitForURL(/campaigns\/run_/);
  await page.waitForSelector('[data-word]', { timeout: 20_000 });
  const dry = (await page.locator('[data-dry] .figure').allTextContents()).slice(0, 3);
  assert.deepEqual(dry, ['Would be sent3', 'Wrong rows1', 'Repeated recipients1']);
  assert.match(await saved(page, '.button:has-text("Download wrong rows")'), /^\ufeff手机号,姓名,error\n,Carl,/);
  assert.deepEqual(await findings(page), []);
  await page.click('.head .button.main:has-text("Send")');
  await page.waitForSelector('dialog h2:has-text("Send to 3 people?")');
  await answer(page, 'looks right');
  await page.waitForSelector('.stepper li:last-child.done', { timeout: 30_000 });
  await page.waitForSelector('.alert.warn:has-text("1 did not arrive")');
  assert.deepEqual(await findings(page), []);
  const failures = await saved(page, '.button:has-text("Download failures")');
  assert.match(failures, /^\ufeffrow,to,channel,status,code,text,message\n5,'?\+8613800130001,sms,failed,dev_fail,/);
  assert.equal(failures.trim().split('\n').length, 2);

  // A file that does not fit into one answer comes in several, each with the header.
  await page.route(/failures\.csv/, (r) => {
    const next = r.request().url().includes('after=');
    return r.fulfill({ headers: { 'Content-Type': 'text/csv', ...(next ? {} : { Link: '</v1/campaigns/run_x/failures.csv?after=2>; rel="next"' }) }, body: `row,"to\nwhom"\n${next ? '2,b' : '1,a'}\n` });
  });
  assert.equal(await saved(page, '.button:has-text("Download failures")'), '\ufeffrow,"to\nwhom"\n1,a\n2,b\n');
  await page.unroute(/failures\.csv/);

  // A number leads to the list that it counts.
  await page.click('.figure:has-text("Failed")');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  await page.goBack();
  await page.click('.button:has-text("Resend only failures")');
  await answer(page, 'once more');
  await page.waitForSelector('dd a:has-text("the failures of another run")');
  await page.waitForSelector('.stepper li:last-child.done', { timeout: 30_000 });
  assert.ok(!page.requests.some((u) => /139001392|1380013000/.test(decodeURIComponent(u))), 'no recipient in any URL');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a campaign over the bound is for a second person; it is cancelled', async () => {
  const { version, ...shop } = await w.api('GET', '/v1/tenants/order-service');
  await w.api('PUT', '/v1/tenants/order-service', { title: shop.title, owner: shop.owner, region: 'CN', locale: 'zh', approve_over: 1, version, reason: 'two people' });
  const to = ['+8613900139301', '+8613900139302'].map((x) => ({ to: x, vars: { amount: '1', order: 'A-1' } }));
  const run = await w.api('POST', '/v1/campaigns', { tenant: 'order-service', template: 'refund', channel: 'sms', audience: { rows: to } });
  const page = await w.open();
  await page.goto(w.at(`/campaigns/${run.id}`));
  await page.waitForSelector('[data-word]:has-text("以外的人")', { timeout: 20_000 });
  await page.click('.head .button.main');
  await answer(page, '我自己来');
  await page.waitForSelector('.head .alert.bad'); // its author may not
  page.wrong.length = 0; // the browser reports the answer 409 itself
  await page.click('.head .button.danger');
  await answer(page, '不发了');
  await page.waitForSelector('.alert.warn:has-text("不发了")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a schedule is made, its next times seen first, changed, run, paused and cancelled', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/schedules/new'));
  await page.click('.tabs button:has-text("Weekly")');
  await page.click('.tabs button:has-text("Friday")');
  await page.getByPlaceholder('09:00').fill('25:00');
  await page.waitForSelector('.field.wrong');
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await page.getByPlaceholder('09:00').fill('08:30');
  await page.waitForFunction(() => document.querySelector('[data-next]')?.textContent.includes('08:30'));
  let told; // what is due by another clock is shown by it, once it is known
  await page.route('**/v1/schedules/preview', (r) => { told = () => r.continue(); }, { times: 1 });
  const [asked] = await Promise.all([page.waitForRequest('**/v1/schedules/preview'), page.getByLabel('Time zone').selectOption('America/New_York')]);
  assert.match(await page.locator('[data-next] td').first().textContent(), /08:30/);
  await told();
  await (await asked.response()).finished();
  await page.waitForFunction(() => document.querySelectorAll('[data-next]').length === 5);
  assert.match(await page.locator('[data-next] td').first().textContent(), /08:30/);
  await page.getByLabel('Template').selectOption('demo/spring-sale');
  await page.getByLabel('name', { exact: true }).fill('you');
  await page.getByLabel('discount').fill('5%');
  await page.click('.tabs button:has-text("Typed here")');
  await page.fill('main textarea', '+8613900139400\n+8613900139401');
  await page.locator('.card:has-text("Its name") input').first().fill('weekly-offer');
  assert.deepEqual(await findings(page), []);
  await page.click('.button:has-text("Save")');
  await page.waitForSelector('.note:has-text("Monday, Friday at 08:30")');
  await page.click('.button:has-text("Change")');
  await page.getByLabel('Title').fill('The weekly offer');
  await page.click('.button:has-text("Save")'); // its list stays
  await page.waitForSelector('h1:has-text("The weekly offer")');
  await page.waitForSelector('dd:has-text("2 people")');
  await page.click('.button:has-text("Pause")');
  await answer(page, 'holiday');
  await page.waitForSelector('h1 .tag.warn');
  await page.click('.button:has-text("Resume")');
  await answer(page, 'back');
  await page.waitForSelector('h1 .tag.good');
  await page.click('.button:has-text("Run now")');
  await answer(page, 'try it');
  await page.waitForSelector('dd a:has-text("weekly-offer")');
  await page.waitForSelector('.stepper li:last-child.done', { timeout: 30_000 });
  await page.click('dd a:has-text("weekly-offer")');
  await page.waitForFunction(() => document.querySelectorAll('.cols tbody a').length >= 1);
  assert.deepEqual(await findings(page), []);
  await page.click('.button.danger');
  await answer(page, 'no longer');
  await page.waitForSelector('.week');
  assert.equal(await page.locator('td a:has-text("The weekly offer")').count(), 0);
  await page.goto(w.at('/schedules/demo/weekly-offer'));
  await page.waitForSelector('.alert.warn');
  page.wrong = page.wrong.filter((x) => !/404/.test(x)); // it is gone, and the browser says so
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a schedule without a zone is due by UTC, and stays so when something else is changed', async () => {
  const path = '/v1/schedules/demo/utc-report';
  await w.api('PUT', path, { template: 'spring-sale', channel: 'sms', vars: { discount: '20%' }, audience: { rows: [{ to: '+8613900139601', vars: { name: '李雷' } }] }, cron: '0 9 * * ? *' });
  const page = await w.open({ lang: 'en', timezoneId: 'Asia/Shanghai' });
  await page.goto(w.at('/schedules/demo/utc-report'));
  await page.waitForSelector('.note:has-text("at 09:00"):has-text("UTC")');
  await page.click('.button:has-text("Change")');
  await page.getByLabel('Title').fill('The report');
  await page.click('.button:has-text("Save")');
  await page.waitForSelector('h1:has-text("The report")');
  assert.match((await w.api('GET', path)).next[0], /T09:00:00Z$/);
  await w.api('DELETE', path);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a template: who uses it, a real message to try it, and the stop of the press', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/templates/demo/spring-sale'));
  await page.waitForSelector('tr:has-text("Campaign") .tag:has-text("Awaiting go-ahead")');
  await page.waitForSelector('tr:has-text("daily-bills"):has-text("the published one")');
  await page.click('.button:has-text("Test send")');
  await page.locator('dialog input').fill('13900139500');
  await page.click('dialog footer [type=submit]');
  await page.waitForSelector('[data-try=true]');
  assert.deepEqual(await findings(page), []);
  await page.keyboard.press('Escape');
  await page.click('.button:has-text("Stop this version v1")');
  await page.waitForSelector('[data-press]');
  const go = page.locator('dialog footer [type=submit]');
  const [typed, reason] = [0, 1].map((i) => page.locator('dialog .field input').nth(i));
  await reason.fill('wrong price');
  await typed.fill('spring-sale v2');
  assert.ok(await go.isDisabled(), 'another version is not this one');
  await typed.fill('spring-sale v1');
  await go.click();
  await page.waitForSelector('.toast:has-text("stopped, ")');
  await page.waitForFunction(() => ![...document.querySelectorAll('tr')].some((r) => r.textContent.includes('Awaiting go-ahead')));
  await page.waitForSelector('tr:has-text("daily-bills")'); // schedules go on
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a role that may not: support finds and reads, sees no button that it may not press, and is refused', async () => {
  const { key } = await w.api('POST', '/v1/keys', { tenant: 'order-service', title: 'help desk', scopes: ['read', 'support'], live: true, reason: 'the help desk' });
  const page = await w.open({ lang: 'en', signedIn: false });
  await page.goto(w.at('/campaigns'));
  await page.fill('input[type=password]', key);
  await page.keyboard.press('Enter');
  await page.waitForSelector('.week');
  assert.deepEqual(await page.locator('main .button').allTextContents(), []);
  await page.goto(w.at(`/campaigns/${w.ids.runs.sent}`));
  await page.waitForSelector('.stepper');
  assert.deepEqual(await page.locator('main .button').allTextContents(), ['Download failures']);
  await page.goto(w.at('/schedules/demo/monday-sale'));
  await page.waitForSelector('[data-next]');
  assert.deepEqual(await page.locator('main .button').allTextContents(), []);
  await page.goto(w.at('/campaigns/new'));
  await page.waitForSelector('main:has-text("Needs a key with the scope send")');
  await page.goto(w.at('/templates/demo/spring-sale'));
  await page.waitForSelector('tr:has-text("daily-bills")');
  for (const word of ['Publish', 'Stop', 'Save', 'Test send', 'Share', 'Restore']) assert.equal(await page.locator(`main .button:has-text("${word}")`).count(), 0, word);
  await page.goto(w.at(`/messages/${w.ids.later}`));
  await page.waitForSelector('.timeline');
  for (const word of ['Resend', 'Cancel message', 'Retry']) assert.equal(await page.locator(`main .button:has-text("${word}")`).count(), 0, word);
  assert.deepEqual(await findings(page), []);
  const answers = await page.evaluate(async ([run, message]) => {
    const say = async (method, path, body) => (await fetch(path, { method, body: body && JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })).status;
    return [
      await say('POST', `/v1/campaigns/${run}/cancel`, {}), await say('POST', '/v1/schedules/demo/monday-sale/pause', {}), await say('DELETE', '/v1/schedules/demo/monday-sale'),
      await say('POST', '/v1/templates/demo/spring-sale/publish', { version: 1 }), await say('POST', `/v1/messages/${message}/cancel`, {}), await say('POST', '/v1/messages', { to: '13900139501', template: 'login-code' }),
    ];
  }, [w.ids.runs.sent, w.ids.later]);
  assert.deepEqual(answers, [403, 403, 403, 403, 403, 403]);
  page.wrong = page.wrong.filter((x) => !/403/.test(x)); // the browser reports them itself
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});
