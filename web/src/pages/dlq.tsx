// Dead letters: what waits for an operator, why, and a redrive of what a filter names: counted first, confirmed
// by typing the count, at a rate.
import { useState } from 'preact/hooks';
import type { AccountList, DeadFilter, DeadLetter, DeadLetterList, RedriveAnswer, RedriveCount, RedriveList, TenantList } from '../api.gen.ts';
import { get, post, query, v1 } from '../api.ts';
import { useChannels } from '../channels.ts';
import { Chip, Clear, Since, filterOf, since } from '../filters.tsx';
import { Needs } from '../frame.tsx';
import { number } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, params, setParams, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Dialog, Empty, Loading, Meter, Page, Raw, Table, Tag, Text, Trouble, When, confirm } from '../ui.tsx';
import { Progress, State, filterWords } from './redrive.tsx';

const names = ['tenant', 'channel', 'account', 'template', 'reason'] as const;

/** The filter of the URL, as a redrive takes it. */
function filter(): DeadFilter {
  const from = since();
  return Object.fromEntries([...names.map((n) => [n, filterOf(n)]), ['from', from ?? '']].filter(([, v]) => v));
}

export function Dlq() {
  const key = params.value.toString();
  const count = useLoad(() => post<RedriveAnswer>('/v1/dlq/redrive', { dry_run: true, filter: filter() }), [key], 15000);
  const tenants = useLoad(() => get<TenantList>('/v1/tenants'), []);
  const accounts = useLoad(() => get<AccountList>('/v1/accounts'), []);
  const channels = useChannels();
  const [open, setOpen] = useState(false);
  if (!may('operate')) return <Page title={t('nav.dlq')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  const n = count.data?.dry_run;
  const now = n ? n.matched - n.expired : 0;
  return (
    <Page title={t('nav.dlq')} note={t('dlq.note')} actions={<Button kind="main" disabled={now === 0} onClick={() => setOpen(true)}>{now > 0 ? t('redrive.n', { n: number(now) }) : t('redrive')}</Button>}>
      <div class="chips">
        <Since of={['1', 'today', '24']} none="hours.7d" />
        <Chip name="tenant" label={t('tenant')} options={(tenants.data?.items ?? []).map((x) => [x.name, x.name])} />
        <Chip name="account" label={t('account')} options={(accounts.data?.items ?? []).map((x) => [x.name, x.name])} />
        <Chip name="channel" label={t('channel')} options={channels} />
        <Chip name="template" label={t('template')} />
        <Chip name="reason" label={t('reason')} options={[...new Set([filterOf('reason'), ...(n?.reasons ?? []).map((r) => r.reason)])].filter(Boolean).map((r) => [r, word('reason', r)])} />
        <Clear names={['since', ...names]} />
      </div>
      <Trouble fault={count.fault} />
      {!n && !count.fault && <Card><Loading /></Card>}
      {n && <Counted n={n} />}
      <Runs />
      {n && n.matched > 0 && <Letters key={key} reload={count.reload} />}
      {open && n && <Start n={n} close={() => setOpen(false)} />}
    </Page>
  );
}

/** What a redrive would do: the dead by reason. */
function Counted({ n }: { n: RedriveCount }) {
  const filtered = ['since', ...names].some(filterOf);
  if (n.matched === 0) return <Card><Empty><Tag tone="good"><i class="dot" />{t(filtered ? 'dlq.none.filter' : 'dlq.none')}</Tag><p>{t('dlq.none.text')}</p></Empty></Card>;
  return (
    <Card class="flush" title={t('dlq.why')} extra={<span class="line faint">{t('dlq.counted', { n: number(n.matched) + (n.more ? '+' : '') })}{n.expired > 0 && <> · {t('dlq.late', { n: number(n.expired) })}</>}</span>}>
      <Table label={t('dlq.why')} head={[t('reason'), t('dlq.share'), t('redrive.now'), t('redrive.late')]}>
        {n.reasons.map((r) => (
          <tr key={r.reason}>
            <td class="nowrap"><button type="button" class="button link small" aria-pressed={filterOf('reason') === r.reason} onClick={() => setParams({ reason: filterOf('reason') === r.reason ? '' : r.reason })}>{word('reason', r.reason)}</button></td>
            <td><Meter value={r.matched} max={n.matched} label={word('reason', r.reason)} tone="bad" /></td>
            <td>{number(r.matched - r.expired)}</td><td>{r.expired > 0 ? <span class="faint">{number(r.expired)}</span> : '—'}</td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

/** Asks for rate, reason and the count, and begins. */
function Start({ n, close }: { n: RedriveCount; close: () => void }) {
  const [rate, setRate] = useState('50');
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const action = useAction();
  const now = n.matched - n.expired;
  const seconds = Math.ceil(now / (Number(rate) || 50));
  const start = (): Promise<void> => action.run(async () => {
    const a = await post<RedriveAnswer>('/v1/dlq/redrive', { filter: filter(), rate: Number(rate) || undefined, reason });
    if (a.redrive) go(to('dlq', a.redrive.id) + query({ of: n.more ? undefined : now }));
  });
  return (
    <Dialog title={t('redrive.title')} close={close} foot={<><Button onClick={close}>{t('cancel')}</Button><Button kind="main" type="submit" form="redrive" disabled={action.busy || typed.trim() !== String(now) || !reason}>{t('redrive.n', { n: number(now) })}</Button></>}>
      <Trouble fault={action.fault} />
      <p>{t('redrive.text')}</p>
      <p>{filterWords(filter())}{n.expired > 0 && <> {t('redrive.late.text', { n: number(n.expired) })}</>}</p>
      <form id="redrive" class="form" onSubmit={(e) => { e.preventDefault(); void start(); }}>
        <Text label={t('redrive.rate')} type="number" min={1} value={rate} set={setRate} help={t('redrive.takes', { n: number(seconds) })} error={action.fault?.at('/rate')} required />
        <Text label={t('redrive.confirm', { n: now })} value={typed} set={setTyped} autocomplete="off" required />
        <Text wide label={t('reason')} value={reason} set={setReason} maxLength={200} help={t('redrive.reason')} error={action.fault?.at('/reason')} required />
      </form>
    </Dialog>
  );
}

/** The redrives of late. */
function Runs() {
  const { data, fault } = useLoad(() => get<RedriveList>('/v1/redrives' + query({ limit: 5 })), [], 5000);
  if (fault) return <Trouble fault={fault} />;
  if (!data || data.items.length === 0) return null;
  return (
    <Card class="flush" title={t('redrive.runs')}>
      <Table label={t('redrive.runs')} head={[t('time'), t('state'), t('redrive.what'), t('redrive.done'), t('redrive.late'), t('redrive.by'), t('reason')]}>
        {data.items.map((r) => (
          <tr key={r.id}>
            <td class="nowrap"><A href={to('dlq', r.id)}><When at={r.created_at} /></A></td><td><State r={r} /></td><td>{filterWords(r.filter)}</td>
            <td><Progress r={r} /></td><td>{number(r.expired)}</td><td class="nowrap"><Raw>{r.author}</Raw></td><td><Raw>{r.reason}</Raw></td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

/** A page of the API may be short: it is read on until there is something to see. */
async function read(after: string): Promise<DeadLetterList> {
  for (;;) {
    const page = await get<DeadLetterList>('/v1/dlq' + query({ ...filter(), limit: 50, after }));
    if (page.items.length > 0 || !page.next) return page;
    after = page.next;
  }
}

function Letters({ reload }: { reload: () => void }) {
  const [after, setAfter] = useState('');
  const list = useLoad(() => read(after), [after], after ? 0 : 15000);
  const action = useAction();
  const retry = (d: DeadLetter): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('retry'), text: t('retry.text'), confirm: t('retry') });
    if (reason === undefined) return;
    await post(v1`dlq/${d.id}/retry`, { reason });
    toast(t('retried'));
    list.reload();
    reload();
  });
  const items = list.data?.items ?? [];
  return (
    <Card class="flush" title={t('nav.messages')}>
      <Trouble fault={list.fault ?? action.fault} />
      {!list.data && !list.fault && <Loading />}
      {list.data && items.length === 0 && <Empty>{t('nothing')}</Empty>}
      {items.length > 0 && (
        <Table label={t('nav.messages')} head={[t('died'), t('reason'), t('tenant'), t('channel'), t('template'), t('account'), t('attempts.n'), t('expires_at'), '']}>
          {items.map((d) => (
            <tr key={d.id}>
              <td class="nowrap"><A href={to('messages', d.id)}><When at={d.died_at ?? d.created_at} /></A></td>
              <td title={d.text}>{word('reason', d.reason || d.code || '—')} {d.code && d.code !== d.reason && <Raw class="mono faint">{d.code}</Raw>}</td>
              <td><Raw>{d.tenant}</Raw> <Raw class="faint">{d.owner}</Raw></td><td class="nowrap">{word('channel', d.channel)} <span class="faint">{word('class', d.class)}</span></td>
              <td>{d.template ? <Raw>{d.template}</Raw> : t('free_content')}</td><td class="nowrap"><Raw>{d.account || '—'}</Raw></td><td>{d.attempts}</td>
              <td class="nowrap">{Date.parse(d.expires_at) < Date.now() ? <Tag>{word('status', 'expired')}</Tag> : <When at={d.expires_at} ago />}</td>
              <td class="end">{Date.parse(d.expires_at) > Date.now() && <Button disabled={action.busy} onClick={() => void retry(d)}>{t('retry')}</Button>}</td>
            </tr>
          ))}
        </Table>
      )}
      {(list.data?.next || after) && <p class="more">{after && <Button class="small" onClick={() => setAfter('')}>{t('first_page')}</Button>} {list.data?.next && <Button class="small" onClick={() => setAfter(list.data?.next ?? '')}>{t('more')}</Button>}</p>}
    </Card>
  );
}
