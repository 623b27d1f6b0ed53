// Send: a template, its variables, who; what would happen; then send.
import { useEffect, useState } from 'preact/hooks';
import type { Explained, Explanation, SendRequest, Sent, TemplateList, TemplateVariable, TemplateVersion } from '../api.gen.ts';
import { get, post, v1 } from '../api.ts';
import { AsSeen, SegmentsLine } from '../content.tsx';
import { Needs } from '../frame.tsx';
import { money } from '../format.ts';
import { t, word } from '../i18n.ts';
import { fault as faultOf, useAction, useLoad } from '../load.ts';
import { A, params, to } from '../route.tsx';
import { may, session } from '../state.ts';
import type { Fault } from '../api.ts';
import { Button, Card, Empty, Page, Raw, Row, Select, Status, Tag, Text, Trouble, When, type Options } from '../ui.tsx';

type Vars = Record<string, string>;

/** An entry of a list as it is typed, in JSON; what is none stays a text, of which the API says what is wrong. */
function entry(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line;
  }
}

/** A typed value as the API wants it for a variable. */
export function typed(v: TemplateVariable, text: string): unknown {
  switch (v.type) {
    case 'number': return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
    case 'boolean': return text === 'true';
    case 'list': return text.split('\n').filter((line) => line.trim()).map(entry);
    default: return text;
  }
}

export const values = (list: TemplateVariable[], vars: Vars): Record<string, unknown> =>
  Object.fromEntries(list.filter((v) => vars[v.name]).map((v) => [v.name, typed(v, vars[v.name] ?? '')]));

export function VariableInputs({ list, vars, set, fault }: { list: TemplateVariable[]; vars: Vars; set: (v: Vars) => void; fault?: Fault }) {
  return (
    <>
      {list.map((v) => v.type === 'boolean'
        ? <Select key={v.name} label={<Raw>{v.name}</Raw>} value={vars[v.name] ?? ''} set={(x) => set({ ...vars, [v.name]: x })} error={fault?.at(`/vars/${v.name}`)} options={[['', '—'], ['true', t('yes')], ['false', t('no')]]} />
        : <Text key={v.name} label={<Raw>{v.name}</Raw>} value={vars[v.name] ?? ''} set={(x) => set({ ...vars, [v.name]: x })} error={fault?.at(`/vars/${v.name}`)} required={!v.optional}
            placeholder={v.example} lines={v.type === 'list' ? 3 : undefined} help={[v.secret ? t('var.secret') : '', v.max_length ? t('var.max', { n: v.max_length }) : '', v.type === 'list' ? t('var.list') : ''].filter(Boolean).join(' · ')} />)}
    </>
  );
}

export function Send() {
  const templates = useLoad(() => get<TemplateList>('/v1/templates'), []);
  const [chosen, choose] = useState(params.value.get('template') ?? '');
  const [channel, setChannel] = useState('');
  const [locale, setLocale] = useState('');
  const [recipient, setRecipient] = useState('');
  const [reference, setReference] = useState('');
  const [sendAt, setSendAt] = useState('');
  const [vars, setVars] = useState<Vars>({});
  const [plan, setPlan] = useState<Explained>();
  const [fault, setFault] = useState<Fault>();
  const [done, setDone] = useState<Sent>();
  const [key, setKey] = useState(() => crypto.randomUUID());
  const action = useAction();

  const list = (templates.data?.items ?? []).filter((x) => x.published || !session.value?.live);
  const current = list.find((x) => `${x.tenant}/${x.name}` === chosen);
  const version = useLoad(() => (current ? get<TemplateVersion>(v1`templates/${current.tenant}/${current.name}/versions/${current.published || current.version}`) : Promise.resolve(undefined)), [chosen, templates.data]);
  const variables = version.data?.variables ?? [];
  const variants = version.data?.variants ?? [];

  const request = (): SendRequest => ({
    to: recipient.trim(), template: chosen, vars: values(variables, vars),
    ...(channel && { channel }), ...(locale && { locale }), ...(reference && { reference }), ...(sendAt && { send_at: new Date(sendAt).toISOString() }),
  });
  const form = JSON.stringify([chosen, channel, locale, recipient, reference, sendAt, vars]);
  useEffect(() => {
    setKey(crypto.randomUUID());
    setDone(undefined);
    action.clear();
    const told = (x?: Explained, e?: Fault): void => { setPlan(x); setFault(e); };
    if (!chosen || !recipient.trim() || !version.data) return told();
    let gone = false;
    const wait = setTimeout(() => {
      post<Explained>('/v1/messages/explain', request()).then((x) => { if (!gone) told(x); }, (e) => { if (!gone) told(undefined, faultOf(e)); });
    }, 400);
    return () => { gone = true; clearTimeout(wait); };
  }, [form, version.data]);

  const send = (): Promise<void> => action.run(async () => {
    setDone(await post<Sent>('/v1/messages', request(), { 'Idempotency-Key': key }));
  });
  if (!may('send')) return <Page title={t('nav.send')}><Card><Empty><Needs scope="send" /></Empty></Card></Page>;
  const shown = action.fault ?? fault;
  const options: Options = [['', t('send.choose')], ...list.map((x) => [`${x.tenant}/${x.name}`, `${x.tenant} / ${x.name}`] as const)];
  const known = new Set([...variables.map((v) => `/vars/${v.name}`), '/to', '/channel', '/locale', '/reference', '/send_at']);
  return (
    <Page title={t('nav.send')} note={t('send.note')}>
      <div class="cols even">
        <Card title={t('send.what')}>
          <form class="form" onSubmit={(e) => { e.preventDefault(); void send(); }}>
            <div class="wide"><Select label={t('template')} value={chosen} set={(v) => { choose(v); setVars({}); setChannel(''); setLocale(''); }} options={options} required /></div>
            <div class="wide"><Text label={t('recipient')} value={recipient} set={setRecipient} error={shown?.at('/to')} help={t('send.to.help')} required autocomplete="off" /></div>
            <Select label={t('channel')} value={channel} set={setChannel} error={shown?.at('/channel')} options={[['', t('send.auto')], ...[...new Set(variants.map((v) => v.channel))].map((c) => [c, word('channel', c)] as const)]} />
            <Select label={t('locale')} value={locale} set={setLocale} error={shown?.at('/locale')} options={[['', t('send.tenant_locale')], ...[...new Set(variants.map((v) => v.locale))].map((l) => [l, l] as const)]} />
            <VariableInputs list={variables} vars={vars} set={setVars} fault={shown} />
            <Text label={t('reference')} value={reference} set={setReference} error={shown?.at('/reference')} help={t('send.reference.help')} maxLength={128} />
            <Text label={t('send_at')} type="datetime-local" value={sendAt} set={setSendAt} error={shown?.at('/send_at')} help={t('send.at.help')} />
            <div class="wide actions"><Button kind="main" type="submit" disabled={action.busy || !chosen || !recipient.trim()}>{sendAt ? t('send.schedule') : t('send.now')}</Button>{session.value?.live ? <span class="faint">{t('send.live')}</span> : <span class="faint">{t('send.test')}</span>}</div>
          </form>
        </Card>
        <div>
          {done && <Done sent={done} />}
          {shown && shown.fields.some((f) => !known.has(f.pointer)) || (shown && shown.fields.length === 0) ? <Trouble fault={shown} /> : null}
          {plan ? plan.messages.map((m, i) => <Plan key={i} m={m} />) : <Card title={t('explain')}><Empty>{t('explain.empty')}</Empty></Card>}
        </div>
      </div>
    </Page>
  );
}

function Done({ sent }: { sent: Sent }) {
  const list = sent.messages ?? [sent];
  return (
    <div class="alert good" role="status">
      <strong>{sent.duplicate_of ? t('send.duplicate') : t('send.accepted')}</strong>
      {list.map((m) => m.id && <div key={m.id}><Status of={m.status ?? 'queued'} /> <A href={to('messages', m.id)}>{t('open_message')}</A></div>)}
      {sent.window_ends_at && <div>{t('send.window')} <When at={sent.window_ends_at} /></div>}
    </div>
  );
}

function Plan({ m }: { m: Explanation }) {
  return (
    <Card title={t('explain')} extra={<Status of={m.status} />}>
      <div class="stack">
        {m.suppressed_by && <div class="alert bad">{t('explain.suppressed', { reason: word('suppression', m.suppressed_by.reason) })}</div>}
        {m.duplicate?.id && <div class="alert warn">{t('explain.duplicate')} <A href={to('messages', m.duplicate.id)}>{t('open_message')}</A></div>}
        {m.warnings?.map((w) => <div class="alert warn" key={w} translate={false} lang="en">{w}</div>)}
        <AsSeen channel={m.channel} content={m.content} />
        <SegmentsLine of={m.segments} />
        <dl class="rows">
          <Row label={t('recipient')}><Raw class="mono">{m.to}</Raw> {m.region && <Tag>{m.region}</Tag>}</Row>
          <Row label={t('channel')}>{word('channel', m.channel)}</Row>
          <Row label={t('class')}>{word('class', m.class)}</Row>
          <Row label={t('explain.accounts')}><Raw>{m.accounts.join(' → ') || '—'}</Raw></Row>
          <Row label={t('route')}>{m.route ? <A href={to('routes', m.route)}><Raw>{m.route}</Raw></A> : t('explain.no_route')}</Row>
          {m.cost ? <Row label={t('cost')}>{money(m.cost, m.currency)}</Row> : null}
        </dl>
      </div>
    </Card>
  );
}
