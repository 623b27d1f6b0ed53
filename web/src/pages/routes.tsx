// Routing: a form to edit, a sentence to read.
import { useState } from 'preact/hooks';
import type { AccountList, Route, RouteAccount, RouteList, RouteMatch, RouteStep } from '../api.gen.ts';
import { del, get, post, put, query, v1 } from '../api.ts';
import { useChannels } from '../channels.ts';
import { moment } from '../format.ts';
import { Needs } from '../frame.tsx';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Check, Empty, Loading, Page, Raw, Select, Table, Text, Trouble, When, confirm, type Options } from '../ui.tsx';
import { useUnsaved } from '../unsaved.ts';
import { doubts } from './account-form.tsx';
import { type Body, Holds, Simulation } from './holds.tsx';
import { classes } from './messages.tsx';

/** What a route says, in words. */
export function sentence(r: Body): string {
  const m = r.match ?? {};
  const which = [m.tenant && t('route.of_tenant', { v: m.tenant }), m.template && t('route.of_template', { v: m.template }), m.class && word('class', m.class), m.channel && word('channel', m.channel), m.region && t('route.to_region', { v: m.region })].filter(Boolean).join(t('comma'));
  const steps = (r.steps ?? []).map((s) => word('channel', s.channel) + (s.wait_seconds ? t('route.wait', { n: s.wait_seconds }) : ''));
  const weighted = (r.accounts ?? []).some((a) => a.weight);
  const only = (a: RouteAccount): string => [...(a.regions ?? []), ...(a.tenants ?? [])].join(t('comma'));
  const accounts = (r.accounts ?? []).map((a) => (weighted ? `${a.account} ${a.weight ?? 0}` : a.account) + (only(a) && ` [${only(a)}]`));
  const parts = [
    t('route.for', { which: which || t('route.everything') }),
    steps.length > 0 && t(r.strategy === 'fallback' ? 'route.fallback' : r.strategy === 'all' ? 'route.all' : 'route.one', { steps: steps.join(r.strategy === 'fallback' ? ' → ' : t('comma')) }),
    accounts.length > 0 && (weighted ? t('route.weighted', { accounts: accounts.join(' : ') }) : t('route.ordered', { accounts: accounts.join(' → ') })),
    r.no_failover && t('route.no_failover'),
    r.in_doubt && t('route.in_doubt', { what: word('doubt', r.in_doubt) }),
    r.quiet && t('route.quiet', { from: r.quiet.from, to: r.quiet.to, zone: r.quiet.zone, mode: word('mode', r.quiet.mode) }),
    r.cap && t('route.cap', { n: r.cap.messages, seconds: r.cap.seconds, mode: word('mode', r.cap.mode) }),
    r.silence && t('route.silence', { until: moment(r.silence.until), mode: word('mode', r.silence.mode) }),
    r.dedup_seconds ? (r.dedup_seconds < 0 ? t('route.dedup_off') : t('route.dedup', { n: r.dedup_seconds })) : '',
  ];
  return parts.filter(Boolean).join(t('semicolon')) + t('stop');
}

/** A draft as the API takes it. */
const cleaned = (body: Body): Body => ({ ...body, match: Object.fromEntries(Object.entries(body.match ?? {}).filter(([, v]) => v)), strategy: body.strategy || undefined });

export function Routes() {
  const { data, fault } = useLoad(() => get<RouteList>('/v1/routes'), []);
  if (!may('operate')) return <Page title={t('nav.routes')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  return (
    <Page title={t('nav.routes')} note={t('routes.note')} actions={<A class="button main" href="/routes/new">{t('routes.new')}</A>}>
      <Trouble fault={fault} />
      {!data && !fault && <Loading />}
      {data?.items.length === 0 && <Card><Empty>{t('routes.none')}</Empty></Card>}
      {data?.items.map((r) => (
        <Card key={r.name} title={<A href={to('routes', r.name)}><Raw>{r.name}</Raw></A>} extra={<span class="faint"><When at={r.changed_at} /> <Raw>{r.author}</Raw></span>}>
          <p translate={false}>{sentence(r)}</p>
          {r.reason && <p class="faint">{t('reason')}: <Raw>{r.reason}</Raw></p>}
        </Card>
      ))}
    </Page>
  );
}

export function RoutePage({ name }: { name: string }) {
  const route = useLoad(() => (name ? get<Route>(v1`routes/${name}`) : Promise.resolve(undefined)), [name]);
  const title = name ? <Raw>{name}</Raw> : t('routes.new');
  if (name && !route.data) return <Page title={title}>{route.fault ? <Trouble fault={route.fault} /> : <Loading />}</Page>;
  return <Page title={title}><Editor key={route.data?.version} r={route.data} reload={route.reload} /></Page>;
}

function Editor({ r, reload }: { r?: Route; reload: () => void }) {
  const [name, setName] = useState(r?.name ?? '');
  const [body, set] = useState<Body>({ match: r?.match ?? {}, strategy: r?.strategy, steps: r?.steps ?? [], accounts: r?.accounts ?? [], no_failover: r?.no_failover, in_doubt: r?.in_doubt, dedup_seconds: r?.dedup_seconds, quiet: r?.quiet, cap: r?.cap, silence: r?.silence });
  useUnsaved(name, body);
  const accounts = useLoad(() => get<AccountList>('/v1/accounts'), []);
  const channels = useChannels();
  const action = useAction();
  const match = (change: Partial<RouteMatch>): void => set({ ...body, match: { ...body.match, ...change } });
  const save = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('save'), text: <span translate={false}>{sentence(body)}</span>, confirm: t('save') });
    if (reason === undefined) return;
    await put(v1`routes/${name}`, { ...cleaned(body), reason, version: r?.version });
    toast(t('saved'));
    if (r) reload();
    else go(to('routes', name), true);
  });
  const undo = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('undo'), text: t('undo.text'), confirm: t('undo') });
    if (reason === undefined || !r) return;
    await post(v1`routes/${r.name}/undo`, { version: r.version, reason });
    toast(t('undone'));
    reload();
  });
  const remove = (): Promise<void> => action.run(async () => {
    if (!r) return;
    const reason = await confirm({ title: t('delete.title', { name: r.name }), text: t('route.delete.text'), confirm: t('delete'), danger: true });
    if (reason === undefined) return;
    await del(v1`routes/${r.name}` + query({ version: r.version, reason }));
    go('/routes');
  });
  const at = (p: string) => action.fault?.at(p);
  return (
    <>
      <div class="alert info" data-sentence translate={false}>{sentence(body)}</div>
      <Trouble fault={action.fault} />
      <Card title={t('route.match')}>
        <div class="form">
          {!r && <Text label={t('name')} value={name} set={setName} required help={t('name.help')} />}
          <Text label={t('tenant')} value={body.match?.tenant ?? ''} set={(v) => match({ tenant: v })} placeholder={t('all')} error={at('/match/tenant')} />
          <Text label={t('template')} value={body.match?.template ?? ''} set={(v) => match({ template: v })} placeholder={t('all')} error={at('/match/template')} />
          <Select label={t('class')} value={body.match?.class ?? ''} set={(v) => match({ class: (v || undefined) as RouteMatch['class'] })} options={[['', t('all')], ...classes.map((c) => [c, word('class', c)] as const)]} />
          <Select label={t('channel')} value={body.match?.channel ?? ''} set={(v) => match({ channel: v })} options={[['', t('all')], ...channels]} error={at('/match/channel')} />
          <Text label={t('region')} value={body.match?.region ?? ''} set={(v) => match({ region: v.toUpperCase() })} placeholder="CN" error={at('/match/region')} />
          <Text label={t('dedup')} type="number" value={body.dedup_seconds ? String(body.dedup_seconds) : ''} set={(v) => set({ ...body, dedup_seconds: Number(v) || undefined })} help={t('dedup.help')} error={at('/dedup_seconds')} />
        </div>
      </Card>
      <div class="cols even">
        <Card title={t('route.steps')}>
          <Select label={t('route.strategy')} value={body.strategy ?? ''} set={(v) => set({ ...body, strategy: (v || undefined) as Body['strategy'] })} options={[['', '—'], ...(['one', 'fallback', 'all'] as const).map((s) => [s, word('strategy', s)] as const)]} />
          <Steps list={body.steps ?? []} known={channels} fallback={body.strategy === 'fallback'} set={(steps) => set({ ...body, steps })} />
        </Card>
        <Card title={t('route.accounts')}>
          <Accounts list={body.accounts ?? []} known={(accounts.data?.items ?? []).filter((a) => !body.match?.channel || a.channel === body.match.channel).map((a) => a.name)} set={(x) => set({ ...body, accounts: x })} />
          <Check label={t('route.no_failover.label')} value={!!body.no_failover} set={(v) => set({ ...body, no_failover: v || undefined })} help={t('route.no_failover.help')} />
          <Select label={t('account.in_doubt')} value={body.in_doubt ?? ''} set={(v) => set({ ...body, in_doubt: (v || undefined) as Body['in_doubt'] })} help={t('account.in_doubt.help')} options={[['', t('route.in_doubt.none')], ...doubts.map((x) => [x, word('doubt', x)] as const)]} error={at('/in_doubt')} />
        </Card>
      </div>
      <Holds body={body} set={set} at={at} />
      <Simulation name={name} body={cleaned(body)} />
      <div class="actions">
        <Button kind="main" disabled={action.busy || !name} onClick={() => void save()}>{t('save')}</Button>
        {r && r.version > 1 && <Button disabled={action.busy} onClick={() => void undo()}>{t('undo')}</Button>}
        {r && <Button kind="danger" disabled={action.busy} onClick={() => void remove()}>{t('delete')}</Button>}
      </div>
      {r && <History name={r.name} version={r.version} />}
    </>
  );
}

const moved = <T,>(list: T[], i: number): T[] => list.map((x, j) => (j === i - 1 ? list[i] as T : j === i ? list[i - 1] as T : x));

function Steps({ list, known, fallback, set }: { list: RouteStep[]; known: Options; fallback: boolean; set: (s: RouteStep[]) => void }) {
  const left = known.filter(([c]) => !list.some((s) => s.channel === c));
  return (
    <div class="stack">
      {list.length === 0 && <p class="faint">{t('route.steps.none')}</p>}
      {list.map((s, i) => (
        <div class="line" key={s.channel}>
          <strong>{i + 1}. {word('channel', s.channel)}</strong>
          {fallback && i < list.length - 1 && <label class="line faint">{t('route.wait.label')} <input class="short" type="number" min={0} value={s.wait_seconds ?? ''} onInput={(e) => set(list.map((x, j) => (i === j ? { ...x, wait_seconds: Number(e.currentTarget.value) || undefined } : x)))} /></label>}
          {i > 0 && <Button class="small" aria-label={t('up')} onClick={() => set(moved(list, i))}>↑</Button>}
          <Button class="small" aria-label={t('remove')} onClick={() => set(list.filter((_, j) => j !== i))}>✕</Button>
        </div>
      ))}
      {left.length > 0 && <Select label={t('add')} value="" set={(c) => c && set([...list, { channel: c }])} options={[['', '—'], ...left]} />}
    </div>
  );
}

function Accounts({ list, known, set }: { list: RouteAccount[]; known: string[]; set: (a: RouteAccount[]) => void }) {
  const left = known.filter((n) => !list.some((a) => a.account === n));
  return (
    <div class="stack">
      {list.length === 0 && <p class="faint">{t('route.accounts.none')}</p>}
      {list.map((a, i) => (
        <div class="line" key={a.account}>
          <strong>{i + 1}. <Raw>{a.account}</Raw></strong>
          <label class="line faint">{t('weight')} <input class="short" type="number" min={0} value={a.weight ?? ''} onInput={(e) => set(list.map((x, j) => (i === j ? { ...x, weight: Number(e.currentTarget.value) || undefined } : x)))} /></label>
          {i > 0 && <Button class="small" aria-label={t('up')} onClick={() => set(moved(list, i))}>↑</Button>}
          <Button class="small" aria-label={t('remove')} onClick={() => set(list.filter((_, j) => j !== i))}>✕</Button>
        </div>
      ))}
      {left.length > 0 && <Select label={t('add')} value="" set={(n) => n && set([...list, { account: n }])} options={[['', '—'], ...left.map((n) => [n, n] as const)]} />}
      <small>{t('weight.help')}</small>
    </div>
  );
}

function History({ name, version }: { name: string; version: number }) {
  const { data } = useLoad(() => get<RouteList>(v1`routes/${name}/history`), [name, version]);
  return (
    <Card class="flush" title={t('history')}>
      <Table label={t('history')} head={[t('version'), t('changed'), t('author'), t('route'), t('reason')]}>
        {(data?.items ?? []).map((r) => <tr key={r.version}><td>v{r.version}</td><td class="nowrap"><When at={r.changed_at} /></td><td><Raw>{r.author}</Raw></td><td translate={false}>{r.deleted ? t('deleted') : sentence(r)}</td><td><Raw>{r.reason}</Raw></td></tr>)}
      </Table>
    </Card>
  );
}
