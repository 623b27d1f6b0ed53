// A schedule being made or changed: when, what, to whom; the next five times stand beside the form.
import { useState } from 'preact/hooks';
import type { PutSchedule, Schedule, TemplateVariable } from '../api.gen.ts';
import { get, put, v1, type Fault } from '../api.ts';
import { DueFields, NextTimes, dueOf, whenOf } from '../due.tsx';
import { Needs } from '../frame.tsx';
import { number } from '../format.ts';
import { t } from '../i18n.ts';
import { ListFile } from '../listfile.tsx';
import { useAction, useLoad } from '../load.ts';
import { go, params, to } from '../route.tsx';
import { toast } from '../state.ts';
import { steers } from '../timed.tsx';
import { audienceOf, type Chosen } from '../upload.ts';
import { Button, Card, Empty, Loading, Page, Raw, Tabs, Text, Trouble } from '../ui.tsx';
import { useUnsaved } from '../unsaved.ts';
import { First, WhatFields, useWhat } from './campaign-new.tsx';

export function ScheduleEdit({ tenant, name }: { tenant: string; name: string }) {
  const { data, fault } = useLoad(() => (name ? get<Schedule>(v1`schedules/${tenant}/${name}`) : Promise.resolve(undefined)), [tenant, name]);
  const title = name ? <Raw>{data?.title || name}</Raw> : t('schedules.new');
  if (!steers()) return <Page title={title}><Card><Empty><Needs scope="send" /></Empty></Card></Page>;
  if (name && !data) return <Page title={title}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  return <Page title={title} note={data && <Raw>{tenant}/{name}</Raw>}><Editor s={data} /></Page>;
}

function Editor({ s }: { s?: Schedule }) {
  const w = useWhat(s ? { tenant: s.tenant, template: s.template, channel: s.channel ?? '', locale: s.locale ?? '', version: s.template_version ?? 0, vars: Object.fromEntries(Object.entries(s.vars ?? {}).map(([k, v]) => [k, Array.isArray(v) ? v.map((x) => JSON.stringify(x)).join('\n') : String(v)])) }
    : { template: params.value.get('template') ?? '' });
  const [name, setName] = useState(s?.name ?? '');
  const [title, setTitle] = useState(s?.title ?? '');
  const [late, setLate] = useState(s?.late_minutes ? String(s.late_minutes) : '');
  const [due, setDue] = useState(() => dueOf(s));
  const [wrong, setWrong] = useState<Fault>();
  const [chosen, choose] = useState<{ c: Chosen; first?: Record<string, string> } | undefined>(s && { c: { audience: { unchanged: true } } });
  const [part, setPart] = useState<number>();
  useUnsaved({ ...w.what, tenant: '' }, name, title, late, due, chosen);
  const action = useAction();
  const fault = action.fault ?? wrong;
  const when = whenOf(due);
  const save = (): Promise<void> => action.run(async () => {
    if (!when || !chosen) return;
    try {
      const body: PutSchedule = { title, ...when, ...w.content(), audience: await audienceOf(w.what.tenant, chosen.c, setPart), ...(Number(late) && { late_minutes: Number(late) }), ...(s && { reference: s.reference, ttl_seconds: s.ttl_seconds, version: s.version }) };
      await put<Schedule>(v1`schedules/${w.what.tenant}/${name}`, body);
    } finally {
      setPart(undefined);
    }
    toast(t('schedule.saved'));
    go(to('schedules', w.what.tenant, name));
  });
  const filled = Object.keys(w.what.vars).filter((n) => w.what.vars[n]);
  return (
    <div class="cols">
      <form id="schedule" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        <Card title={t('when')}><DueFields d={due} set={setDue} fault={fault} /></Card>
        <Card title={t('send.what')}><div class="form"><WhatFields w={w} fault={action.fault} fixed={!!s} /></div></Card>
        <Card title={t('audience')}><Source start={s} tenant={w.what.tenant} variables={w.variables} filled={filled} set={(c, first) => choose(c && { c, first })} fault={action.fault} /></Card>
        <Card title={t('schedule.identity')}>
          <div class="form">
            {!s && <Text label={t('name')} value={name} set={setName} required help={t('schedule.name.help')} error={action.fault?.at('/name')} maxLength={32} />}
            <Text label={t('title')} value={title} set={setTitle} maxLength={100} help={t('new.title.help')} error={action.fault?.at('/title')} />
            <Text label={t('late.label')} type="number" min={1} value={late} set={setLate} help={t('late.help')} error={action.fault?.at('/late_minutes')} />
          </div>
        </Card>
        <Trouble fault={action.fault} />
        <div class="actions bottom"><Button kind="main" type="submit" disabled={action.busy || !when || !chosen || !name || !w.current || !!wrong}>{part === undefined ? t('schedule.save') : t('new.uploading', { n: number(Math.round(part * 100)) })}</Button></div>
      </form>
      <div class="beside"><NextTimes d={due} told={setWrong} /><First w={w} first={chosen?.first} /></div>
    </div>
  );
}

type Kind = 'keep' | 'file' | 'rows' | 'path' | 'url';

/** Where the recipients of each run come from. */
function Source({ start, tenant, variables, filled, set, fault }: { start?: Schedule; tenant: string; variables: TemplateVariable[]; filled: string[]; set: (c?: Chosen, first?: Record<string, string>) => void; fault?: Fault }) {
  const kinds: Kind[] = [...(start ? ['keep' as const] : []), 'file', 'rows', 'path', 'url'];
  const [kind, setKind] = useState<Kind>(kinds[0] ?? 'file');
  const [text, setText] = useState('');
  const typed = (k: Kind, v: string): void => {
    setText(v);
    const value = v.trim();
    if (!value) return set(undefined);
    set({ audience: k === 'rows' ? { rows: value.split('\n').map((x) => x.trim()).filter(Boolean).map((address) => ({ to: address })) } : k === 'path' ? { path: value } : { url: value } });
  };
  const turn = (k: Kind): void => {
    setKind(k);
    setText('');
    set(k === 'keep' ? { audience: { unchanged: true } } : undefined);
  };
  const at = fault?.fields.find((f) => f.pointer.startsWith('/audience'));
  return (
    <div class="stack">
      <Tabs label={t('source.kind')} value={kind} set={(k) => turn(k as Kind)} options={kinds.map((k) => [k, t(`source.${k}`)] as const)} />
      {kind === 'file' && <ListFile variables={variables} filled={filled} set={set} />}
      {kind === 'rows' && <Text wide label={t('source.rows.label')} lines={5} value={text} set={(v) => typed('rows', v)} required help={t('source.rows.help')} error={at} />}
      {kind === 'path' && <Text wide label={t('source.path')} value={text} set={(v) => typed('path', v)} required placeholder="bills/{run_date}.csv" help={t('source.path.help', { tenant: tenant || '…', run_date: '{run_date}' })} error={at} />}
      {kind === 'url' && <Text wide label={t('source.url')} value={text} set={(v) => typed('url', v)} required placeholder="https://billing.example.com/notify/rows" help={t('source.url.help')} error={at} />}
    </div>
  );
}
