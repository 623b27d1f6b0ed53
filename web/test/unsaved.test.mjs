// What was typed is not lost by a step aside, and a value that cannot be is not dropped without a word.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answer, setUp, settled } from './console.mjs';

const w = setUp();

/** Changes a field of each form, by its label. */
const forms = {
  '/templates/order-service/refund': (page) => page.locator('main textarea').first().fill('【订单中心】草稿{{order}}{{amount}}'),
  '/templates/new': (page) => page.getByLabel('Name').first().fill('draft'),
  '/routes/otp-sms': (page) => page.getByLabel('Template').fill('login-code'),
  '/providers/mail-relay': (page) => page.getByLabel('Currency').fill('EUR'),
  '/providers/new?provider=smtp': (page) => page.getByLabel('Name').first().fill('second'),
  '/schedules/demo/monday-sale/edit': (page) => page.getByLabel('Title').fill('Mondays'),
  '/campaigns/new': (page) => page.getByLabel('Title').fill('Spring'),
  '/tenants/order-service': (page) => page.getByLabel('Title').fill('Orders'),
  '/settings': (page) => page.locator('main form input').first().fill('7'),
  '/providers/recipes': async (page) => {
    await page.click('.button:has-text("Upload")');
    await page.locator('main textarea').fill('name: x');
  },
};

test('a form with changes is not left without a question', async () => {
  for (const [path, change] of Object.entries(forms)) {
    const page = await w.open({ lang: 'en' });
    const asked = () => page.waitForSelector('dialog:has-text("not saved")');
    await page.goto(w.at('/audit'));
    await page.waitForSelector('main h1');
    await page.evaluate((to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }, '/console' + path);
    await page.waitForSelector('main .form, main textarea, .button:has-text("Upload")');
    await settled(page);
    await page.click('#nav a:has-text("Refused")'); // nothing was changed
    await page.waitForURL(/refused/);
    await page.goBack();
    await page.waitForSelector('main .form, main textarea, .button:has-text("Upload")');
    await settled(page);
    await change(page);
    await page.click('#nav a:has-text("Refused")');
    await asked();
    await page.click('dialog footer .button:has-text("Cancel")');
    await page.goBack();
    await asked();
    assert.ok(page.url().endsWith(path), 'the page is still there');
    await page.click('dialog footer .button:has-text("Cancel")');
    await page.fill('#search', 'A-2002');
    await page.focus('#search');
    await page.keyboard.press('Enter');
    await asked();
    await page.click('dialog footer .button:has-text("Cancel")');
    const closed = page.waitForEvent('dialog');
    await page.evaluate(() => setTimeout(() => location.reload()));
    await (await closed).dismiss();
    await page.goBack();
    await asked();
    await page.click('dialog footer [type=submit]');
    await page.waitForURL(/audit/);
    await page.waitForSelector('h1:has-text("Audit")');
    assert.deepEqual(page.wrong, [], path);
    await page.context().close();
  }
});

test('what was saved is left without a question, and a question goes with its page', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/routes'));
  await page.click('.head .button.main');
  await page.getByLabel('Name').fill('unsaved-route');
  await page.getByLabel('Tenant').fill('demo');
  await page.locator('input[type=number]').first().fill('5');
  const save = page.locator('.actions .button:has-text("Save")');
  await save.click();
  await answer(page, 'try');
  await page.waitForSelector('td:has-text("try")');
  await page.click('#nav a:has-text("Audit")');
  await page.waitForSelector('h1:has-text("Audit")');
  await page.goBack();
  await page.click('.actions .button:has-text("Delete")');
  await page.waitForSelector('#question');
  await page.goBack();
  await page.waitForSelector('#question', { state: 'detached' });
  await w.api('DELETE', '/v1/routes/unsaved-route?version=1');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('what was typed outlives the session, for whoever typed it', async () => {
  const page = await w.open({ lang: 'en' });
  const text = page.locator('main textarea').first(), draft = '【订单中心】草稿{{order}}{{amount}}';
  const expire = async (key) => {
    await page.context().clearCookies();
    await page.waitForSelector('input[type=password]', { timeout: 20_000 }); // the page asks what uses the template every 10 s
    await page.fill('input[type=password]', key);
    await page.keyboard.press('Enter');
    await page.waitForSelector('h1:has-text("refund")');
    await page.waitForSelector('main textarea');
  };
  await page.goto(w.at('/templates/order-service/refund'));
  await text.fill(draft);
  await expire(w.service.key);
  assert.equal(await text.inputValue(), draft);
  const { key } = await w.api('POST', '/v1/keys', { tenant: 'demo', title: 'somebody else', scopes: ['read', 'operate'], live: true });
  await expire(key);
  assert.notEqual(await text.inputValue(), draft);
  await text.fill(draft);
  await page.click('.me .button:has-text("Sign out")');
  await page.waitForSelector('dialog:has-text("not saved")');
  await page.click('dialog footer [type=submit]');
  await page.waitForSelector('input[type=password]');
  assert.equal(await page.locator('textarea, [data-waits]').count(), 0);
  await page.context().close();
});

test('a price that is none is refused beside its field', async () => {
  await w.api('PUT', '/v1/accounts/priced', { provider: 'smtp', channel: 'email', config: { host: 'smtp.example.com', from: 'a@example.com' }, price: 0.04, currency: 'CNY' });
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/providers/priced'));
  const field = page.locator('.field:has(#price)');
  for (const [typed, fix] of [['0,05', '0.05'], ['5分', '0.05'], ['-1', '0.05'], ['1,5', '1.5']]) {
    await page.fill('#price', typed);
    await page.click('form .button:has-text("Save")');
    await field.locator(`.error:has-text("as ${fix}")`).waitFor();
    assert.equal(await page.evaluate(() => document.activeElement.id), 'price');
    assert.equal(await page.locator('dialog').count(), 0);
  }
  assert.equal((await w.api('GET', '/v1/accounts/priced')).price, 0.04, 'nothing was saved');
  await page.fill('#price', '.05');
  await page.click('form .button:has-text("Save")');
  await answer(page, 'new contract');
  await page.waitForSelector('td:has-text("new contract")');
  assert.equal((await w.api('GET', '/v1/accounts/priced')).price, 0.05);
  await w.api('DELETE', '/v1/accounts/priced?version=2');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('faults of runs, lists and recipes are in Chinese', async () => {
  const template = { tenant: 'demo', template: 'spring-sale', channel: 'sms', vars: { discount: '20%' } };
  const run = await w.api('POST', '/v1/campaigns', { ...template, send: true, audience: { path: 'nobody/put-it.csv' } });
  const page = await w.open({ lang: 'zh' });
  await page.goto(w.at(`/campaigns/${run.id}`));
  await page.waitForSelector('.alert.bad:has-text("业务的来源目录里没有文件 nobody/put-it.csv")');
  await page.click('.me button[lang=en]');
  await page.waitForSelector('.alert.bad:has-text("there is no file nobody/put-it.csv in the tenant")');
  await page.click('.me button[lang=zh]');
  await page.goto(w.at(`/campaigns/${w.ids.runs.waiting}`));
  await page.waitForSelector('td:has-text("手机号太短；写上 + 和国家码，如 +8613800138000")');
  await page.waitForSelector('td:has-text("模板缺变量"):has-text("（string）")');
  await page.goto(w.at('/providers/recipes'));
  await page.click('.head .button.main');
  const wrong = 'name: crier\ntitle: {zh: 喊, en: Crier}\ndocs: http://example.com\nchannels: []\n---\nrequest: {method: POST, url: "https://example.com/", json: {a: "${to +}"}}\nanswer: {table: []}\n';
  await page.locator('main textarea').fill(wrong);
  await page.getByLabel('名称').fill('crier');
  await page.click('form .button:has-text("保存")');
  await answer(page, '试');
  await page.waitForSelector('[data-faults] li:has-text("docs 必须是供应商页面的 https 地址")');
  await page.waitForSelector('[data-faults] li:has-text("channels 是空的")');
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await page.locator('main textarea').fill(wrong.replace('http:', 'https:').replace('[]', '[sms]'));
  await page.click('form .button:has-text("保存")');
  await answer(page, '试');
  await page.waitForSelector('[data-faults] li:has-text("request.json.a：表达式第")');
  await page.waitForSelector('[data-faults] li:has-text("answer.table：缺了：这样永远没有消息算发出")');
  await page.context().close();
});
