// Providers' accounts: a card each; the form is made from the provider's descriptor.
import { useState } from 'preact/hooks';
import type { Account as Acc, AccountList, AccountTest, Descriptor, ProviderField, ProviderList } from '../api.gen.ts';
import { del, get, post, put, query, v1, type Fault } from '../api.ts';
import { Needs } from '../frame.tsx';
import { money, number } from '../format.ts';
import { pick, t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, params, setParams, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Empty, Loading, Page, Raw, Row, Select, Table, Tabs, Tag, Text, Trouble, When, confirm } from '../ui.tsx';

export function Providers() {
  const accounts = useLoad(() => get<AccountList>('/v1/accounts'), []);
  const providers = useLoad(() => get<ProviderList>('/v1/providers'), []);
  const channel = params.value.get('channel') ?? '';
  const all = accounts.data?.items ?? [];
  const list = all.filter((a) => !channel || a.channel === channel);
  const present = [...new Set(all.map((a) => a.channel ?? ''))];
  if (!may('operate')) return <Page title={t('nav.providers')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  return (
    <Page title={t('nav.providers')} note={t('providers.note')} actions={may('admin') ? <A class="button main" href="/providers/new">{t('accounts.new')}</A> : <Needs scope="admin" />}>
      <Trouble fault={accounts.fault ?? providers.fault} />
      {present.length > 1 && <div class="chips"><Tabs label={t('channel')} value={channel} set={(v) => setParams({ channel: v })} options={[['', t('all')], ...present.map((c) => [c, word('channel', c)] as const)]} /></div>}
      {!accounts.data && !accounts.fault && <Loading />}
      {accounts.data && all.length === 0 && <Card><Empty>{t('accounts.none')}</Empty></Card>}
      <div class="grid">{list.map((a) => <AccountCard key={a.name} a={a} d={providers.data?.items.find((p) => p.name === a.provider)} reload={accounts.reload} />)}</div>
    </Page>
  );
}

function AccountCard({ a, d, reload }: { a: Acc; d?: Descriptor; reload: () => void }) {
  const action = useAction();
  const [tested, setTested] = useState<AccountTest>();
  const flip = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t(a.off ? 'account.on' : 'account.off', { name: a.name }), text: t(a.off ? 'account.on.text' : 'account.off.text'), confirm: t(a.off ? 'switch_on' : 'switch_off'), danger: !a.off });
    if (reason === undefined) return;
    await post(v1`accounts/${a.name}/switch`, { off: !a.off, reason });
    toast(t('saved'));
    reload();
  });
  const test = (): Promise<void> => action.run(async () => setTested(await post<AccountTest>(v1`accounts/${a.name}/test`)));
  const rate = a.per_second || d?.limits.per_second;
  return (
    <Card title={<A href={to('providers', a.name)}><Raw>{a.name}</Raw></A>} extra={a.off ? <Tag tone="warn"><i class="dot" />{t('off')}</Tag> : <Tag tone="good"><i class="dot" />{t('on')}</Tag>}>
      <dl class="rows">
        <Row label={t('provider')}><span translate={false}>{d ? pick(d.title) : a.provider}</span></Row>
        <Row label={t('channel')}>{a.channel ? word('channel', a.channel) : '—'}</Row>
        <Row label={t('limit')}>{rate ? t('per_second', { n: number(rate) }) : t('no_limit')}</Row>
        {a.price ? <Row label={t('price')}>{money(a.price, a.currency)}</Row> : null}
        <Row label={t('receipts')}>{d ? (d.receipts ? t('yes') : t('no')) : '—'}</Row>
        <Row label={t('changed')}><When at={a.changed_at} /> <Raw class="faint">{a.author}</Raw></Row>
        {a.reason && <Row label={t('reason')}><Raw>{a.reason}</Raw></Row>}
      </dl>
      {tested && <div class={`alert ${tested.ok ? 'good' : 'bad'}`} role="status"><strong>{tested.ok ? t('test.good') : t('test.bad')}</strong> <span translate={false} lang="en">{tested.detail}</span></div>}
      <Trouble fault={action.fault} />
      <div class="actions">
        <Button disabled={action.busy} onClick={() => void test()}>{t('test')}</Button>
        <Button disabled={action.busy} onClick={() => void flip()}>{t(a.off ? 'switch_on' : 'switch_off')}</Button>
        {may('admin') && <A class="button" href={to('providers', a.name)}>{t('edit')}</A>}
      </div>
    </Card>
  );
}

export function Account({ name }: { name: string }) {
  const providers = useLoad(() => get<ProviderList>('/v1/providers'), []);
  const account = useLoad(() => (name ? get<Acc>(v1`accounts/${name}`) : Promise.resolve(undefined)), [name]);
  const title = name ? <Raw>{name}</Raw> : t('accounts.new');
  const fault = providers.fault ?? account.fault;
  if (fault || !providers.data || (name && !account.data)) return <Page title={title}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  return <Page title={title} note={t('account.note')}><AccountForm key={account.data?.version} providers={providers.data.items} a={account.data} />{name && <History name={name} />}</Page>;
}

const text = (n?: number): string => (n ? String(n) : '');

function AccountForm({ providers, a }: { providers: Descriptor[]; a?: Acc }) {
  const [provider, setProvider] = useState(a?.provider ?? params.value.get('provider') ?? '');
  const [f, set] = useState({ name: a?.name ?? '', channel: a?.channel ?? '', per_second: text(a?.per_second), concurrency: text(a?.concurrency), price: text(a?.price), currency: a?.currency ?? '' });
  const [config, setConfig] = useState<Record<string, string>>(a?.config ?? {});
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const action = useAction();
  const d = providers.find((p) => p.name === provider);
  const change = (name: keyof typeof f) => (v: string): void => set({ ...f, [name]: v });
  const save = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('save'), confirm: t('save') });
    if (reason === undefined) return;
    const body = {
      provider, channel: f.channel || d?.channels[0], off: a?.off, reason, version: a?.version, currency: f.currency || undefined,
      config: Object.fromEntries(Object.entries(config).filter(([, v]) => v !== '')), secrets: Object.fromEntries(Object.entries(secrets).filter(([, v]) => v !== '')),
      per_second: Number(f.per_second) || undefined, concurrency: Number(f.concurrency) || undefined, price: Number(f.price) || undefined,
    };
    await put(v1`accounts/${f.name}`, body);
    toast(t('saved'));
    go('/providers');
  });
  const remove = (): Promise<void> => action.run(async () => {
    if (!a) return;
    const reason = await confirm({ title: t('delete.title', { name: a.name }), text: t('account.delete.text'), confirm: t('delete'), danger: true });
    if (reason === undefined) return;
    await del(v1`accounts/${a.name}` + query({ version: a.version, reason }));
    go('/providers');
  });
  return (
    <Card title={a ? <span translate={false}>{d ? pick(d.title) : provider}</span> : t('account.choose')} extra={d?.docs && <a href={d.docs} target="_blank" rel="noopener noreferrer">{t('vendor_docs')} ↗</a>}>
      <Trouble fault={action.fault} />
      <form class="form" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        {!a && <Select label={t('provider')} value={provider} set={(v) => { setProvider(v); setConfig({}); setSecrets({}); }} options={[['', '—'], ...providers.map((p) => [p.name, pick(p.title)] as const)]} required />}
        {d && !a && <Text label={t('name')} value={f.name} set={change('name')} required help={t('name.help')} />}
        {d && d.channels.length > 1 && <Select label={t('channel')} value={f.channel || (d.channels[0] ?? '')} set={change('channel')} options={d.channels.map((c) => [c, word('channel', c)])} disabled={!!a} />}
        {d?.fields.map((x) => <Control key={x.name} f={x} kept={!!a?.secrets.includes(x.name)} fault={action.fault}
          value={x.secret ? (secrets[x.name] ?? '') : (config[x.name] ?? (a ? '' : (x.default ?? '')))} set={(v) => (x.secret ? setSecrets({ ...secrets, [x.name]: v }) : setConfig({ ...config, [x.name]: v }))} />)}
        {d && <>
          <Text label={t('per_second.label')} type="number" min={0} value={f.per_second} set={change('per_second')} help={d.limits.per_second ? t('limit.documented', { n: number(d.limits.per_second) }) : t('limit.none')} error={action.fault?.at('/per_second')} />
          <Text label={t('concurrency')} type="number" min={0} value={f.concurrency} set={change('concurrency')} error={action.fault?.at('/concurrency')} />
          <Text label={t('price')} value={f.price} set={change('price')} error={action.fault?.at('/price')} help={t('price.help')} />
          <Text label={t('currency')} value={f.currency} set={change('currency')} placeholder="CNY" error={action.fault?.at('/currency')} />
          <div class="wide actions">{may('admin') ? <Button kind="main" type="submit" disabled={action.busy || !f.name}>{t('save')}</Button> : <Needs scope="admin" />}{a && may('admin') && <Button kind="danger" onClick={() => void remove()}>{t('delete')}</Button>}</div>
        </>}
      </form>
    </Card>
  );
}

function Control({ f, value, set, kept, fault }: { f: ProviderField; value: string; set: (v: string) => void; kept: boolean; fault?: Fault }) {
  const error = fault?.at(`/${f.secret ? 'secrets' : 'config'}/${f.name}`);
  const label = <span translate={false}>{pick(f.label) || f.name}</span>;
  const help = <span translate={false}>{pick(f.help)}</span>;
  const required = f.required && !kept;
  if (f.type === 'select' || f.type === 'boolean') {
    const options = f.type === 'boolean' ? ['true', 'false'] : (f.options ?? []);
    return <Select label={label} value={value} set={set} required={required} help={help} error={error} options={[...(f.required ? [] : [['', '—'] as const]), ...options.map((o) => [o, o] as const)]} />;
  }
  return <Text label={label} value={value} set={set} required={required} help={help} error={error} type={f.secret ? 'password' : f.type === 'number' ? 'number' : 'text'} autocomplete={f.secret ? 'new-password' : 'off'}
    lines={f.type === 'text' && !f.secret ? 4 : undefined} wide={f.type === 'text'} placeholder={kept ? t('secret.kept') : undefined} />;
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
