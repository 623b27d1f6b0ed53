// One account: how it does, a try of it, its form, what templates are bound to, and its history.
import { useState } from 'preact/hooks';
import type { Account as Acc, AccountList, AccountTest, Figures, Ledger, Message, ProviderList, RouteList, SearchAnswer } from '../api.gen.ts';
import { del, get, post, query, v1 } from '../api.ts';
import { Needs } from '../frame.tsx';
import { millis, number } from '../format.ts';
import { pick, t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Code, Empty, Loading, Page, Raw, Row, Table, Tag, Text, Trouble, When, confirm } from '../ui.tsx';
import { MessageTable } from '../verdict.tsx';
import { AccountForm, Rotate } from './account-form.tsx';
import { Bindings } from './bindings.tsx';
import { About, Health, Limit, Polled, flip, holders } from './providers.tsx';

export function Account({ name }: { name: string }) {
  const providers = useLoad(() => get<ProviderList>('/v1/providers'), []);
  const account = useLoad(() => get<Acc>(v1`accounts/${name}`), [name], 10000);
  const [rotating, rotate] = useState(false);
  const action = useAction();
  const a = account.data, d = providers.data?.items.find((p) => p.name === a?.provider);
  const fault = providers.fault ?? account.fault;
  if (!may('operate')) return <Page title={<Raw>{name}</Raw>}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  if (!a || !providers.data) return <Page title={<Raw>{name}</Raw>}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  const turn = (): Promise<void> => action.run(async () => {
    if (await flip(a)) account.reload();
  });
  const remove = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('delete.title', { name }), text: t('account.delete.text'), confirm: t('delete'), danger: true });
    if (reason === undefined) return;
    await del(v1`accounts/${name}` + query({ version: a.version, reason }));
    toast(t('deleted'));
    go('/providers');
  });
  const admin = may('admin');
  return (
    <Page title={<Raw>{name}</Raw>} note={<><Health a={a} /> <span translate={false}>{d ? pick(d.title) : a.provider}</span> · {a.channel && word('channel', a.channel)}</>} actions={<>
      <A class="button" href={'/audit' + query({ kind: 'account', name, since: '720' })}>{t('nav.audit')}</A>
      {admin && d?.fields?.some((x) => x.secret) && <Button onClick={() => rotate(true)}>{t('account.rotate')}</Button>}
      <Button disabled={action.busy} onClick={() => void turn()}>{t(a.off ? 'switch_on' : 'switch_off')}</Button>
      {admin && <Button kind="danger" disabled={action.busy} onClick={() => void remove()}>{t('delete')}</Button>}
    </>}>
      <Trouble fault={action.fault ?? account.fault} />
      <div class="cols">
        <div><State a={a} /><Failures name={name} /></div>
        <div><Try a={a} />{d && <About d={d} egress={a.egress_address} path={a.callback_path} />}</div>
      </div>
      {d && (d.binding ?? []).length > 0 && <Bindings account={name} d={d} channel={a.channel ?? ''} />}
      {d && <Card title={t('account.form')} extra={d.docs && <a href={d.docs} target="_blank" rel="noopener noreferrer">{t('vendor_docs')} ↗</a>}><AccountForm key={a.version} d={d} a={a} done={account.reload} /></Card>}
      <History key={a.version} name={name} />
      {rotating && d && <Rotate d={d} a={a} close={() => rotate(false)} done={() => { rotate(false); account.reload(); }} />}
    </Page>
  );
}

function State({ a }: { a: Acc }) {
  const { name } = a;
  const figures = useLoad(() => get<Figures>('/v1/stats' + query({ step: 'minute', account: name })), [name], 10000);
  const ledger = useLoad(() => get<Ledger>('/v1/stats/throttles' + query({ account: name, limit: 1 })), [name], 30000);
  const routes = useLoad(() => get<RouteList>('/v1/routes'), []);
  const h = a.health, c = figures.data?.total.counts ?? {};
  const used = h?.used ?? [];
  const named = (routes.data?.items ?? []).flatMap((r) => (r.accounts ?? []).filter((x) => x.account === name).map((x) => [r.name, x.weight] as const));
  return (
    <Card title={t('account.state')} extra={<span class="faint">{t('hours.1')}</span>}>
      <dl class="numbers">
        {(['sent', 'delivered', 'failed', 'dead', 'throttled', 'in_doubt', 'called'] as const).map((n) => <div key={n} class={c[n] && (n === 'failed' || n === 'dead' || n === 'in_doubt') ? 'bad' : c[n] && n === 'throttled' ? 'warn' : ''}><dt>{n === 'called' ? t('account.calls') : word('counter', n)}</dt><dd>{number(c[n] ?? 0)}</dd></div>)}
      </dl>
      {used.map((u) => <Limit key={u.window} u={u} held={u.window === 'second' ? holders(ledger.data, name) : undefined} />)}
      <dl class="rows">
        {h?.since && h.state !== 'closed' && <Row label={t('account.since')}><When at={h.since} />{h.until && h.state === 'open' && <> · {t('account.until')} <When at={h.until} ago /></>}</Row>}
        {h?.polls && <Row label={t('receipts')}><Polled p={h.polls} /></Row>}
        <Row label={t('account.routes')}>{named.length === 0 ? t('account.routes.none') : <span class="line">{named.map(([r, weight]) => <A key={r} href={to('routes', r)}><Raw>{r}</Raw>{weight ? <span class="faint"> {t('weight')} {weight}</span> : null}</A>)}</span>}</Row>
        <Row label={t('changed')}><When at={a.changed_at} /> <Raw class="faint">{a.author}</Raw>{a.reason && <> · <Raw>{a.reason}</Raw></>}</Row>
      </dl>
      <p><A href={'/throttles' + query({ account: name })}>{t('throttles.link')}</A></p>
    </Card>
  );
}

const few = 5;

/** The newest in a status over an account. Others' come between: so many pages are read, and cut when that was not all. */
async function newestOf(status: string, account: string): Promise<{ found: Message[]; cut: boolean }> {
  const found: Message[] = [];
  let cursor: string | undefined;
  for (let i = 0; i < few; i++) {
    const page: SearchAnswer = await post<SearchAnswer>('/v1/messages/search', { status, limit: 200, cursor });
    found.push(...page.messages.filter((m) => m.account === account));
    cursor = page.next;
    if (!cursor || found.length >= few) break;
  }
  return { found, cut: !!cursor };
}

/** What failed of late over the account, in words. */
function Failures({ name }: { name: string }) {
  const read = useLoad(() => Promise.all(['failed', 'undelivered', 'dead'].map((status) => newestOf(status, name))), [name], 30000);
  const { fault } = read;
  const data = read.data?.flatMap((x) => x.found).sort((x, y) => (y.created_at ?? '').localeCompare(x.created_at ?? '')).slice(0, few);
  const cut = read.data?.some((x) => x.cut);
  return (
    <Card class="flush" title={t('account.failures')}>
      <Trouble fault={fault} />
      {!data && !fault && <Loading />}
      {data?.length === 0 && <Empty>{cut ? t('account.failures.cut') : <Tag tone="good">{t('account.failures.none')}</Tag>}</Empty>}
      {data && data.length > 0 && <MessageTable brief label={t('account.failures')} list={data} />}
    </Card>
  );
}

/** Tries the credentials, or sends one message over this account alone. */
function Try({ a }: { a: Acc }) {
  const [f, set] = useState({ to: '', template: '', text: '' });
  const [got, setGot] = useState<AccountTest>();
  const action = useAction();
  const run = (body?: object): Promise<void> => action.run(async () => {
    setGot(undefined);
    setGot(await post<AccountTest>(v1`accounts/${a.name}/test`, body));
  });
  const send = (): Promise<void> => run(Object.fromEntries(Object.entries(f).filter(([, v]) => v)));
  const s = got?.sent;
  return (
    <Card title={t('account.try')}>
      <p class="faint lead">{t('account.try.text')}</p>
      <Trouble fault={action.fault} />
      <form class="stack" onSubmit={(e) => { e.preventDefault(); void send(); }}>
        <Text label={t('recipient')} value={f.to} set={(v) => set({ ...f, to: v })} autocomplete="off" error={action.fault?.at('/to')} required />
        <Text label={t('template')} value={f.template} set={(v) => set({ ...f, template: v })} help={t('account.try.template')} error={action.fault?.at('/template')} />
        <Text label={t('text')} value={f.text} set={(v) => set({ ...f, text: v })} help={t('account.try.body')} error={action.fault?.at('/text')} />
        <div class="actions"><Button type="submit" kind="main" disabled={action.busy}>{t('account.try.send')}</Button><Button disabled={action.busy} onClick={() => void run()}>{t('account.try.credentials')}</Button></div>
      </form>
      {got && (
        <div class={`alert ${got.ok ? 'good' : 'bad'}`} role="status" data-tried={got.ok}>
          <strong>{t(got.ok ? 'account.try.good' : 'account.try.bad')}</strong>{got.detail && <div translate={false} lang="en">{got.detail}</div>}
          {s && (
            <dl class="rows">
              <Row label={t('outcome')}>{s.outcome ? word('outcome', s.outcome) : word('status', s.status)}</Row>
              <Row label={t('account.try.answer')}><Raw class="mono">{[s.http_status && `HTTP ${s.http_status}`, s.code, s.provider_id, s.text].filter(Boolean).join(' · ') || '—'}</Raw>{s.ms ? <> {millis(s.ms)}</> : null}</Row>
              {s.says && <Row label={t('meaning')}>{pick(s.says)}</Row>}
              <Row label={t('message')}><A href={to('messages', s.id)}><Code>{s.id.slice(0, 12)}…</Code></A></Row>
            </dl>
          )}
        </div>
      )}
    </Card>
  );
}

function History({ name }: { name: string }) {
  const { data } = useLoad(() => get<AccountList>(v1`accounts/${name}/history`), [name]);
  return (
    <Card class="flush" title={t('history')}>
      <Table label={t('history')} head={[t('version'), t('changed'), t('author'), t('state'), t('limit'), t('reason')]}>
        {(data?.items ?? []).map((a) => <tr key={a.version}><td>v{a.version}</td><td class="nowrap"><When at={a.changed_at} /></td><td><Raw>{a.author}</Raw></td><td>{a.deleted ? t('deleted') : a.off ? t('off') : t('on')}</td><td>{a.per_second ? t('per_second', { n: number(a.per_second) }) : '—'}</td><td><Raw>{a.reason}</Raw></td></tr>)}
      </Table>
    </Card>
  );
}
