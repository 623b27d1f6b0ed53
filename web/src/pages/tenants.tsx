// Tenants with their owners and keys. A key is shown once.
import { useState } from 'preact/hooks';
import type { BudgetUsage, Key as ApiKey, KeyList, NewKey, PutTenant, Tenant, TenantList, TenantUsage } from '../api.gen.ts';
import { del, get, post, put, query, v1 } from '../api.ts';
import { Needs } from '../frame.tsx';
import { money, number } from '../format.ts';
import { Gauge } from '../gauge.tsx';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { may, session, toast } from '../state.ts';
import { Button, Card, Check, Code, Copy, Dialog, Empty, Loading, Page, Raw, Select, Table, Tag, Text, Trouble, When, confirm } from '../ui.tsx';
import { useUnsaved } from '../unsaved.ts';

export function Tenants() {
  const { data, fault } = useLoad(() => get<TenantList>('/v1/tenants'), []);
  return (
    <Page title={t('nav.tenants')} note={t('tenants.note')} actions={may('admin') ? <A class="button main" href="/tenants/new">{t('tenants.new')}</A> : <Needs scope="admin" />}>
      <Trouble fault={fault} />
      <Card class="flush" title={t('tenants')}>
        {!data && !fault && <Loading />}
        {data?.items.length === 0 && <Empty>{t('nothing')}</Empty>}
        {data && data.items.length > 0 && (
          <Table label={t('tenants')} head={[t('name'), t('title'), t('owner'), t('phone'), t('group_name'), t('limit'), t('state'), t('changed')]}>
            {data.items.map((x) => (
              <tr key={x.name}>
                <td class="nowrap"><A href={to('tenants', x.name)}><Raw>{x.name}</Raw></A></td><td><Raw>{x.title}</Raw></td><td><Raw>{x.owner.name}</Raw></td>
                <td class="nowrap">{x.owner.phone ? <a href={`tel:${x.owner.phone}`}>{x.owner.phone}</a> : <Raw>{x.owner.email}</Raw>}</td><td><Raw>{x.owner.group}</Raw></td>
                <td class="nowrap">{limits(x)}</td><td>{x.disabled ? <Tag tone="warn">{t('disabled')}</Tag> : <Tag tone="good">{t('on')}</Tag>}</td><td class="nowrap"><When at={x.changed_at} /></td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
      {may('operate') ? <Keys /> : <Card title={t('keys.api')}><Needs scope="operate" /></Card>}
    </Page>
  );
}

const limits = (x: Tenant): string => [x.per_second ? t('per_second', { n: number(x.per_second) }) : '', x.per_day ? t('per_day', { n: number(x.per_day) }) : ''].filter(Boolean).join(' · ') || t('no_limit');

export function TenantPage({ name }: { name: string }) {
  const { data, fault, reload } = useLoad(() => (name ? get<Tenant>(v1`tenants/${name}`) : Promise.resolve(undefined)), [name]);
  const title = name ? <Raw>{name}</Raw> : t('tenants.new');
  if (name && !data) return <Page title={title}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  return (
    <Page title={title} note={<Raw>{data?.title}</Raw>} actions={name && <><A class="button" href={'/audit' + query({ name, since: '720' })}>{t('nav.audit')}</A><A class="button" href={'/endpoints' + query({ tenant: name })}>{t('nav.endpoints')}</A><A class="button" href={'/messages' + query({ tenant: name })}>{t('nav.messages')}</A></>}>
      <Form key={data?.version} x={data} reload={reload} />
      {name && <Usage name={name} />}
      {name && may('operate') && <Keys tenant={name} />}
    </Page>
  );
}

/** How much of its limits and budgets the tenant has used. */
function Usage({ name }: { name: string }) {
  const { data, fault } = useLoad(() => get<TenantUsage>(v1`tenants/${name}/usage`), [name], 10000);
  const say = (u: BudgetUsage, n: number): string => (u.window === 'month' ? money(n, u.currency) : number(n));
  return (
    <Card title={t('usage')} extra={<A href={'/throttles'}>{t('throttles')}</A>}>
      <Trouble fault={fault} />
      {data?.items.length === 0 && <Empty>{t('usage.none')}</Empty>}
      <div class="stack">{data?.items.map((u) => <Gauge key={u.window} label={t(u.window === 'month' ? 'window.month' : `window.${u.window}`)} used={u.used} limit={u.limit} said={t('gauge.of', { n: say(u, u.used), of: say(u, u.limit) })} />)}</div>
    </Card>
  );
}

function Form({ x, reload }: { x?: Tenant; reload: () => void }) {
  const [name, setName] = useState(x?.name ?? '');
  const [f, set] = useState<PutTenant>({
    title: x?.title, owner: x?.owner ?? { name: '' }, free_content: x?.free_content, region: x?.region ?? 'CN', locale: x?.locale ?? 'zh', per_second: x?.per_second, per_day: x?.per_day, per_month: x?.per_month, currency: x?.currency, approve_over: x?.approve_over, review_templates: x?.review_templates, disabled: x?.disabled,
  });
  useUnsaved(name, f);
  const action = useAction();
  const owner = (change: Partial<PutTenant['owner']>): void => set({ ...f, owner: { ...f.owner, ...change } });
  const at = (p: string) => action.fault?.at(p);
  const save = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('save'), confirm: t('save') });
    if (reason === undefined) return;
    await put(v1`tenants/${name}`, { ...f, reason, version: x?.version });
    toast(t('saved'));
    if (x) reload();
    else go(to('tenants', name), true);
  });
  return (
    <Card title={t('tenant')}>
      <Trouble fault={action.fault} />
      <form class="form" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        {!x && <Text label={t('name')} value={name} set={setName} required help={t('name.help')} />}
        <Text label={t('title')} value={f.title ?? ''} set={(v) => set({ ...f, title: v })} error={at('/title')} />
        <Text label={t('owner')} value={f.owner.name} set={(v) => owner({ name: v })} required error={at('/owner/name')} help={t('owner.help')} />
        <Text label={t('phone')} value={f.owner.phone ?? ''} set={(v) => owner({ phone: v })} error={at('/owner/phone')} />
        <Text label={t('email')} value={f.owner.email ?? ''} set={(v) => owner({ email: v })} error={at('/owner/email')} />
        <Text label={t('group_name')} value={f.owner.group ?? ''} set={(v) => owner({ group: v })} error={at('/owner/group')} />
        <Text label={t('region')} value={f.region ?? ''} set={(v) => set({ ...f, region: v.toUpperCase() })} error={at('/region')} help={t('region.help')} />
        <Text label={t('locale')} value={f.locale ?? ''} set={(v) => set({ ...f, locale: v })} error={at('/locale')} />
        <Text label={t('per_second.label')} type="number" min={0} value={f.per_second ? String(f.per_second) : ''} set={(v) => set({ ...f, per_second: Number(v) || undefined })} placeholder={t('no_limit')} error={at('/per_second')} />
        <Text label={t('per_day.label')} type="number" min={0} value={f.per_day ? String(f.per_day) : ''} set={(v) => set({ ...f, per_day: Number(v) || undefined })} placeholder={t('no_limit')} error={at('/per_day')} />
        <Text label={t('per_month.label')} type="number" min={0} value={f.per_month ? String(f.per_month) : ''} set={(v) => set({ ...f, per_month: Number(v) || undefined })} placeholder={t('no_limit')} error={at('/per_month')} help={t('per_month.help')} />
        <Text label={t('currency.label')} value={f.currency ?? ''} set={(v) => set({ ...f, currency: v.toUpperCase() || undefined })} error={at('/currency')} />
        <Text label={t('approve_over.label')} type="number" min={0} value={f.approve_over ? String(f.approve_over) : ''} set={(v) => set({ ...f, approve_over: Number(v) || undefined })} placeholder={t('no_limit')} error={at('/approve_over')} help={t('approve_over.help')} />
        <Check label={t('review_templates')} value={!!f.review_templates} set={(v) => set({ ...f, review_templates: v })} help={t('review_templates.help')} />
        <Check label={t('free_content.may')} value={!!f.free_content} set={(v) => set({ ...f, free_content: v })} help={t('free_content.help')} />
        <Check label={t('disabled')} value={!!f.disabled} set={(v) => set({ ...f, disabled: v })} help={t('disabled.help')} />
        <div class="wide actions">{may('admin') ? <Button kind="main" type="submit" disabled={action.busy || !name || !f.owner.name}>{t('save')}</Button> : <Needs scope="admin" />}</div>
      </form>
    </Card>
  );
}

function Keys({ tenant = '' }: { tenant?: string }) {
  const { data, fault, reload } = useLoad(() => get<KeyList>('/v1/keys' + query({ tenant })), [tenant]);
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewKey>();
  const action = useAction();
  const revoke = (k: ApiKey): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('key.revoke.title', { name: k.title }), text: t(k.id === session.value?.key ? 'key.revoke.own' : 'key.revoke.text'), confirm: t('revoke'), danger: true });
    if (reason === undefined) return;
    await del(v1`keys/${k.id}` + query({ reason }));
    toast(t('revoked'));
    reload();
  });
  return (
    <Card class="flush" title={t('keys.api')} extra={may('admin') ? <Button onClick={() => setMaking(true)}>{t('keys.new')}</Button> : <Needs scope="admin" />}>
      <Trouble fault={fault ?? action.fault} />
      {data?.items.length === 0 && <Empty>{t('nothing')}</Empty>}
      {data && data.items.length > 0 && (
        <Table label={t('keys.api')} head={[t('title'), t('key'), t('tenant'), t('scopes'), t('made'), t('expires_at'), t('state'), '']}>
          {data.items.map((k) => (
            <tr key={k.id}>
              <td><Raw>{k.title}</Raw></td><td class="nowrap"><Code>{k.prefix}</Code> {k.id === session.value?.key && <Tag tone="info">{t('key.this')}</Tag>}</td><td><Raw>{k.tenant || '—'}</Raw></td>
              <td><span class="line">{k.scopes.map((s) => <Tag key={s}>{word('scope', s)}</Tag>)}</span></td><td class="nowrap"><When at={k.created_at} /> <Raw class="faint">{k.created_by}</Raw></td>
              <td class="nowrap">{k.expires_at ? <When at={k.expires_at} /> : t('forever')}</td>
              <td>{k.revoked ? <Tag>{t('revoked')}</Tag> : k.live ? <Tag tone="good">LIVE</Tag> : <Tag tone="warn">TEST</Tag>}</td>
              <td class="end">{!k.revoked && may('admin') && <Button kind="danger" onClick={() => void revoke(k)}>{t('revoke')}</Button>}</td>
            </tr>
          ))}
        </Table>
      )}
      {making && <Make tenant={tenant} close={() => setMaking(false)} done={(k) => { setMaking(false); setMade(k); reload(); }} />}
      {made && (
        <Dialog wide title={t('key.once')} close={() => setMade(undefined)} foot={<><Copy text={made.curl} label={t('copy_curl')} /><Copy text={made.key} label={t('copy_key')} kind="main" /></>}>
          <p>{t('key.once.text')}</p>
          <pre class="block" translate={false} data-key>{made.key}</pre>
          <p />
          <pre class="block" translate={false}>{made.curl}</pre>
        </Dialog>
      )}
    </Card>
  );
}

const scopes = ['send', 'read', 'support', 'reveal', 'operate', 'admin'] as const;

function Make({ tenant, close, done }: { tenant: string; close: () => void; done: (k: NewKey) => void }) {
  const tenants = useLoad(() => get<TenantList>('/v1/tenants'), []);
  const [f, set] = useState({ title: '', tenant: tenant || (session.value?.tenant ?? ''), live: 'false', scopes: ['send', 'read'] as string[], reason: '' });
  const action = useAction();
  const make = (): Promise<void> => action.run(async () => {
    done(await post<NewKey>('/v1/keys', { title: f.title, ...(f.tenant && { tenant: f.tenant }), live: f.live === 'true', scopes: f.scopes, ...(f.reason && { reason: f.reason }) }));
  });
  return (
    <Dialog title={t('keys.new')} close={close} foot={<Button kind="main" type="submit" form="new-key" disabled={action.busy}>{t('keys.new')}</Button>}>
      <Trouble fault={action.fault} />
      <form id="new-key" class="form" onSubmit={(e) => { e.preventDefault(); void make(); }}>
        <Text wide label={t('title')} value={f.title} set={(v) => set({ ...f, title: v })} required help={t('key.title.help')} error={action.fault?.at('/title')} />
        <Select label={t('tenant')} value={f.tenant} set={(v) => set({ ...f, tenant: v })} options={[['', '—'], ...(tenants.data?.items ?? []).map((x) => [x.name, x.name] as const)]} error={action.fault?.at('/tenant')} />
        <Select label={t('mode')} value={f.live} set={(v) => set({ ...f, live: v })} options={[['false', t('mode.test')], ['true', t('mode.live')]]} />
        <fieldset class="wide"><legend>{t('scopes')}</legend>{scopes.map((s) => <Check key={s} label={<>{word('scope', s)} <Code>{s}</Code></>} value={f.scopes.includes(s)} set={(on) => set({ ...f, scopes: on ? [...f.scopes, s] : f.scopes.filter((x) => x !== s) })} />)}</fieldset>
        <Text wide label={t('reason')} value={f.reason} set={(v) => set({ ...f, reason: v })} maxLength={200} />
      </form>
    </Dialog>
  );
}
