// The console in a real browser against a real service: every page as it looks, and both journeys.
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { test } from 'node:test';
import { answer, askAt, setUp, findings, leftovers, settled } from './console.mjs';
import { client } from './world.mjs';

const shots = new URL('shots/', import.meta.url);
mkdirSync(shots, { recursive: true });
const w = setUp();

const pages = {
  overview: () => '/', messages: () => '/messages', message: () => `/messages/${w.ids.refund}`, mail: () => `/messages/${w.ids.mail}`, send: () => '/send?template=demo/login-code',
  campaigns: () => '/campaigns', campaign: () => `/campaigns/${w.ids.runs.waiting}`, 'campaign-sent': () => `/campaigns/${w.ids.runs.sent}`, 'campaign-new': () => '/campaigns/new?template=demo/spring-sale',
  schedule: () => '/schedules/demo/monday-sale', 'schedule-edit': () => '/schedules/demo/monday-sale/edit', 'schedule-new': () => '/schedules/new',
  templates: () => '/templates', template: () => '/templates/order-service/refund', providers: () => '/providers', account: () => '/providers/mail-relay', 'new-account': () => '/providers/new?provider=tencent-sms', gallery: () => '/providers/new', recipes: () => '/providers/recipes',
  routes: () => '/routes', route: () => '/routes/otp-sms', tenants: () => '/tenants', tenant: () => '/tenants/order-service', traffic: () => '/traffic', refused: () => '/refused', users: () => '/users', inbox: () => '/inbox', 'inbox-chat': () => `/inbox?channel=feishu&m=${w.ids.chat}`, 'inbox-mail': () => `/inbox?channel=email&m=${w.ids.mail}`, audit: () => '/audit', throttles: () => '/throttles', settings: () => '/settings', endpoints: () => '/endpoints', endpoint: () => '/endpoints/order-service/crm', suppressions: () => '/suppressions', dlq: () => '/dlq', redrive: () => `/dlq/${w.ids.redrive}?of=2`, api: () => '/api',
};
/**
 * The same page again: language and theme change in place, by so many clicks. What a language breaks, it breaks in
 * both themes, and the other way round, so two looks see it; LOOKS=all are all four.
 */
const looks = process.env.LOOKS === 'all'
  ? [['zh', 'light', 0, 0], ['zh', 'dark', 0, 1], ['en', 'dark', 1, 0], ['en', 'light', 0, 2]]
  : [['zh', 'light', 0, 0], ['en', 'dark', 1, 1]];

async function look(page, name, width) {
  const wrong = [];
  await page.setViewportSize({ width, height: 800 });
  await page.goto(w.at(pages[name]()));
  await settled(page);
  for (const [lang, theme, languages, themes] of looks) {
    for (let i = 0; i < languages; i++) await page.click('.me button[lang]');
    for (let i = 0; i < themes; i++) await page.click('.me button[lang] + button');
    await page.waitForSelector(`html[lang=${lang}][data-theme=${theme}]`);
    const say = (text) => wrong.push(`${name} ${lang} ${theme} ${width}: ${text}`);
    for (const f of await findings(page)) say(`axe ${f}`);
    if (lang === 'en') for (const text of await leftovers(page)) say(`not translated: ${text}`);
    const over = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (over > 0) say(`${over} px too wide`);
    await page.screenshot({ path: new URL(`${name}-${lang}-${theme}-${width}.jpg`, shots).pathname, type: 'jpeg', quality: 80 });
  }
  return wrong;
}

/** PAGES=dlq,message looks at those only. */
const chosen = process.env.PAGES?.split(',') ?? Object.keys(pages);

for (const [width, names] of [[1280, chosen], [375, ['overview', 'messages', 'message', 'template', 'tenants', 'endpoint', 'dlq']]]) {
  test(`every page in both languages and themes, ${width} px`, { timeout: 900_000 }, async () => {
    const wrong = [];
    const left = [...names];
    const lane = async () => {
      for (let name = left.shift(); name; name = left.shift()) {
        const page = await w.open();
        wrong.push(...(await look(page, name, width)), ...page.wrong);
        await page.context().close();
      }
    };
    await Promise.all([lane(), lane()]);
    assert.deepEqual(wrong, []);
  });
}

const ask = (page, text) => askAt(page, w.at('/'), text);

test('the user says it never came', async () => {
  const page = await w.open();
  for (const spelling of ['+86 138-1234-5678', '13812345678', '１３８１２３４５６７８']) {
    await ask(page, spelling);
    assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'delivered_sms');
    assert.match(await page.textContent('[data-owner]'), /李静/);
  }
  await ask(page, 'gone@example.com');
  assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'bounced');
  await ask(page, '13512345678');
  assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'none');
  await ask(page, 'A-2002');
  assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'delivered_sms');
  await ask(page, w.ids.refund);
  await page.waitForSelector('.timeline');
  assert.ok(!page.requests.some((u) => /138-?1234|１３８|135123|example\.com|A-2002/.test(decodeURIComponent(u.replace(/msg_\w+/g, '')))), 'no recipient in any URL');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('we called you and nothing came', async () => {
  const page = await w.open({ lang: 'en' });
  for (const paste of ['136 0013 6000', 'A-4004']) {
    await ask(page, paste);
    assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'none_refused');
    assert.match(await page.textContent('.verdict'), /order-service asked .* refused.*Li Jing/s);
    await page.waitForSelector('td:has-text("/vars/order")');
    await page.waitForSelector(`td:has-text("${w.ids.refused}")`);
  }
  assert.deepEqual(await findings(page), []);
  await page.goto(w.at('/'));
  await page.fill('#search', w.ids.refused);
  await page.keyboard.press('Enter');
  await page.waitForURL(/refused\?request=req_/);
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 1);
  assert.ok(!page.requests.some((u) => /136001|A-4004/.test(decodeURIComponent(u.replace(/(msg|req)_\w+/g, '')))), 'no recipient in any URL');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('whose message is this', async () => {
  const page = await w.open({ lang: 'en' });
  await ask(page, '【订单中心】您的订单A-2002已退款128.00元，预计3个工作日到账。');
  assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), 'who_template');
  assert.match(await page.textContent('[data-owner]'), /Li Jing/);
  await page.waitForSelector('a[href="tel:+8613700137000"]');
  for (const [piece, verdict] of [['已退款128.00元，预计3个工', 'who_piece'], ['13812345678 您的订单A-2002已退款', 'who_piece_sent'], ['元到账', 'none_matching'], ['【订单】到账', 'who_short']]) {
    await ask(page, piece);
    assert.equal(await page.getAttribute('[data-verdict]', 'data-verdict'), verdict, piece);
  }
  page.wrong.length = 0; // the browser reports the answer 422 itself: a few words are no recipient
  await ask(page, '【天上人间】恭喜您中奖了，点击链接领取');
  assert.match(await page.getAttribute('[data-verdict]', 'data-verdict'), /^who_(stranger|none)$/);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('send: named errors beside their fields, explained, sent', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/send?template=demo/login-code'));
  await page.fill('input[autocomplete=off]:not(#search)', '13800138777');
  await page.waitForSelector('.field.wrong .error');
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await page.fill('input[placeholder="482913"]', '135790');
  await page.waitForSelector('.bubble:has-text("135790")');
  await page.click('main form [type=submit]');
  await page.click('.alert.good a');
  await page.waitForSelector('.timeline');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a list is sent, an entry a line', async () => {
  await w.api('PUT', '/v1/templates/demo/receipt', {
    class: 'transactional', variables: [{ name: 'items', type: 'list' }], variants: [{ channel: 'sms', locale: 'zh', text: '【演示商城】已购{{#items}} {{item}}×{{n}}{{/items}}' }],
  });
  await w.api('POST', '/v1/templates/demo/receipt/publish', { version: 1 });
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/send?template=demo/receipt'));
  await page.getByLabel('Recipient').fill('13900139700');
  await page.getByLabel('items').fill('{"item": "tea", "n": 2}\n\n{"item": "cup", "n": 1}\n');
  await page.waitForSelector('.bubble:has-text("已购 tea×2 cup×1")');
  await page.click('.button:has-text("Send now")');
  await page.waitForSelector('.alert.good');

  const path = '/v1/schedules/demo/receipts', items = [{ item: 'tea', n: 2 }, { item: 'cup', n: 1 }];
  await w.api('PUT', path, { template: 'receipt', channel: 'sms', vars: { items }, audience: { rows: [{ to: '+8613900139701' }] }, cron: '0 9 * * ? *', zone: 'Asia/Shanghai' });
  await page.goto(w.at('/schedules/demo/receipts/edit'));
  await page.getByLabel('items').waitFor();
  await page.getByLabel('Title').fill('The receipts');
  await page.click('.button:has-text("Save")'); // its list stays
  await page.waitForSelector('h1:has-text("The receipts")');
  assert.deepEqual((await w.api('GET', path)).vars, { items });
  await w.api('DELETE', path);
  assert.deepEqual(page.wrong.filter((text) => !text.includes('422')), []); // a form that is half filled may have been looked at
  await page.context().close();
});

test('a template is edited, published and restored', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/templates/order-service/refund'));
  await page.fill('main textarea', '【订单中心】订单{{order}}退款{{amount}}元已到账，{{nobody}}。');
  await page.waitForSelector('.alert.bad:has-text("nobody")');
  await page.fill('main textarea', '【订单中心】订单{{order}}退款{{amount}}元已到账。');
  await page.waitForSelector('.bubble:has-text("已到账")');
  await page.click('.head .button.main');
  await answer(page, 'shorter');
  await page.click('.head .button.main:has-text("Publish v3")');
  await answer(page, 'agreed');
  await page.waitForSelector('.note:has-text("Published: v3")');
  await page.click('tr:has-text("v1") .button:has-text("Restore")');
  await answer(page, 'complaints');
  await page.waitForSelector('.note:has-text("Published: v1")');
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a key is shown once and works; one that may not is told so', async () => {
  const page = await w.open({ lang: 'en' });
  await page.goto(w.at('/tenants'));
  await page.click('button:has-text("New key")');
  await page.fill('dialog input', 'reader');
  await page.click('dialog .check:has-text("send") input');
  await page.click('dialog footer [type=submit]');
  const key = (await page.textContent('[data-key]')).trim();
  assert.match(key, /^nfy_test_/);
  await page.context().close();

  const reader = await w.open({ lang: 'en', signedIn: false });
  await reader.goto(w.at('/send'));
  await reader.fill('input[type=password]', key);
  await reader.keyboard.press('Enter');
  await reader.waitForSelector('main:has-text("Needs a key with the scope send")');
  await reader.goto(w.at(`/messages/${w.ids.code}`));
  await reader.waitForSelector('.timeline');
  assert.equal(await reader.locator('button:has-text("Resend")').count(), 0);
  assert.deepEqual(reader.wrong, []);
  await reader.click('button:has-text("Sign out")');
  await reader.waitForSelector('input[type=password]');
  await reader.context().close();
});

test('a route holds back at night, played through before it is saved, and undone', async () => {
  const page = await w.open();
  await page.goto(w.at('/routes/otp-sms'));
  await page.waitForSelector('[data-sentence]');
  await page.getByLabel('免打扰时段').check();
  await page.fill('input[placeholder="22:00"]', '21:30');
  await page.fill('input[placeholder="Asia/Shanghai"]', 'Mars');
  assert.match(await page.textContent('[data-sentence]'), /21:30/);
  const save = page.locator('.actions .button:has-text("保存")');
  await save.click();
  await answer(page, '夜里不打扰');
  await page.waitForSelector('.field.wrong'); // the zone does not exist, and the form is kept
  page.wrong.length = 0; // the browser reports the answer 422 itself
  await page.fill('input[placeholder="Asia/Shanghai"]', 'Asia/Shanghai');
  await page.click('header .button:has-text("试算")');
  await page.waitForSelector('[data-simulation]');
  await save.click();
  await answer(page, '夜里不打扰');
  await page.waitForFunction(() => document.querySelectorAll('tbody tr').length === 2);
  assert.deepEqual(await findings(page), []);
  await page.click('.actions .button:has-text("撤销")');
  await answer(page, '撤回');
  await page.waitForFunction(() => !document.querySelector('[data-sentence]')?.textContent?.includes('21:30'));
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a person is let in, with a role, and switched off', async () => {
  const page = await w.open();
  await page.goto(w.at('/users'));
  await page.click('.head .button.main');
  const fields = page.locator('dialog .field input');
  await fields.nth(0).fill('li');
  await fields.nth(1).fill('nobody');
  await page.click('dialog footer .button.main');
  await page.waitForSelector('dialog .field.wrong');
  page.wrong.length = 0;
  await fields.nth(1).fill('li@example.com');
  await page.click('dialog footer .button.main');
  await page.waitForSelector('tbody tr:has-text("li@example.com")');
  assert.deepEqual(await findings(page), []);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('an account is switched off and on; a wrong login keeps the form', async () => {
  const page = await w.open();
  await page.goto(w.at('/providers'));
  const card = page.locator('.card', { has: page.locator('h2:has-text("inbox-discord")') });
  for (const reason of ['维护', '恢复']) {
    const before = await card.locator('.tag').textContent();
    await card.locator('button').click();
    await answer(page, reason);
    await page.waitForFunction(([text]) => ![...document.querySelectorAll('.card')].some((c) => c.querySelector('h2')?.textContent === 'inbox-discord' && c.querySelector('.tag')?.textContent === text), [before]);
  }
  assert.deepEqual(page.wrong, []);
  await page.context().close();
  const stranger = await w.open({ signedIn: false });
  await stranger.goto(w.service.console); // used up already
  await stranger.waitForSelector('.alert.bad');
  await stranger.waitForSelector('input[type=password]');
  assert.deepEqual(await findings(stranger), []);
  await stranger.context().close();
});

test('the first load is small, cached for good, and under a strict policy', async () => {
  const page = await w.open({ signedIn: false });
  const answers = [];
  page.on('response', (r) => answers.push(r.allHeaders()));
  const first = await page.goto(w.at('/messages'));
  await page.waitForSelector('form');
  await page.waitForLoadState('networkidle');
  const bytes = (await Promise.all(answers)).reduce((sum, h) => sum + Number(h['content-length'] ?? 0), 0);
  assert.ok(bytes > 1000 && bytes <= 100 * 1024, `${bytes} bytes`);
  assert.match(first.headers()['content-security-policy'], /default-src 'none'; script-src 'self'; style-src 'self'/);
  const script = page.requests.find((u) => u.endsWith('.js'));
  const got = await fetch(script);
  assert.match(got.headers.get('cache-control'), /immutable/);
  assert.deepEqual(page.wrong, []);
  await page.context().close();
});

test('a mail runs nothing', async () => {
  const api = client(w.service);
  const { id } = await api('POST', '/v1/messages', { to: 'x@example.com', channel: 'email', content: { subject: 'x', html: '<p id="x">hello</p><script>top.document.title="owned"</script><img src="https://example.com/pixel">' } });
  const page = await w.open();
  await page.goto(w.at(`/messages/${id}`));
  await page.frameLocator('iframe').locator('#x').waitFor();
  assert.equal(await page.title(), 'notify');
  assert.ok(!page.requests.includes('https://example.com/pixel') || page.wrong.some((w) => /Content Security Policy/.test(w)), 'nothing is fetched');
  await page.context().close();
});
