// A template: text on the left, what recipients see on the right, versions below.
import { useEffect, useState } from 'preact/hooks';
import type { OperateTemplate, Preview, TemplateContent, TemplateDiff, TemplateVariable, TemplateVariant, TemplateVersion, TemplateVersionList, TenantList } from '../api.gen.ts';
import { get, post, put, query, v1, type Fault } from '../api.ts';
import { useChannels } from '../channels.ts';
import { AsSeen, SegmentsLine } from '../content.tsx';
import { Needs } from '../frame.tsx';
import { t, word } from '../i18n.ts';
import { fault as faultOf, useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { may, session, toast } from '../state.ts';
import { Button, Card, Code, Dialog, Empty, Loading, Page, Raw, Says, Select, Table, Tabs, Tag, Text, Trouble, When, confirm } from '../ui.tsx';
import { useUnsaved } from '../unsaved.ts';
import { Cost, Try, Uses } from './template-life.tsx';
import { VariantFields } from './variant.tsx';
import { classes } from './messages.tsx';
import { VariableInputs, values } from './send.tsx';

const fresh = (): TemplateContent => ({ class: 'transactional', variables: [], variants: [{ channel: 'sms', locale: 'zh', text: '' }] });

export function TemplatePage({ tenant, name }: { tenant: string; name: string }) {
  const head = useLoad(() => (name ? get<OperateTemplate>(v1`templates/${tenant}/${name}`) : Promise.resolve(undefined)), [tenant, name]);
  const [version, setVersion] = useState(0);
  const shown = version || head.data?.version || 0;
  const body = useLoad(() => (shown ? get<TemplateVersion>(v1`templates/${tenant}/${name}/versions/${shown}`) : Promise.resolve(undefined)), [tenant, name, shown]);
  if (!name) return <Editor tenant={session.value?.tenant ?? ''} name="" start={fresh()} saved={() => {}} />;
  if (!head.data || !body.data) return <Page title={<Raw>{name}</Raw>}>{head.fault ?? body.fault ? <Trouble fault={head.fault ?? body.fault} /> : <Loading />}</Page>;
  const { variants, variables, dedup_exclude } = body.data;
  return (
    <Editor key={shown} tenant={tenant} name={name} head={head.data} version={shown} start={{ class: body.data.class, variants, variables: variables ?? [], dedup_exclude: dedup_exclude ?? [] }}
      saved={() => { setVersion(0); head.reload(); }} choose={setVersion} reload={head.reload} />
  );
}

function Editor({ tenant, name, head, version = 0, start, saved, choose, reload }: {
  tenant: string; name: string; head?: OperateTemplate; version?: number; start: TemplateContent; saved: () => void; choose?: (v: number) => void; reload?: () => void;
}) {
  const [content, set] = useState(start);
  const [at, setAt] = useState(0);
  const [owner, setOwner] = useState(tenant);
  const [title, setTitle] = useState(name);
  const [vars, setVars] = useState<Record<string, string>>({});
  const [refused, setRefused] = useState<Fault>();
  const action = useAction();
  const edits = may('operate');
  const changed = JSON.stringify(content) !== JSON.stringify(start);
  const variant = content.variants[at] ?? content.variants[0];
  const setVariant = (v: TemplateVariant): void => set({ ...content, variants: content.variants.map((x, i) => (i === at ? v : x)) });
  useUnsaved(content, title);
  const tenants = useLoad(() => (name ? Promise.resolve(undefined) : get<TenantList>('/v1/tenants')), [name]);

  const save = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('template.save'), text: t('template.save.text'), confirm: t('template.save') });
    if (reason === undefined) return;
    try {
      const kept = await put<OperateTemplate>(v1`templates/${owner}/${title}`, { ...content, reason, ...(head && { version: head.version }) });
      setRefused(undefined);
      toast(t('template.saved', { n: kept.version }));
      if (name) saved();
      else go(to('templates', owner, title), true);
    } catch (e) {
      setRefused(faultOf(e));
    }
  });
  const publish = (n: number): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('publish.title', { n }), text: t('publish.text'), confirm: t('publish') });
    if (reason === undefined) return;
    await post(v1`templates/${tenant}/${name}/publish`, { version: n, reason });
    toast(t('published.done', { n }));
    reload?.();
  });
  const look = async (v: number): Promise<void> => {
    if (changed && v !== version && await confirm({ title: t('draft.lose'), text: t('draft.lose.text'), confirm: t('draft.lose'), danger: true, reason: false }) === undefined) return;
    choose?.(v);
  };
  const share = (): Promise<void> => action.run(async () => {
    if (!head) return;
    const reason = await confirm({ title: head.shared ? t('unshare') : t('share'), text: t('share.text'), confirm: head.shared ? t('unshare') : t('share') });
    if (reason === undefined) return;
    await post(v1`templates/${tenant}/${name}/share`, { shared: !head.shared, reason });
    reload?.();
  });
  return (
    <Page title={name ? <Raw>{name}</Raw> : t('templates.new')}
      note={head && <><Raw>{tenant}</Raw> · {head.published ? t('template.published', { n: head.published }) : t('unpublished')} · {t('template.shown', { n: version })}</>}
      actions={edits ? <>
        {head && <A class="button" href={`/send${query({ template: `${tenant}/${name}` })}`}>{t('nav.send')}</A>}
        {head && !changed && variant && <Try tenant={tenant} name={name} version={version} channel={variant.channel} locale={variant.locale} variables={content.variables ?? []} vars={vars} />}
        {head && <Button onClick={() => void share()}>{head.shared ? t('unshare') : t('share')}</Button>}
        {head && !changed && version !== head.published && <Button kind="main" disabled={action.busy} onClick={() => void publish(version)}>{t('publish.n', { n: version })}</Button>}
        {(changed || !head) && <Button kind="main" disabled={action.busy || !title || !owner} onClick={() => void save()}>{t('template.save')}</Button>}
      </> : <Needs scope="operate" />}>
      <Trouble fault={action.fault ?? refused} />
      <div class="cols even">
        <div>
          {!name && (
            <Card title={t('template.identity')}><div class="form">
              <Select label={t('tenant')} value={owner} set={setOwner} options={[['', '—'], ...(tenants.data?.items ?? []).map((x) => [x.name, x.name] as const)]} required />
              <Text label={t('name')} value={title} set={setTitle} required help={t('name.help')} />
            </div></Card>
          )}
          <Card title={t('template.content')} extra={<Variants content={content} at={at} go={setAt} set={(c, i) => { set(c); setAt(i); }} />}>
            {variant && <VariantFields variant={variant} set={setVariant} names={(content.variables ?? []).map((v) => v.name)} />}
          </Card>
          <Card class="flush" title={t('variables')} extra={edits && <Button onClick={() => set({ ...content, variables: [...(content.variables ?? []), { name: '', type: 'string' }] })}>{t('add')}</Button>}>
            <Variables list={content.variables ?? []} exclude={content.dedup_exclude ?? []} set={(variables, dedup_exclude) => set({ ...content, variables, dedup_exclude })} />
          </Card>
          <Card title={t('template.settings')}><Select label={t('class')} value={content.class} set={(v) => set({ ...content, class: v as TemplateContent['class'] })} options={classes.map((c) => [c, word('class', c)])} help={t('class.help')} /></Card>
        </div>
        <div>
          {variant && <Live content={content} variant={variant} vars={vars} />}
          {(content.variables ?? []).length > 0 && <Card title={t('preview.values')}><div class="form"><VariableInputs list={(content.variables ?? []).filter((v) => v.name)} vars={vars} set={setVars} /></div></Card>}
          {head && <Versions tenant={tenant} name={name} head={head} shown={version} choose={(v) => void look(v)} publish={edits ? publish : undefined} />}
          {head && <Uses tenant={tenant} name={name} version={version} />}
        </div>
      </div>
    </Page>
  );
}

function Variants({ content, at, go: show, set }: { content: TemplateContent; at: number; go: (i: number) => void; set: (c: TemplateContent, at: number) => void }) {
  const channels = useChannels();
  const [adding, setAdding] = useState(false);
  const [channel, setChannel] = useState('sms');
  const [locale, setLocale] = useState('zh');
  const taken = content.variants.some((v) => v.channel === channel && v.locale === locale);
  return (
    <div class="line">
      <Tabs label={t('variants')} value={String(at)} set={(v) => show(Number(v))} options={content.variants.map((v, i) => [String(i), `${word('channel', v.channel)} ${v.locale}`])} />
      {may('operate') && <Button class="small" onClick={() => setAdding(true)}>{t('add')}</Button>}
      {may('operate') && content.variants.length > 1 && <Button class="small" onClick={() => set({ ...content, variants: content.variants.filter((_, i) => i !== at) }, 0)}>{t('remove')}</Button>}
      {adding && (
        <Dialog title={t('variant.add')} close={() => setAdding(false)} foot={<Button kind="main" disabled={taken || !locale} onClick={() => {
          set({ ...content, variants: [...content.variants, { channel, locale, text: '' }] }, content.variants.length);
          setAdding(false);
        }}>{t('add')}</Button>}>
          <div class="form">
            <Select label={t('channel')} value={channel} set={setChannel} options={channels} />
            <Text label={t('locale')} value={locale} set={setLocale} help="zh, en, en-GB" error={taken ? t('variant.taken') : ''} />
          </div>
        </Dialog>
      )}
    </div>
  );
}

const kinds = ['string', 'number', 'boolean', 'url', 'list'] as const;

function Variables({ list, exclude, set }: { list: TemplateVariable[]; exclude: string[]; set: (v: TemplateVariable[], exclude: string[]) => void }) {
  if (list.length === 0) return <Empty>{t('variables.none')}</Empty>;
  const change = (i: number, v: Partial<TemplateVariable>): void => set(list.map((x, j) => (i === j ? { ...x, ...v } : x)), exclude);
  const off = !may('operate');
  return (
    <Table label={t('variables')} head={[t('name'), t('type'), t('example'), t('var.max_length'), t('optional'), t('secret'), t('not_dedup'), '']}>
      {list.map((v, i) => (
        <tr key={i}>
          <td><input aria-label={t('name')} value={v.name} disabled={off} onInput={(e) => change(i, { name: e.currentTarget.value })} /></td>
          <td><select aria-label={t('type')} value={v.type ?? 'string'} disabled={off} onChange={(e) => change(i, { type: e.currentTarget.value as TemplateVariable['type'] })}>{kinds.map((k) => <option key={k} value={k}>{k}</option>)}</select></td>
          <td><input aria-label={t('example')} value={v.example ?? ''} disabled={off} onInput={(e) => change(i, { example: e.currentTarget.value })} /></td>
          <td><input aria-label={t('var.max_length')} type="number" min={0} value={v.max_length ?? ''} disabled={off} onInput={(e) => change(i, { max_length: Number(e.currentTarget.value) || undefined })} /></td>
          <td><input aria-label={t('optional')} type="checkbox" checked={!!v.optional} disabled={off} onChange={(e) => change(i, { optional: e.currentTarget.checked })} /></td>
          <td><input aria-label={t('secret')} type="checkbox" checked={!!v.secret} disabled={off} onChange={(e) => change(i, { secret: e.currentTarget.checked })} /></td>
          <td><input aria-label={t('not_dedup')} type="checkbox" checked={exclude.includes(v.name)} disabled={off} onChange={(e) => set(list, e.currentTarget.checked ? [...exclude, v.name] : exclude.filter((n) => n !== v.name))} /></td>
          <td class="end">{!off && <Button kind="link" aria-label={`${t('remove')} ${v.name}`} onClick={() => set(list.filter((_, j) => j !== i), exclude.filter((n) => n !== v.name))}>✕</Button>}</td>
        </tr>
      ))}
    </Table>
  );
}

/** The API's own renderer shows what is being edited; what is wrong stands beside it, never in its place. */
function Live({ content, variant, vars }: { content: TemplateContent; variant: TemplateVariant; vars: Record<string, string> }) {
  const [seen, setSeen] = useState<Preview>();
  const [fault, setFault] = useState<Fault>();
  const request = { template: { ...content, variables: (content.variables ?? []).filter((v) => v.name) }, channel: variant.channel, locale: variant.locale, vars: values(content.variables ?? [], vars) };
  const body = JSON.stringify(request);
  useEffect(() => {
    let gone = false;
    const wait = setTimeout(() => {
      post<Preview>('/v1/templates/preview', request).then((p) => { if (!gone) { setSeen(p); setFault(undefined); } }, (e) => { if (!gone) setFault(faultOf(e)); });
    }, seen ? 250 : 0);
    return () => { gone = true; clearTimeout(wait); };
  }, [body]);
  return (
    <Card title={t('preview')} extra={<Tag>{word('channel', variant.channel)} {variant.locale}</Tag>}>
      <div class="stack">
        <Trouble fault={fault} />
        {seen && <AsSeen channel={variant.channel} content={seen.content} />}
        <SegmentsLine of={seen?.segments} />
        <Cost channel={variant.channel} segments={seen?.segments?.count} />
        {seen?.problems.map((p, i) => <div class="alert bad" key={i}><Code>{p.pointer}</Code> <Says of={p} /></div>)}
        {seen?.warnings.map((w) => <div class="alert warn" key={w} translate={false} lang="en">{w}</div>)}
      </div>
    </Card>
  );
}

function Versions({ tenant, name, head, shown, choose, publish }: {
  tenant: string; name: string; head: OperateTemplate; shown: number; choose?: (v: number) => void; publish?: (v: number) => Promise<void>;
}) {
  const { data } = useLoad(() => get<TemplateVersionList>(v1`templates/${tenant}/${name}/versions` + query({ limit: 20 })), [tenant, name, head.version, head.published]);
  const [compare, setCompare] = useState<[number, number]>();
  return (
    <Card class="flush" title={t('versions')}>
      <Table label={t('versions')} head={[t('version'), t('changed'), t('reason'), '']}>
        {(data?.items ?? []).map((v) => (
          <tr key={v.version}>
            <td class="nowrap"><Button class={v.version === shown ? 'small main' : 'small'} aria-pressed={v.version === shown} onClick={() => choose?.(v.version)}>v{v.version}</Button> {v.version === head.published && <Tag tone="good">{t('published')}</Tag>}</td>
            <td class="nowrap"><When at={v.created_at} /><br /><Raw class="faint">{v.author}</Raw></td><td><Raw>{v.reason}</Raw></td>
            <td class="end">
              {head.published && head.published !== v.version ? <Button onClick={() => setCompare([head.published ?? 0, v.version])}>{t('diff')}</Button> : v.version > 1 ? <Button onClick={() => setCompare([v.version - 1, v.version])}>{t('diff')}</Button> : null}
              {publish && v.version !== head.published && <> <Button onClick={() => void publish(v.version)}>{v.version < (head.published ?? 0) ? t('restore') : t('publish')}</Button></>}
            </td>
          </tr>
        ))}
      </Table>
      {compare && <Diff tenant={tenant} name={name} from={compare[0]} until={compare[1]} close={() => setCompare(undefined)} />}
    </Card>
  );
}

function Diff({ tenant, name, from, until, close }: { tenant: string; name: string; from: number; until: number; close: () => void }) {
  const { data, fault } = useLoad(() => get<TemplateDiff>(v1`templates/${tenant}/${name}/diff` + query({ from, to: until })), [from, until]);
  const none = data && !data.class && data.variables.length === 0 && data.variants.length === 0;
  return (
    <Dialog wide title={`v${from} → v${until}`} close={close}>
      <Trouble fault={fault} />
      {none && <Empty>{t('diff.none')}</Empty>}
      {data?.class && <p>{t('class')}: {word('class', data.class.before)} → {word('class', data.class.after)}</p>}
      {data?.variables.map((v) => <p key={v.name}><Code>{v.name}</Code> {t(`change.${v.change}`)}</p>)}
      {data?.variants.map((v) => (
        <section key={v.channel + v.locale}>
          <h3>{word('channel', v.channel)} {v.locale} · {t(`change.${v.change}`)}</h3>
          {v.fields.map((f) => <div class="diff" key={f.name} translate={false}>{f.lines.map((l, i) => <div key={i} class={l.op}>{l.op === 'add' ? '+' : l.op === 'remove' ? '−' : ' '} {l.text}</div>)}</div>)}
        </section>
      ))}
    </Dialog>
  );
}
