// The list: filters as chips, kept in the URL. Recipients are looked for in the search box only.
import { useState } from 'preact/hooks';
import type { Message, SearchAnswer, TenantList } from '../api.gen.ts';
import { get, post } from '../api.ts';
import { useChannels } from '../channels.ts';
import { Chip, Clear, Since, filterOf, since } from '../filters.tsx';
import { number } from '../format.ts';
import { t, word, type Key } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, entry, params, setParams, to } from '../route.tsx';
import { may, wayBack } from '../state.ts';
import { Button, Card, Empty, Loading, Page, Raw, Tabs, Trouble } from '../ui.tsx';
import { pick } from '../i18n.ts';
import { MessageTable, span } from '../verdict.tsx';

export const statuses = ['scheduled', 'queued', 'sending', 'sent', 'in_doubt', 'delivered', 'undelivered', 'bounced', 'complained', 'failed', 'expired', 'cancelled', 'suppressed', 'dead', 'simulated'] as const;
export const classes = ['otp', 'transactional', 'marketing'] as const;

const views: [string, Key][] = [['', 'view.all'], ['failed', 'view.failed'], ['undelivered', 'view.undelivered'], ['in_doubt', 'view.in_doubt'], ['dead', 'view.dead'], ['queued', 'view.waiting']];
const filters = ['tenant', 'channel', 'status', 'class', 'template', 'run'] as const;

/** A search that reads more records than this, as for what is rare, is not asked again every few seconds. */
const many = 500;

function request(): Record<string, string> {
  const body: Record<string, string> = {};
  for (const name of filters) if (filterOf(name)) body[name] = filterOf(name);
  const from = since();
  if (from && !body.run) body.from = from;
  return body;
}

interface More { of: string; list: Message[]; searched: number; next?: string }

export function Messages() {
  const filter = params.value.toString();
  /** The list as it was when older ones were asked for, and those: one that is read anew would not reach to where they begin. */
  const [at] = useState(entry);
  const [more, setMore] = useState(wayBack.get(at) as More | undefined);
  const older = more?.of === filter ? more : undefined;
  const action = useAction();
  const { data, fault } = useLoad(() => post<SearchAnswer>('/v1/messages/search', request()), [filter], (found) => (older ? 0 : (found?.searched ?? 0) > many ? 30_000 : 5000));
  const tenants = useLoad(() => get<TenantList>('/v1/tenants'), []);
  const list = older?.list ?? data?.messages ?? [];
  const searched = older?.searched ?? data?.searched ?? 0;
  const next = older ? older.next : data?.next;
  const load = (): Promise<void> => action.run(async () => {
    const page = await post<SearchAnswer>('/v1/messages/search', { ...request(), cursor: next });
    const now: More = { of: filter, list: [...list, ...page.messages], searched: searched + page.searched, next: page.next };
    wayBack.set(at, now); // for the way back
    setMore(now);
  });
  return (
    <Page title={t('nav.messages')} note={t('messages.note')}>
      <div class="chips"><Tabs label={t('views')} value={params.value.get('status') ?? ''} set={(v) => setParams({ status: v })} options={views.map(([v, k]) => [v, t(k)] as const)} /></div>
      <div class="chips">
        {filterOf('run')
          ? <span class="chip on"><A href={to('campaigns', filterOf('run'))}>{t('uses.run')} <Raw class="mono">{filterOf('run').slice(-6)}</Raw></A><Button kind="link" aria-label={t('remove')} onClick={() => setParams({ run: '' })}>✕</Button></span>
          : <Since of={['1', 'today', '24', '720']} none="hours.7d" />}
        <Chip name="status" label={t('status')} options={statuses.map((s) => [s, word('status', s)])} />
        {may('operate') && <Chip name="tenant" label={t('tenant')} options={(tenants.data?.items ?? []).map((x) => [x.name, x.name])} />}
        <Chip name="channel" label={t('channel')} options={useChannels()} />
        <Chip name="class" label={t('class')} options={classes.map((c) => [c, word('class', c)])} />
        <Chip name="template" label={t('template')} />
        <Clear names={['since', ...filters]} />
      </div>
      <Trouble fault={fault ?? action.fault} />
      <Card class="flush">
        {!data && !fault && <Loading />}
        {data && list.length > 0 && <MessageTable label={t('nav.messages')} list={list} />}
        {data && list.length === 0 && next && <Empty>{t('messages.none.yet', { n: number(searched) })}</Empty>}
        {data && list.length === 0 && !next && <Empty>{data.none ? pick(data.none).what : t('nothing')}</Empty>}
        {data && <p class="more">{t('messages.searched', { n: number(list.length), searched: number(searched), range: span(data.from, data.to) })}{next && <> <Button class="small" disabled={action.busy} onClick={() => void load()}>{t('more')}</Button></>}</p>}
      </Card>
    </Page>
  );
}
