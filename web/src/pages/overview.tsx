// What is wrong today, and where to go. Only what the API can answer: counts come from searches.
import type { ComponentChildren } from 'preact';
import { Ahead } from '../ahead.tsx';
import type { AccountList, Alarms, DeadLetterList, KeyList, RunList, SearchAnswer, TemplateList } from '../api.gen.ts';
import { get, post, query } from '../api.ts';
import { today } from '../format.ts';
import { pick, t, word } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A, to } from '../route.tsx';
import { may } from '../state.ts';
import { Card, Empty, Loading, Page, Raw, Tag, Trouble, tone } from '../ui.tsx';
import { MessageTable } from '../verdict.tsx';
import { Traffic } from './traffic.tsx';

/** Those with an index of their own, so that counting them reads nothing else. */
const troubles = ['failed', 'undelivered', 'bounced', 'complained', 'in_doubt', 'dead'] as const;
const most = 200;

async function counts(): Promise<[string, number, boolean][]> {
  const from = today();
  return Promise.all(troubles.map(async (status): Promise<[string, number, boolean]> => {
    const page = await post<SearchAnswer>('/v1/messages/search', { status, from, limit: most });
    return [status, page.messages.length, !!page.next];
  }));
}

interface Work { key: string; text: ComponentChildren; href: string; go: string; tone: string; away?: boolean }

export function Overview() {
  const figures = useLoad(counts, [], 15000);
  const latest = useLoad(() => post<SearchAnswer>('/v1/messages/search', { limit: 10 }), [], 5000);
  const alarms = useLoad(() => (may('operate') ? get<Alarms>('/v1/alarms') : Promise.resolve(undefined)), [], 15000);
  const accounts = useLoad(() => (may('operate') ? get<AccountList>('/v1/accounts') : Promise.resolve(undefined)), [], 30000);
  const templates = useLoad(() => get<TemplateList>('/v1/templates'), [], 30000);
  const dead = useLoad(() => (may('operate') ? get<DeadLetterList>('/v1/dlq' + query({ limit: 100 })) : Promise.resolve(undefined)), [], 15000);
  const runs = useLoad(() => get<RunList>('/v1/campaigns' + query({ limit: 20 })).catch((): undefined => undefined), [], 30000);
  const keys = useLoad(() => (may('operate') ? get<KeyList>('/v1/keys') : Promise.resolve(undefined)), []);

  const work: Work[] = [];
  for (const a of alarms.data?.items ?? []) work.push({ key: a.channel + a.name, tone: 'bad', text: <span>{word('channel', a.channel)}: {pick(a.title)} (<Raw>{+a.value.toFixed(1)}</Raw>)</span>, href: a.runbook, go: t('todo.runbook'), away: true });
  const n = dead.data?.items.length ?? 0;
  if (n > 0) work.push({ key: 'dlq', tone: 'bad', text: t('todo.dead', { n: n + (dead.data?.next ? '+' : '') }), href: '/dlq', go: t('look') });
  for (const [status, count, more] of figures.data ?? []) {
    if (count > 0 && status !== 'dead') work.push({ key: status, tone: tone(status), text: t('todo.status', { n: count + (more ? '+' : ''), status: word('status', status) }), href: '/messages' + query({ status, since: 'today' }), go: t('look') });
  }
  for (const r of runs.data?.items ?? []) {
    if (r.state === 'waiting' || r.state === 'paused' || r.state === 'failed') work.push({ key: r.id, tone: r.state === 'failed' ? 'bad' : 'warn', text: <>{t('todo.run')} <Raw>{r.title || r.template}</Raw>: {word('run', r.state)}</>, href: to('campaigns', r.id), go: t('look') });
  }
  for (const a of accounts.data?.items ?? []) if (a.off) work.push({ key: a.name, tone: 'warn', text: <>{t('todo.off')} <Raw>{a.name}</Raw></>, href: to('providers', a.name), go: t('look') });
  for (const x of templates.data?.items ?? []) if (!x.published) work.push({ key: x.tenant + x.name, tone: 'calm', text: <>{t('todo.unpublished')} <Raw>{x.tenant}/{x.name}</Raw></>, href: to('templates', x.tenant, x.name), go: t('look') });

  const steps: [string, boolean, string][] = [
    [t('step.send'), (latest.data?.messages.length ?? 0) > 0, '/send'],
    [t('step.provider'), !!accounts.data?.items.some((a) => a.provider !== 'devinbox' && a.provider !== 'webhook'), '/providers/new'],
    [t('step.key'), (keys.data?.items.length ?? 0) > 1, '/tenants'],
  ];
  const isNew = may('admin') && accounts.data && keys.data && latest.data && steps.some(([, done]) => !done);
  return (
    <Page title={t('nav.overview')} note={t('overview.note')}>
      <Trouble fault={figures.fault ?? latest.fault} />
      <div class="figures">
        {troubles.map((status) => {
          const found = figures.data?.find(([s]) => s === status);
          return <A key={status} class={`figure ${found?.[1] ? tone(status) : ''}`} href={'/messages' + query({ status, since: 'today' })}>{word('status', status)}<b>{found ? found[1] + (found[2] ? '+' : '') : '…'}</b></A>;
        })}
      </div>
      <Traffic />
      <div class="cols">
        <Card class="flush" title={t('overview.latest')} extra={<A href="/messages">{t('view.all')}</A>}>
          {!latest.data && !latest.fault && <Loading />}
          {latest.data?.messages.length === 0 && <Empty>{t('overview.none')}</Empty>}
          {latest.data && latest.data.messages.length > 0 && <MessageTable brief label={t('overview.latest')} list={latest.data.messages} />}
        </Card>
        <div>
          <Card title={t('todo')}>
            {work.length === 0 ? <Empty><Tag tone="good">{t('todo.none')}</Tag></Empty> : <ul class="todo">{work.map((w) => <li key={w.key}><span class="line"><i class={`dot ${w.tone}`} />{w.text}</span>{w.away ? <a class="button small" href={w.href} rel="noreferrer" target="_blank">{w.go}</a> : <A class="button small" href={w.href}>{w.go}</A>}</li>)}</ul>}
          </Card>
          <Ahead />
          {isNew && <Card title={t('steps')}><ol class="todo steps">{steps.map(([text, done, href]) => <li key={href}><span class={`tick ${done ? 'done' : ''}`} aria-hidden="true">✓</span><span>{text}</span>{done ? <span class="faint">{t('done')}</span> : <A class="button small" href={href}>{t('begin')}</A>}</li>)}</ol></Card>}
        </div>
      </div>
    </Page>
  );
}
