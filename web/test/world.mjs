// A real `notify local` with data that looks like a company's, and a real browser in front of it.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const browsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
export const browserPath = process.env.CHROMIUM ?? browsers.find(existsSync);

/** Starts the service in a folder of its own; gives its address, links and key. */
export async function start(command) {
  const data = mkdtempSync(join(tmpdir(), 'notify-console-'));
  const child = spawn(command, ['local', '--json', '--addr', '127.0.0.1:0', '--data', data], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, NOTIFY_EGRESS: '203.0.113.7' } });
  const killed = () => child.kill();
  process.once('exit', killed); // a test that fails leaves nothing behind
  const [line] = await Promise.race([
    new Promise((resolve) => createInterface(child.stdout).once('line', (l) => resolve([l]))),
    new Promise((_, reject) => child.once('exit', (code) => reject(new Error(`notify local ended with ${code}`)))),
  ]);
  const stop = async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.off('exit', killed);
    child.kill('SIGINT');
    await ended;
    rmSync(data, { recursive: true, force: true });
  };
  return { ...JSON.parse(line), stop };
}

/** Calls the API as a program does. */
export function client({ url, key }) {
  return async (method, path, body) => {
    const answer = await fetch(url + path, {
      method, headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
    return text ? JSON.parse(text) : undefined;
  };
}

/** Messages in every state that one machine can make, a second tenant, a route, a draft, a suppression. */
export async function seed(service) {
  const api = client(service);
  const send = (body) => api('POST', '/v1/messages', body);
  await api('PUT', '/v1/tenants/order-service', { title: '订单中心 Orders', owner: { name: '李静 Li Jing', phone: '+8613700137000', email: 'lijing@example.com', group: 'orders-oncall' }, region: 'CN', locale: 'zh', per_second: 200, reason: '接入' });
  await api('PUT', '/v1/templates/order-service/refund', {
    class: 'transactional', variables: [{ name: 'amount', type: 'string', example: '99.00' }, { name: 'order', type: 'string', example: 'A-1001' }], reason: '退款通知',
    variants: [{ channel: 'sms', locale: 'zh', text: '【订单中心】您的订单{{order}}已退款{{amount}}元，预计3个工作日到账。' }, { channel: 'sms', locale: 'en', text: '[Orders] Refund of {{amount}} for order {{order}} is on its way.' }],
  });
  await api('POST', '/v1/templates/order-service/refund/publish', { version: 1, reason: '上线' });
  await api('PUT', '/v1/templates/order-service/refund', {
    class: 'transactional', variables: [{ name: 'amount', type: 'string', example: '99.00' }, { name: 'order', type: 'string', example: 'A-1001' }], version: 1, reason: '到账时间改为 1 天',
    variants: [{ channel: 'sms', locale: 'zh', text: '【订单中心】您的订单{{order}}已退款{{amount}}元，预计1个工作日到账。' }, { channel: 'sms', locale: 'en', text: '[Orders] Refund of {{amount}} for order {{order}} is on its way.' }],
  });
  await api('PUT', '/v1/accounts/mail-relay', { provider: 'smtp', channel: 'email', off: true, config: { host: 'smtp.example.com', from: 'noreply@example.com' }, per_second: 20, reason: '等合同' });
  await api('PUT', '/v1/routes/otp-sms', { match: { class: 'otp', channel: 'sms' }, accounts: [{ account: 'inbox-sms' }], dedup_seconds: 30, reason: '验证码专用' });
  await api('POST', '/v1/suppressions', { address: '+8613800138009', channel: 'sms', class: 'marketing', reason: 'opt_out', note: '回复 T 退订' });
  await api('PUT', '/v1/endpoints/order-service/crm', { url: 'https://crm.example.invalid/notify', reason: '对接 CRM' });
  await api('PUT', '/v1/accounts/inbox-wecom', { provider: 'devinbox', channel: 'wecom', config: { behaviour: 'deliver' }, per_second: 1, version: 1, reason: '企业微信限 1 次/秒' });
  for (const to of ['li', 'wang', 'zhao', 'han']) await send({ to, channel: 'wecom', content: { title: '日报', text: '请提交日报' } });
  const ids = {};
  const one = async (name, body) => { ids[name] = (await send(body)).id; };
  await one('code', { to: '+8613800138000', template: 'login-code', vars: { code: '482913' }, reference: 'login-20260102-1' });
  await one('mail', { to: 'li.lei@example.com', template: 'order-shipped', vars: { name: '李雷', order: 'A-1001', url: 'https://shop.example.com/orders/A-1001' }, reference: 'A-1001' });
  await one('refund', { tenant: 'order-service', to: '+8613812345678', template: 'refund', vars: { amount: '128.00', order: 'A-2002' }, reference: 'A-2002' });
  await one('bounced', { to: 'gone@example.com', template: 'order-shipped', vars: { name: '韩梅梅', order: 'A-1002' }, reference: 'A-1002' });
  await one('undelivered', { to: '+8613900139001', template: 'order-shipped', channel: 'sms', vars: { name: '王强', order: 'A-1003' }, reference: 'A-1003' });
  await one('later', { to: '+8613900139002', template: 'order-shipped', channel: 'sms', vars: { name: '赵敏', order: 'A-1004' }, send_at: new Date(Date.now() + 86400e3).toISOString() });
  await one('chat', { to: 'ops', channel: 'feishu', template: 'order-card', vars: { order: 'A-1005', amount: 99.5, customer: '李雷' } });
  for (let i = 0; i < 6; i++) await send({ to: `+86139001391${i}0`, template: 'login-code', vars: { code: String(100000 + i * 7919) } });
  await settle(api, Object.values(ids).filter((id) => String(id).startsWith('msg_') && id !== ids.later));
  for (const [name, state] of [['code', 'delivered'], ['mail', 'delivered'], ['bounced', 'bounced'], ['undelivered', 'undelivered'], ['refund', 'delivered']]) {
    await fetch(`${service.url}/dev/inbox/${ids[name]}/${state}`, { method: 'POST', headers: { Accept: 'application/json' } });
  }
  await until(async () => (await api('GET', `/v1/messages/${ids.refund}`)).status === 'delivered' && (await api('GET', `/v1/messages/${ids.bounced}`)).status === 'bounced');
  const { key } = await api('POST', '/v1/keys', { tenant: 'order-service', title: '订单服务', scopes: ['send'], live: true, reason: '接入' });
  ids.refused = await refuse({ url: service.url, key }, { to: '+8613600136000', channel: 'sms', template: 'refund', vars: { amount: '1.00' }, reference: 'A-4004' });
  await Promise.all([die(api, ids), timed(api, ids)]);
  return ids;
}

/** Asks for what is refused, and gives the request's id. */
async function refuse({ url, key }, body) {
  const answer = await fetch(url + '/v1/messages', { method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, body: JSON.stringify(body) });
  if (answer.status !== 422) throw new Error(`${answer.status} is no refusal`);
  return answer.headers.get('x-request-id');
}

/** An account that is at fault: codes over it use up their attempts within seconds. One is too late soon after; a redrive of two has run. */
async function die(api, ids) {
  await api('PUT', '/v1/templates/order-service/pay-code', {
    class: 'otp', variables: [{ name: 'code', type: 'string', example: '771203', secret: true }], dedup_exclude: ['code'], reason: '支付验证码',
    variants: [{ channel: 'telegram', locale: 'zh', text: '【订单中心】支付验证码{{code}}，请勿告诉他人。' }],
  });
  await api('POST', '/v1/templates/order-service/pay-code/publish', { version: 1, reason: '上线' });
  await behave(api, 'account', '换了机器人');
  const send = async (to, body) => (await api('POST', '/v1/messages', { to, channel: 'telegram', class: 'otp', ttl_seconds: 3600, ...body })).id;
  const code = { tenant: 'order-service', template: 'pay-code', vars: { code: '771203' } };
  const dead = [await send('ops', { content: { text: '值班：数据库磁盘 91%' } }), await send('li', code), await send('wang', code)];
  await until(async () => (await Promise.all(dead.map((id) => api('GET', `/v1/messages/${id}`)))).every((m) => m.status === 'dead'), 600);
  ids.redrive = (await api('POST', '/v1/dlq/redrive', { filter: { tenant: 'demo', account: 'inbox-telegram' }, rate: 10, reason: '机器人已恢复' })).redrive.id;
  await send('zhao', { content: { text: '值班：网关 502' }, ttl_seconds: 15 });
}

/** Makes the account of the dead fail, or work again. */
export async function behave(api, behaviour, reason) {
  const { version } = await api('GET', '/v1/accounts/inbox-telegram');
  await api('PUT', '/v1/accounts/inbox-telegram', { provider: 'devinbox', channel: 'telegram', config: { behaviour }, version, reason });
}

/** A sale to a list with faults that waits for a word, one that was sent, and schedules of every kind. */
async function timed(api, ids) {
  const put = (path, body) => api('PUT', path, body);
  await put('/v1/templates/demo/spring-sale', {
    class: 'marketing', variables: [{ name: 'name', type: 'string', max_length: 20, example: '李雷' }, { name: 'discount', type: 'string', max_length: 10, example: '20%' }], reason: '春季大促',
    variants: [{ channel: 'sms', locale: 'zh', text: '【演示商城】{{name}}，今日全场{{discount}}优惠。拒收请回复R' }],
  });
  await api('POST', '/v1/templates/demo/spring-sale/publish', { version: 1, reason: '已审' });
  const rows = (n, last) => Array.from({ length: n }, (_, i) => ({ to: `+86138001380${10 + i}`, vars: { name: ['李雷', '韩梅梅', '林涛', '魏华'][i % 4] } })).concat(last);
  const order = (body) => api('POST', '/v1/campaigns', { tenant: 'demo', template: 'spring-sale', channel: 'sms', vars: { discount: '20%' }, ...body });
  const waiting = await order({ title: '春季大促 老会员', audience: { upload: await upload(api, '手机号,姓名\n+8613800138050,李雷\n+86138,短号\n+8613800138051,韩梅梅\n13800138051,再来一次\n+8613800138052,\n'), columns: { vars: { name: '姓名' } } } });
  const sent = await order({ title: '春季大促', send: true, audience: { rows: rows(12, [{ to: '+8613800130001', vars: { name: '空号' } }]) } });
  const list = { tenant: 'demo', audience: { rows: rows(3, []) }, template: 'spring-sale', channel: 'sms', vars: { discount: '20%' } };
  await put('/v1/schedules/demo/daily-bills', { ...list, tenant: undefined, title: '每日账单提醒', cron: '0 9 * * ? *', zone: 'Asia/Shanghai', audience: { path: 'bills/{run_date}.csv' }, reason: '财务要求' });
  await put('/v1/schedules/demo/monday-sale', { ...list, tenant: undefined, title: '周一促销', cron: '30 10 ? * MON,THU *', zone: 'Asia/Shanghai', reason: '市场部' });
  await put('/v1/schedules/demo/hourly-report', { ...list, tenant: undefined, every_minutes: 120 });
  await put('/v1/schedules/demo/new-year', { ...list, tenant: undefined, title: '元旦', at: `${new Date().getUTCFullYear() + 1}-01-01T09:00`, zone: 'Asia/Shanghai' });
  await api('POST', '/v1/schedules/demo/new-year/pause', { reason: '等文案' });
  const run = await api('POST', '/v1/schedules/demo/monday-sale/run', { reason: '试一次' });
  await until(async () => {
    const [a, b, c] = await Promise.all([waiting, sent, run].map((r) => api('GET', `/v1/campaigns/${r.id}`)));
    return a.state === 'waiting' && b.finished_at && c.finished_at;
  }, 400);
  ids.runs = { waiting: waiting.id, sent: sent.id };
}

/** Puts a list where the API says. */
export async function upload(api, text, of = 'demo') {
  const body = new TextEncoder().encode(text);
  const to = await api('POST', '/v1/audiences', { tenant: of, size: body.length });
  const answer = await fetch(to.url, { method: to.method, headers: to.headers, body });
  if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
  return to.id;
}

const settle = (api, ids) => until(async () => (await Promise.all(ids.map((id) => api('GET', `/v1/messages/${id}`)))).every((m) => !['queued', 'sending'].includes(m.status)));

/** Asks again until it is so; what is asked does the waiting, there is no event to wait for. */
async function until(so, tries = 200) {
  for (let i = 0; i < tries; i++) {
    if (await so()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error('it never came to be');
}

export const browse = () => chromium.launch({
  executablePath: browserPath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--force-prefers-reduced-motion'],
});
