// What is decided for the whole installation, with who changed it and why.
import { useState } from 'preact/hooks';
import type { Cap, NoticeTo, PrefixCap, Settings as S, SettingsList, TenantList } from '../api.gen.ts';
import { get, put } from '../api.ts';
import { useChannels } from '../channels.ts';
import { Needs } from '../frame.tsx';
import { number } from '../format.ts';
import { t } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Check, Code, Empty, Loading, Page, Raw, Row, Select, Table, Tag, Text, Trouble, When, confirm } from '../ui.tsx';
import { useUnsaved } from '../unsaved.ts';

export function Settings() {
  const { data, fault, reload } = useLoad(() => (may('operate') ? get<S>('/v1/settings') : Promise.resolve(undefined)), []);
  const tenants = useLoad(() => get<TenantList>('/v1/tenants'), []);
  if (!may('operate')) return <Page title={t('nav.settings.page')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  if (!data) return <Page title={t('nav.settings.page')}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  return (
    <Page title={t('nav.settings.page')} note={t('settings.note')} actions={<A class="button" href="/audit?kind=settings&since=720">{t('nav.audit')}</A>}>
      <Form key={data.version} s={data} tenants={tenants.data} reload={reload} />
      <Card title={t('settings.deployment')}><dl class="rows"><Row label={t('settings.public')}>{data.public_url ? <Code>{data.public_url}</Code> : t('settings.public.none')}</Row></dl></Card>
      <Second tenants={tenants.data} />
      <History key={'h' + data.version} />
    </Page>
  );
}

const cap = (messages: string, seconds: string): Cap | undefined => (messages === '' && seconds === '' ? undefined : { messages: Number(messages), seconds: Number(seconds) });
const said = (n?: number): string => (n === undefined ? '' : String(n));

function Form({ s, tenants, reload }: { s: S; tenants?: TenantList; reload: () => void }) {
  const c = s.codes ?? {}, n = s.notices ?? {};
  const channels = useChannels();
  const [own, setOwn] = useState<[string, string]>([said(c.per_recipient?.messages), said(c.per_recipient?.seconds)]);
  const [ranged, limitRange] = useState(!!c.per_range);
  const [range, setRange] = useState<[string, string]>([said(c.per_range?.messages ?? 100), said(c.per_range?.seconds ?? 600)]);
  const [prefixes, setPrefixes] = useState<PrefixCap[]>(c.prefixes ?? []);
  const [told, setTold] = useState<NoticeTo[]>(n.to ?? []);
  const [f, set] = useState({ tenant: n.tenant ?? '', template: n.template ?? '' });
  useUnsaved(own, ranged, range, prefixes, told, f);
  const action = useAction();
  const at = (p: string) => action.fault?.at(p);
  const save = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('save'), text: t('settings.save'), confirm: t('save'), why: true });
    if (reason === undefined) return;
    await put('/v1/settings', {
      codes: { per_recipient: cap(...own), per_range: ranged ? cap(...range) : undefined, prefixes: prefixes.length > 0 ? prefixes : undefined },
      notices: { tenant: f.tenant || undefined, template: f.template || undefined, to: told.length > 0 ? told : undefined }, version: s.version || undefined, reason,
    });
    toast(t('saved'));
    reload();
  });
  const prefix = (i: number, change: Partial<PrefixCap>): void => setPrefixes(prefixes.map((p, j) => (i === j ? { ...p, ...change } : p)));
  const to_ = (i: number, change: Partial<NoticeTo>): void => setTold(told.map((p, j) => (i === j ? { ...p, ...change } : p)));
  return (
    <form onSubmit={(e) => { e.preventDefault(); void save(); }}>
      <Trouble fault={action.fault} />
      <Card title={t('settings.codes')}>
        <p class="faint lead">{t('settings.codes.text')}</p>
        <div class="form">
          <Text label={t('settings.own')} type="number" min={1} value={own[0]} set={(v) => setOwn([v, own[1]])} error={at('/codes/per_recipient') ?? at('/codes/per_recipient/messages')} />
          <Text label={t('route.cap.seconds')} type="number" min={1} value={own[1]} set={(v) => setOwn([own[0], v])} error={at('/codes/per_recipient/seconds')} />
          <div class="wide"><Check label={t('settings.range')} value={ranged} set={limitRange} help={t('settings.range.help')} /></div>
          {ranged && <><Text label={t('route.cap.messages')} type="number" min={1} value={range[0]} set={(v) => setRange([v, range[1]])} error={at('/codes/per_range') ?? at('/codes/per_range/messages')} /><Text label={t('route.cap.seconds')} type="number" min={1} value={range[1]} set={(v) => setRange([range[0], v])} error={at('/codes/per_range/seconds')} /></>}
        </div>
        <h3>{t('settings.prefixes')}</h3>
        {prefixes.map((p, i) => (
          <div class="form lead" key={i}>
            <Text label={t('settings.prefix')} value={p.prefix} set={(v) => prefix(i, { prefix: v })} placeholder="+882" error={at(`/codes/prefixes/${i}/prefix`)} required />
            <Text label={t('route.cap.messages')} type="number" min={0} value={said(p.messages ?? 0)} set={(v) => prefix(i, { messages: Number(v) })} help={t('settings.prefix.help')} error={at(`/codes/prefixes/${i}/messages`)} />
            <Text label={t('route.cap.seconds')} type="number" min={1} value={said(p.seconds)} set={(v) => prefix(i, { seconds: Number(v) })} error={at(`/codes/prefixes/${i}/seconds`)} />
            <div class="field"><Button onClick={() => setPrefixes(prefixes.filter((_, j) => j !== i))}>{t('remove')}</Button></div>
          </div>
        ))}
        <p><Button onClick={() => setPrefixes([...prefixes, { prefix: '', messages: 0, seconds: 86400 }])}>{t('settings.prefix.add')}</Button></p>
      </Card>
      <Card title={t('settings.notices')}>
        <p class="faint lead">{t('settings.notices.text')}</p>
        <div class="form lead">
          <Select label={t('settings.as')} value={f.tenant} set={(tenant) => set({ ...f, tenant })} options={[['', t('settings.as.none')], ...(tenants?.items ?? []).map((x) => [x.name, x.name] as const)]} error={at('/notices/tenant')} />
          <Text label={t('template')} value={f.template} set={(template) => set({ ...f, template })} help={t('settings.template.help')} error={at('/notices/template')} />
        </div>
        {told.map((p, i) => (
          <div class="form lead" key={i}>
            <Select label={t('channel')} value={p.channel} set={(channel) => to_(i, { channel })} options={channels} error={at(`/notices/to/${i}/channel`)} />
            <Text label={t('address')} value={p.to} set={(v) => to_(i, { to: v })} error={at(`/notices/to/${i}/to`)} required />
            <div class="field"><Button onClick={() => setTold(told.filter((_, j) => j !== i))}>{t('remove')}</Button></div>
          </div>
        ))}
        <p><Button onClick={() => setTold([...told, { channel: 'email', to: '' }])}>{t('settings.to.add')}</Button></p>
      </Card>
      <div class="actions lead"><Button kind="main" type="submit" disabled={action.busy}>{t('save')}</Button></div>
    </form>
  );
}

/** Where a second person has to agree: it is decided for each tenant. */
function Second({ tenants }: { tenants?: TenantList }) {
  return (
    <Card class="flush" title={t('settings.second')} extra={<span class="faint">{t('settings.second.note')}</span>}>
      <Table label={t('settings.second')} head={[t('tenant'), t('approve_over.label'), t('review_templates')]}>
        {(tenants?.items ?? []).map((x) => <tr key={x.name}><td><A href={to('tenants', x.name)}><Raw>{x.name}</Raw></A></td><td>{x.approve_over ? number(x.approve_over) : '—'}</td><td>{x.review_templates ? <Tag tone="good">{t('yes')}</Tag> : t('no')}</td></tr>)}
      </Table>
    </Card>
  );
}

function History() {
  const { data } = useLoad(() => get<SettingsList>('/v1/settings/history'), []);
  if (!data || data.items.length === 0) return null;
  return (
    <Card class="flush" title={t('history')}>
      <Table label={t('history')} head={[t('version'), t('changed'), t('author'), t('reason')]}>
        {data.items.map((x) => <tr key={x.version}><td>v{x.version}</td><td class="nowrap"><When at={x.changed_at} /></td><td><Raw>{x.author}</Raw></td><td><Raw>{x.reason || '—'}</Raw></td></tr>)}
      </Table>
    </Card>
  );
}
