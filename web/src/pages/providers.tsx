// Providers' accounts: a card each, with how it does; and the gallery that a new one is chosen from.
import { useState } from 'preact/hooks';
import type { Account, AccountHealth, AccountList, AccountPolls, AccountUsage, Descriptor, Figures, Ledger, ProviderList, Settings, StatsGroup } from '../api.gen.ts';
import { get, post, query, v1 } from '../api.ts';
import { Needs } from '../frame.tsx';
import { Gauge } from '../gauge.tsx';
import { money, number, relative } from '../format.ts';
import { pick, t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, params, setParams, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Empty, Loading, Page, Raw, Row, Tabs, Tag, Text, Trouble, When, confirm } from '../ui.tsx';
import { AccountForm } from './account-form.tsx';

const hour = (): string => new Date(Date.now() - 3600_000).toISOString();

export function Providers() {
  const on = may('operate');
  const accounts = useLoad(() => (on ? get<AccountList>('/v1/accounts') : Promise.resolve(undefined)), [], 10000);
  const providers = useLoad(() => (on ? get<ProviderList>('/v1/providers') : Promise.resolve(undefined)), []);
  const figures = useLoad(() => (on ? get<Figures>('/v1/stats' + query({ step: 'minute', from: hour(), by: 'account', top: 100 })) : Promise.resolve(undefined)), [], 10000);
  const ledger = useLoad(() => (on ? get<Ledger>('/v1/stats/throttles' + query({ limit: 500 })) : Promise.resolve(undefined)), [], 30000);
  const channel = params.value.get('channel') ?? '';
  const all = accounts.data?.items ?? [];
  const list = all.filter((a) => !channel || a.channel === channel);
  const present = [...new Set(all.map((a) => a.channel ?? ''))];
  if (!on) return <Page title={t('nav.providers')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  return (
    <Page title={t('nav.providers')} note={t('providers.note')} actions={<><A class="button" href="/providers/recipes">{t('recipes')}</A>{may('admin') ? <A class="button main" href="/providers/new">{t('accounts.new')}</A> : <Needs scope="admin" />}</>}>
      <Trouble fault={accounts.fault ?? providers.fault ?? figures.fault} />
      {present.length > 1 && <div class="chips"><Tabs label={t('channel')} value={channel} set={(v) => setParams({ channel: v })} options={[['', t('all')], ...present.map((c) => [c, word('channel', c)] as const)]} /></div>}
      {!accounts.data && !accounts.fault && <Loading />}
      {accounts.data && all.length === 0 && <Card><Empty><p>{t('accounts.none')}</p>{may('admin') && <A class="button main" href="/providers/new">{t('accounts.new')}</A>}</Empty></Card>}
      <div class="grid">{list.map((a) => <AccountCard key={a.name} a={a} d={providers.data?.items.find((p) => p.name === a.provider)} g={figures.data?.groups?.find((g) => g.name === a.name)} ledger={ledger.data} reload={accounts.reload} />)}</div>
    </Page>
  );
}

/** How an account does, in a word. */
export function Health({ a }: { a: { off?: boolean; health?: AccountHealth } }) {
  const h = a.health;
  if (a.off) return <Tag tone="calm"><i class="dot" />{t('account.paused')}</Tag>;
  if (!h || h.state === 'closed') return <Tag tone="good"><i class="dot" />{t('account.works')}</Tag>;
  if (h.state === 'open') return <Tag tone="bad"><i class="dot" />{t('account.fails')}</Tag>;
  return <Tag tone="warn"><i class="dot" />{t('account.back', { n: Math.round((h.share ?? 0) * 100) })}</Tag>;
}

/** When a provider was last asked what became of messages. */
export const Polled = ({ p }: { p: AccountPolls }) => <>{p.last ? <>{t('account.asked')} <When at={p.last} ago /></> : t('account.asked.never')}{p.failures ? <> <Tag tone="warn">{t('account.asked.vain', { n: p.failures })}</Tag></> : null}</>;

/** A limit of an account. */
export const Limit = ({ u, held }: { u: AccountUsage; held?: string }) => <Gauge label={t(`window.${u.window}`)} used={u.used} limit={u.limit} said={t('gauge.of', { n: number(u.used), of: number(u.limit) })} note={held} />;

/** Who held the quota when it was last used up. */
export function holders(l: Ledger | undefined, account: string): string | undefined {
  const last = l?.items.find((x) => x.account === account);
  if (!last) return undefined;
  const sum = Math.max(1, last.calls);
  return t('gauge.held', { ago: relative(last.at), who: last.tenants.slice(0, 3).map((h) => `${h.name} ${Math.round((h.n / sum) * 100)} %`).join(t('comma')) });
}

/** Switches an account off or on, with a reason. */
export async function flip(a: Account): Promise<boolean> {
  const reason = await confirm({ title: t(a.off ? 'account.on' : 'account.off', { name: a.name }), text: t(a.off ? 'account.on.text' : 'account.off.text'), confirm: t(a.off ? 'switch_on' : 'switch_off'), danger: !a.off });
  if (reason === undefined) return false;
  await post(v1`accounts/${a.name}/switch`, { off: !a.off, reason });
  toast(t('saved'));
  return true;
}

function AccountCard({ a, d, g, ledger, reload }: { a: Account; d?: Descriptor; g?: StatsGroup; ledger?: Ledger; reload: () => void }) {
  const action = useAction();
  const turn = (): Promise<void> => action.run(async () => {
    if (await flip(a)) reload();
  });
  const c = g?.counts ?? {};
  const held = holders(ledger, a.name);
  const used = a.health?.used ?? [];
  const h = a.health;
  return (
    <Card title={<A href={to('providers', a.name)}><Raw>{a.name}</Raw></A>} extra={<Health a={a} />}>
      <p class="faint"><span translate={false}>{d ? pick(d.title) : a.provider}</span> · {a.channel ? word('channel', a.channel) : '—'}{a.price ? <> · {money(a.price, a.currency)}</> : null} <span class="end">{t('hours.1')}</span></p>
      {h?.since && h.state !== 'closed' && !a.off && <p class="faint">{t('account.since')} <When at={h.since} ago />{h.until && h.state === 'open' && <> · {t('account.until')} <When at={h.until} ago /></>}</p>}
      {h?.polls && <p class="faint"><Polled p={h.polls} /></p>}
      {a.egress_address && d?.allow_list && <p class="faint">{t('about.address.list')} <Raw class="mono">{a.egress_address}</Raw></p>}
      <dl class="numbers four" aria-label={t('hours.1')}>
        <div><dt>{word('counter', 'sent')}</dt><dd>{number(c.sent ?? 0)}</dd></div>
        <div class={c.failed || c.dead ? 'bad' : ''}><dt>{word('counter', 'lost')}</dt><dd>{number((c.failed ?? 0) + (c.dead ?? 0))}</dd></div>
        <div class={c.throttled ? 'warn' : ''}><dt>{word('counter', 'throttled')}</dt><dd>{number(c.throttled ?? 0)}</dd></div>
        <div><dt>{t('traffic.delivery')}</dt><dd>{!g || g.delivery_rate.too_few || !g.delivery_rate.of ? '—' : Math.round(g.delivery_rate.value * 100) + ' %'}</dd></div>
      </dl>
      {used.map((u) => <Limit key={u.window} u={u} held={u.window === 'second' ? held : undefined} />)}
      {used.length === 0 && <p class="faint">{t('no_limit')}</p>}
      <Trouble fault={action.fault} />
      <div class="actions">
        <A class="button" href={to('providers', a.name)}>{t('account.open')}</A>
        <Button disabled={action.busy} onClick={() => void turn()}>{t(a.off ? 'switch_on' : 'switch_off')}</Button>
      </div>
    </Card>
  );
}

/** The gallery, and the form of what was chosen. */
export function NewAccount() {
  const { data, fault } = useLoad(() => get<ProviderList>('/v1/providers'), []);
  const settings = useLoad(() => (may('operate') ? get<Settings>('/v1/settings') : Promise.resolve(undefined)), []);
  const [sought, seek] = useState('');
  const provider = params.value.get('provider') ?? '';
  const d = data?.items.find((p) => p.name === provider);
  if (!may('operate')) return <Page title={t('accounts.new')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  if (d) {
    return (
      <Page title={t('accounts.new')} note={t('account.note')} actions={<A class="button" href="/providers/new">{t('account.other')}</A>}>
        <About d={d} egress={settings.data?.egress_address} />
        <Card title={<span translate={false}>{pick(d.title)}</span>} extra={d.docs && <a href={d.docs} target="_blank" rel="noopener noreferrer">{t('vendor_docs')} ↗</a>}><AccountForm key={d.name} d={d} done={(name) => go(to('providers', name))} /></Card>
      </Page>
    );
  }
  const found = (data?.items ?? []).filter((p) => (p.name + pick(p.title) + p.channels.map((c) => word('channel', c)).join(' ')).toLowerCase().includes(sought.toLowerCase()));
  return (
    <Page title={t('accounts.new')} note={t('gallery.note')} actions={<A class="button" href="/providers/recipes">{t('recipes')}</A>}>
      <Trouble fault={fault} />
      {!data && !fault && <Loading />}
      {data && <Card><Text label={t('find')} value={sought} set={seek} placeholder={t('gallery.find')} autofocus /></Card>}
      {data && found.length === 0 && <Card><Empty>{t('gallery.none')}</Empty></Card>}
      <div class="grid gallery">
        {found.map((p) => (
          <A key={p.name} class="card" href={'/providers/new' + query({ provider: p.name })}>
            <h2 translate={false}>{pick(p.title)}</h2>
            <span class="line">{p.channels.slice(0, 3).map((c) => <Tag key={c}>{p.channel?.name === c ? pick(p.channel.title) : word('channel', c)}</Tag>)}{p.channels.length > 3 && <span class="faint">+{p.channels.length - 3}</span>}{p.uploaded ? <Tag tone="info">{t('recipe.uploaded')}</Tag> : null}</span>
            <span class="faint">{[p.receipts && t('gallery.receipts'), p.replies && t('gallery.replies'), p.approvals && t('gallery.approvals')].filter(Boolean).join(' · ') || t('gallery.plain')}</span>
          </A>
        ))}
      </div>
    </Page>
  );
}

/** What an operator should know of a provider before he enters a credential. */
export function About({ d, egress, path }: { d: Descriptor; egress?: string; path?: string }) {
  return (
    <Card title={t('about')}>
      <dl class="rows">
        <Row label={t('receipts')}>{d.receipts ? (d.polls ? t('about.polls', { n: d.polls.every_seconds }) : t('yes')) : t('about.no_receipts')}</Row>
        {path && <Row label={t('about.callback')}><Raw class="mono">{location.origin + path}</Raw></Row>}
        <Row label={t('about.dedup')}>{t(d.dedup ? 'yes' : 'no')}</Row>
        <Row label={t('limit')}>{[d.limits.per_second && t('per_second', { n: number(d.limits.per_second) }), d.limits.per_minute && t('per_minute', { n: number(d.limits.per_minute) }), d.limits.per_day && t('per_day', { n: number(d.limits.per_day) })].filter(Boolean).join(' · ') || t('about.no_limit')}</Row>
        {d.allow_list && <Row label={t('about.address')}>{egress ? <>{t('about.address.list')} <Raw class="mono">{egress}</Raw></> : t('about.address.text')}</Row>}
        {(d.binding ?? []).some((f) => f.required) && <Row label={t('about.bindings')}>{t('about.bindings.text')}</Row>}
      </dl>
    </Card>
  );
}
