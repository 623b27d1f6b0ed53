// A new campaign: what, to whom, and a look at the list before anything leaves the browser.
import { useEffect, useState } from 'preact/hooks';
import type { CreateCampaign, Preview, Run, TemplateList, TemplateVersion, TenantList } from '../api.gen.ts';
import { get, post, v1, type Fault } from '../api.ts';
import { AsSeen, SegmentsLine } from '../content.tsx';
import { Needs } from '../frame.tsx';
import { number } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { go, params, to } from '../route.tsx';
import { session } from '../state.ts';
import { ListFile } from '../listfile.tsx';
import { steers } from '../timed.tsx';
import { audienceOf, type Chosen } from '../upload.ts';
import { Button, Card, Empty, Page, Select, Tag, Text, Trouble } from '../ui.tsx';
import { useUnsaved } from '../unsaved.ts';
import { VariableInputs, typed, values } from './send.tsx';

export interface What {
  tenant: string;
  template: string;
  channel: string;
  locale: string;
  vars: Record<string, string>;
  /** The template's version that is sent, whatever is published; 0 is what is published then. */
  version: number;
}

/** What is sent to many: whose, which template, and the variables that are the same for all. */
export function useWhat(start: Partial<What> = {}) {
  const [what, set] = useState<What>({ tenant: session.value?.tenant ?? '', template: '', channel: '', locale: '', vars: {}, version: 0, ...start });
  const tenants = useLoad(() => get<TenantList>('/v1/tenants'), []);
  const templates = useLoad(() => get<TemplateList>('/v1/templates'), []);
  useEffect(() => { // the only one there is
    const only = tenants.data?.items;
    if (!what.tenant && only?.length === 1) set((w) => ({ ...w, tenant: only[0]?.name ?? '' }));
  }, [tenants.data]);
  const list = (templates.data?.items ?? []).filter((x) => x.class !== 'otp' && (x.published || !session.value?.live) && (x.tenant === what.tenant || x.shared));
  const named = (name?: string) => list.find((x) => `${x.tenant}/${x.name}` === name || (x.tenant === what.tenant && x.name === name));
  const current = named(what.template);
  const version = useLoad(() => (current ? get<TemplateVersion>(v1`templates/${current.tenant}/${current.name}/versions/${what.version || current.published || current.version}`) : Promise.resolve(undefined)), [current?.tenant, current?.name, current?.published, what.version]);
  const variables = version.data?.variables ?? [], variants = version.data?.variants ?? [];
  const channels = [...new Set(variants.map((v) => v.channel))];
  /** As the API takes it; a tenant's own template goes by its bare name. */
  const content = () => ({ template: current?.tenant === what.tenant ? current.name : what.template, ...(what.channel && { channel: what.channel }), ...(what.locale && { locale: what.locale }), ...(what.version > 0 && { template_version: what.version }), ...(Object.keys(what.vars).length > 0 && { vars: values(variables, what.vars) }) });
  /** The version that the start names, while its template is chosen. */
  const pinned = current && current === named(start.template) ? start.version ?? 0 : 0;
  return { what, set, pinned, tenants: tenants.data?.items ?? [], list, current, version: version.data, variables, variants, channels, content };
}

/** The fields of it. */
export function WhatFields({ w, fault, fixed }: { w: ReturnType<typeof useWhat>; fault?: Fault; fixed?: boolean }) {
  const { what, set } = w;
  return (
    <>
      <Select label={t('tenant')} value={what.tenant} set={(tenant) => set({ ...what, tenant, template: '', vars: {}, version: 0 })} required disabled={fixed} error={fault?.at('/tenant')} options={[['', '—'], ...w.tenants.map((x) => [x.name, x.name] as const)]} />
      <Select label={t('template')} value={w.current ? `${w.current.tenant}/${w.current.name}` : ''} set={(template) => set({ ...what, template, channel: '', locale: '', vars: {}, version: 0 })} required error={fault?.at('/template') || fault?.at('/template_version')}
        options={[['', t('send.choose')], ...w.list.map((x) => [`${x.tenant}/${x.name}`, (x.tenant === what.tenant ? x.name : `${x.tenant}/${x.name}`)] as const)]} />
      {w.pinned > 0 && <Select label={t('version')} value={String(what.version)} set={(v) => set({ ...what, version: Number(v) })} error={fault?.at('/template_version')} options={[[String(w.pinned), `v${w.pinned}`], ['0', t('uses.published')]]} />}
      <Select label={t('channel')} value={what.channel} set={(channel) => set({ ...what, channel })} error={fault?.at('/channel')} options={[['', t('new.channel.each')], ...w.channels.map((c) => [c, word('channel', c)] as const)]} />
      <Select label={t('locale')} value={what.locale} set={(locale) => set({ ...what, locale })} error={fault?.at('/locale')} options={[['', t('send.tenant_locale')], ...[...new Set(w.variants.map((v) => v.locale))].map((l) => [l, l] as const)]} />
      {w.variables.length > 0 && <p class="wide faint">{t('new.vars')}</p>}
      <VariableInputs list={w.variables.map((v) => ({ ...v, optional: true }))} vars={what.vars} set={(vars) => set({ ...what, vars })} fault={fault} />
    </>
  );
}

/** What the first recipient would see. */
export function First({ w, first }: { w: ReturnType<typeof useWhat>; first?: Record<string, string> }) {
  const [seen, setSeen] = useState<Preview>();
  const { version, what, variables, variants } = w;
  const text: Record<string, string> = { ...Object.fromEntries(variables.map((v) => [v.name, v.example ?? ''])), ...Object.fromEntries(Object.entries(what.vars).filter(([, v]) => v)), ...first };
  const vars = Object.fromEntries(variables.filter((v) => text[v.name]).map((v) => [v.name, typed(v, text[v.name] ?? '')]));
  const variant = variants.find((v) => (!what.channel || v.channel === what.channel) && (!what.locale || v.locale === what.locale)) ?? variants[0];
  const body = version && variant && { template: { class: version.class, variables, variants, dedup_exclude: version.dedup_exclude ?? [] }, channel: variant.channel, locale: variant.locale, vars };
  useEffect(() => {
    let gone = false;
    if (!body) return setSeen(undefined);
    const wait = setTimeout(() => { post<Preview>('/v1/templates/preview', body).then((p) => { if (!gone) setSeen(p); }, () => {}); }, 300);
    return () => { gone = true; clearTimeout(wait); };
  }, [JSON.stringify(body)]);
  if (!variant || !seen) return <Card title={t('first.preview')}><Empty>{t('send.choose')}</Empty></Card>;
  return <Card title={t('first.preview')} extra={<Tag>{word('channel', variant.channel)} {variant.locale}</Tag>}><div class="stack"><AsSeen channel={variant.channel} content={seen.content} /><SegmentsLine of={seen.segments} /></div></Card>;
}

export function CampaignNew() {
  const w = useWhat({ template: params.value.get('template') ?? '' });
  const [title, setTitle] = useState('');
  const [rate, setRate] = useState('');
  const [chosen, choose] = useState<{ c: Chosen; first?: Record<string, string> }>();
  const [part, setPart] = useState<number>();
  const [key] = useState(() => crypto.randomUUID());
  useUnsaved({ ...w.what, tenant: '' }, title, rate, chosen);
  const action = useAction();
  const order = (): Promise<void> => action.run(async () => {
    if (!chosen) return;
    try {
      const body: CreateCampaign = { tenant: w.what.tenant, title, ...w.content(), audience: await audienceOf(w.what.tenant, chosen.c, setPart), ...(Number(rate) && { per_second: Number(rate) }) };
      const run = await post<Run>('/v1/campaigns', body, { 'Idempotency-Key': `${key}-${body.audience.upload ?? ''}` });
      go(to('campaigns', run.id));
    } finally {
      setPart(undefined);
    }
  });
  if (!steers()) return <Page title={t('campaigns.new')}><Card><Empty><Needs scope="send" /></Empty></Card></Page>;
  return (
    <Page title={t('campaigns.new')} note={t('new.order.help')}>
      <div class="cols">
        <div>
          <Card title={t('new.what')}>
            <form class="form" id="campaign" onSubmit={(e) => { e.preventDefault(); void order(); }}>
              <WhatFields w={w} fault={action.fault} />
              <Text label={t('title')} value={title} set={setTitle} maxLength={100} help={t('new.title.help')} error={action.fault?.at('/title')} />
              <Text label={t('new.per_second')} type="number" min={1} value={rate} set={setRate} help={t('new.per_second.help')} error={action.fault?.at('/per_second')} />
            </form>
          </Card>
          <Card title={t('new.whom')}>
            <ListFile variables={w.variables} filled={Object.keys(w.what.vars).filter((n) => w.what.vars[n])} set={(c, first) => choose(c && { c, first })} />
          </Card>
          <Trouble fault={action.fault} />
          <div class="actions bottom">
            <Button kind="main" type="submit" form="campaign" disabled={action.busy || !chosen || !w.current}>{part === undefined ? t('new.order') : t('new.uploading', { n: number(Math.round(part * 100)) })}</Button>
            <span class="faint">{t('new.order.help')}</span>
          </div>
        </div>
        <First w={w} first={chosen?.first} />
      </div>
    </Page>
  );
}
