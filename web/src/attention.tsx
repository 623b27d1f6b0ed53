// What somebody should look at now, the worst first, each with the way there; and the limits that are nearest.
import type { ComponentChildren } from 'preact';
import type { Account, AccountList, Alarms, EndpointList, RedriveAnswer, RunList, TemplateList } from './api.gen.ts';
import { get, post, query } from './api.ts';
import { number } from './format.ts';
import { Gauge } from './gauge.tsx';
import { pick, t, word } from './i18n.ts';
import { useLoad } from './load.ts';
import { A, to } from './route.tsx';
import { may } from './state.ts';
import { Card, Empty, Raw, Tag, When, tone } from './ui.tsx';

interface Work { key: string; text: ComponentChildren; href: string; go: string; tone: string; away?: boolean }
const order = ['bad', 'warn', 'info', 'calm'];

/** Counted are how many of today's messages have a status, and whether there are more. */
export function Attention({ counted, accounts }: { counted?: [string, number, boolean][]; accounts?: AccountList }) {
  const on = may('operate');
  const alarms = useLoad(() => (on ? get<Alarms>('/v1/alarms') : Promise.resolve(undefined)), [], 15000);
  const templates = useLoad(() => get<TemplateList>('/v1/templates'), [], 30000);
  const endpoints = useLoad(() => get<EndpointList>('/v1/endpoints'), [], 30000);
  const runs = useLoad(() => get<RunList>('/v1/campaigns' + query({ limit: 20 })).catch((): undefined => undefined), [], 30000);
  const dead = useLoad(() => (on ? post<RedriveAnswer>('/v1/dlq/redrive', { dry_run: true }) : Promise.resolve(undefined)), [], 15000);

  const work: Work[] = [], n = dead.data?.dry_run;
  // What an account's row or that of the dead letters says is said once, there: it leads to what can be done.
  const said = (name: string, channel?: string) => (name === 'dead-letters' && !!n?.matched)
    || (name === 'limit-used' && !!accounts?.items.some((a) => a.channel === channel && near(a).length > 0));
  for (const a of alarms.data?.items ?? []) {
    if (!said(a.name, a.channel)) work.push({ key: 'alarm' + (a.channel ?? '') + a.name, tone: 'bad', text: <><span>{a.channel ? word('channel', a.channel) : 'notify'}: {pick(a.title)}</span> <span class="faint">{t('todo.alarm', { n: number(+a.value.toFixed(1)), of: number(a.threshold) })}</span></>, href: a.runbook, go: t('todo.runbook'), away: true });
  }
  for (const a of accounts?.items ?? []) {
    const href = to('providers', a.name), h = a.health;
    if (a.off) work.push({ key: 'off' + a.name, tone: 'warn', text: <>{t('todo.off')} <Raw>{a.name}</Raw></>, href, go: t('look') });
    else if (h && h.state !== 'closed') work.push({ key: 'health' + a.name, tone: h.state === 'open' ? 'bad' : 'warn', text: <><Raw>{a.name}</Raw> {h.state === 'open' ? t('account.fails') : t('account.back', { n: Math.round((h.share ?? 0) * 100) })} <span class="faint"><When at={h.since} ago /></span></>, href, go: t('look') });
    for (const u of near(a)) work.push({ key: 'limit' + a.name + u.window, tone: u.part >= 0.95 ? 'bad' : 'warn', text: t('todo.limit', { name: a.name, n: Math.round(u.part * 100), window: t(`window.${u.window}`) }), href: '/throttles' + query({ account: a.name }), go: t('todo.who') });
  }
  // Those that are too late stay dead, whatever anybody does.
  const wait = n ? n.matched - n.expired : 0;
  if (n && n.matched > 0) work.push({ key: 'dlq', tone: wait > 0 ? 'bad' : 'calm', text: t(wait > 0 ? 'todo.dead' : 'todo.dead.late', { n: number(wait || n.expired) + (n.more ? '+' : '') }), href: '/dlq', go: t('look') });
  for (const [status, count, more] of counted ?? []) {
    if (count > 0 && status !== 'dead') work.push({ key: status, tone: tone(status), text: t('todo.status', { n: number(count) + (more ? '+' : ''), status: word('status', status) }), href: '/messages' + query({ status, since: 'today' }), go: t('look') });
  }
  for (const r of runs.data?.items ?? []) {
    if (r.state === 'waiting' || r.state === 'paused' || r.state === 'failed') work.push({ key: r.id, tone: r.state === 'failed' ? 'bad' : 'warn', text: <>{t('todo.run')} <Raw>{r.title || r.template}</Raw>: {word('run', r.state)}</>, href: to('campaigns', r.id), go: t('look') });
  }
  for (const e of endpoints.data?.items ?? []) if (e.off && e.off_why !== 'by_hand') work.push({ key: 'hook' + e.tenant + e.name, tone: 'bad', text: <><Raw>{e.tenant}/{e.name}</Raw> {word('endpoint', e.off_why ?? '')}</>, href: to('endpoints', e.tenant, e.name), go: t('look') });
  for (const x of templates.data?.items ?? []) if (!x.published) work.push({ key: x.tenant + x.name, tone: 'calm', text: <>{t('todo.unpublished')} <Raw>{x.tenant}/{x.name}</Raw></>, href: to('templates', x.tenant, x.name), go: t('look') });
  work.sort((a, b) => order.indexOf(a.tone) - order.indexOf(b.tone));
  return (
    <Card title={t('todo')} extra={work.length > 0 && <Tag tone={work[0]?.tone}>{work.length}</Tag>}>
      {work.length === 0 ? <Empty><Tag tone="good">{t('todo.none')}</Tag></Empty> : (
        <ul class="todo">{work.map((w) => <li key={w.key}><span class="line"><i class={`dot ${w.tone}`} /><span>{w.text}</span></span>{w.away ? <a class="button small" href={w.href} rel="noreferrer" target="_blank">{w.go}</a> : <A class="button small" href={w.href}>{w.go}</A>}</li>)}</ul>
      )}
    </Card>
  );
}

/** The limits of an account that are used by so much. */
const near = (a: Account, from = 0.8) => (a.health?.used ?? []).map((u) => ({ ...u, part: u.limit > 0 ? u.used / u.limit : 0 })).filter((u) => u.part >= from);

/** The limits that are used most, whether or not they are near. */
export function Limits({ accounts }: { accounts?: AccountList }) {
  const list = (accounts?.items ?? []).flatMap((a) => near(a, 0.01).map((u) => ({ ...u, name: a.name }))).sort((x, y) => y.part - x.part).slice(0, 4);
  if (list.length === 0) return null;
  return (
    <Card title={t('limits')} extra={<A href="/throttles">{t('throttles')}</A>}>
      <div class="stack">{list.map((u) => <A key={u.name + u.window} class="plain" href={to('providers', u.name)}><Gauge label={`${u.name} · ${t(`window.${u.window}`)}`} used={u.used} limit={u.limit} said={t('gauge.of', { n: number(u.used), of: number(u.limit) })} /></A>)}</div>
    </Card>
  );
}
