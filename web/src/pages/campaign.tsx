// A run: what would become of it, its word, how far it is, and what went wrong.
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import type { BadRows, Run, Tenant } from '../api.gen.ts';
import { get, post, v1 } from '../api.ts';
import { downloadCSV } from '../download.ts';
import { moment, money, number } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { Said } from '../said.tsx';
import { toast } from '../state.ts';
import { Button, Card, Code, Empty, Loading, Page, Raw, Row, Table, Trouble, When, confirm, tone } from '../ui.tsx';
import { Recipients, RunBar, RunName, RunState, byStatus, far, listOf, moves, percent, span, steers } from '../timed.tsx';

/** More recipients than this are typed before it begins. */
const typedOver = 1000;
const failing = ['undelivered', 'bounced', 'complained', 'failed', 'dead', 'in_doubt'];
/** Those that are worth another try: a mailbox that bounced is not, and what is in doubt may have arrived. */
const again = ['failed', 'dead', 'undelivered'];
const sum = (r: Run, list: string[]): number => list.reduce((n, s) => n + (r.messages.by_status[s] ?? 0), 0);

export function Campaign({ id }: { id: string }) {
  const { data: r, fault, reload } = useLoad(() => get<Run>(v1`campaigns/${id}`), [id], (run) => (run ? often(run) : 5000));
  if (!r) return <Page title={<Code>{id}</Code>}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  return (
    <Page title={<><RunName r={r} /> <RunState of={r.state} /></>}
      note={<><Raw>{r.tenant}</Raw> · <A href={to('templates', ...owned(r))}><Raw>{r.template}</Raw></A> {r.template_version ? `v${r.template_version}` : ''} · {r.channel ? word('channel', r.channel) : t('new.channel.each')} · {r.class && word('class', r.class)}</>}
      actions={<Actions r={r} reload={reload} />}>
      <Trouble fault={fault} />
      <Stepper r={r} />
      <Standing r={r} />
      {r.dry_run && ['waiting', 'weighing'].includes(r.state) && <Dry r={r} />}
      <Progress r={r} />
      {r.rows.bad > 0 && <Wrong r={r} />}
      <div class="cols even">
        <Card title={t('made.title')}><Numbers list={[
          ['made.rows', r.rows.total], ['made.made', r.made.made], ['dry.bad', r.rows.bad], ['dry.repeats', r.rows.repeats],
          ['made.suppressed', r.made.suppressed], ['made.duplicate', r.made.duplicate], ['made.cancelled', r.made.cancelled ?? 0],
        ]} /></Card>
        <Facts r={r} />
      </div>
    </Page>
  );
}

/** How often to look again, in milliseconds: a check is over in moments, and so is a short run. */
function often(r: Run): number {
  if (r.state === 'reading' || r.state === 'weighing' || (moves(r) && Date.now() - Date.parse(r.started_at ?? r.created_at) < 20_000)) return 1000;
  return moves(r) || r.messages.by_status.sent ? 5000 : 30_000;
}

/** The template's tenant and name. */
const owned = (r: Run): [string, string] => {
  const [a = '', b] = r.template.split('/');
  return b ? [a, b] : [r.tenant, a];
};

function Actions({ r, reload }: { r: Run; reload: () => void }) {
  const action = useAction();
  const [key] = useState(() => crypto.randomUUID()); // of the resend: pressed again when its answer was lost, it is the same
  const failures = sum(r, failing), resendable = sum(r, again);
  const over = ['done', 'stopped', 'failed'].includes(r.state);
  const steer = (verb: string, done: string) => async (reason: string | undefined): Promise<void> => {
    if (reason === undefined) return;
    await post(v1`campaigns/${r.id}/` + verb, { reason });
    toast(done);
    reload();
  };
  const ask = (verb: 'pause' | 'resume' | 'cancel', done: string, danger = false): Promise<void> => action.run(async () =>
    steer(verb, done)(await confirm({ title: t(`run.${verb}`), text: t(`run.${verb}.text`), confirm: t(`run.${verb}`), danger })));
  const send = (): Promise<void> => action.run(async () => {
    const n = r.dry_run?.valid ?? r.rows.total - r.rows.bad - r.rows.repeats;
    const cost = costs(r);
    await steer('send', t('run.started'))(await confirm({
      title: t('run.send.title', { n: number(n) }), text: t('run.send.text') + (cost ? ' ' + t('run.send.cost', { cost }) : ''), confirm: t('run.send'), typed: n > typedOver ? String(n) : undefined,
    }));
  });
  const resend = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('failures.resend'), text: t('failures.resend.text', { n: number(resendable) }), confirm: t('failures.resend'), typed: resendable > typedOver ? String(resendable) : undefined });
    if (reason === undefined) return;
    const next = await post<Run>(v1`campaigns/${r.id}/resend-failures`, { reason }, { 'Idempotency-Key': key });
    toast(t('run.resent'));
    go(to('campaigns', next.id));
  });
  return (
    <div>
      <div class="actions">
        {failures > 0 && <Button disabled={action.busy} onClick={() => void action.run(() => downloadCSV(v1`campaigns/${r.id}/failures.csv`, `failures-${r.id}.csv`))}>{t('failures.download')}</Button>}
        {steers() && <>
          {resendable > 0 && over && <Button disabled={action.busy} onClick={() => void resend()}>{t('failures.resend')}</Button>}
          {['reading', 'weighing', 'sending'].includes(r.state) && <Button disabled={action.busy} onClick={() => void ask('pause', t('run.paused_now'))}>{t('run.pause')}</Button>}
          {r.state === 'paused' && <Button kind="main" disabled={action.busy} onClick={() => void ask('resume', t('run.resumed'))}>{t('run.resume')}</Button>}
          {!over && r.state !== 'stopping' && <Button kind="danger" disabled={action.busy} onClick={() => void ask('cancel', t('run.stopped_now'), true)}>{t('run.cancel')}</Button>}
          {r.state === 'waiting' && <Button kind="main" disabled={action.busy} onClick={() => void send()}>{t('run.send')}</Button>}
        </>}
      </div>
      <Trouble fault={action.fault} />
    </div>
  );
}

const costs = (r: Run): string => Object.entries(r.dry_run?.cost ?? {}).map(([currency, amount]) => money(amount, currency)).join(' + ');

const stages = ['read', 'weigh', 'word', 'go', 'end'] as const;

/** Where it is on its way. */
function Stepper({ r }: { r: Run }) {
  const path: readonly (typeof stages[number])[] = r.dry_run || r.state === 'weighing' || r.state === 'waiting' ? stages : stages.filter((s) => s !== 'weigh' && s !== 'word');
  const now = { reading: 'read', weighing: 'weigh', waiting: 'word', done: 'end', failed: r.rows.total === 0 ? 'read' : 'go' }[r.state as string] ?? 'go';
  const at = path.indexOf(now as typeof stages[number]);
  return (
    <ol class="stepper">
      {path.map((s, i) => <li key={s} class={i < at || r.state === 'done' ? 'done' : i === at ? (r.state === 'failed' ? 'bad' : 'now') : ''} aria-current={i === at ? 'step' : undefined}><span class="tick" aria-hidden="true">{i < at || r.state === 'done' ? '✓' : i + 1}</span>{t(`step.${s}`)}</li>)}
    </ol>
  );
}

/** What there is to say, in a sentence. */
function Standing({ r }: { r: Run }) {
  const tenant = useLoad(() => (r.state === 'waiting' ? get<Tenant>(v1`tenants/${r.tenant}`).catch((): undefined => undefined) : Promise.resolve(undefined)), [r.state, r.tenant]);
  const over = tenant.data?.approve_over;
  const step = r.steps?.[r.steps.length - 1];
  return (
    <>
      {r.fault && <div class={`alert ${r.state === 'failed' ? 'bad' : 'warn'}`} role="alert"><Said text={r.fault} /></div>}
      {r.late && <div class="alert warn">{t('run.late', { why: '' })}<Said text={r.late} /></div>}
      {r.state === 'waiting' && <div class="alert info" data-word>{over && r.rows.total - r.rows.bad > over ? t('run.second', { n: number(over), author: r.author }) : t('run.word')}</div>}
      {(r.state === 'paused' || r.state === 'stopped' || r.state === 'stopping') && step && <div class="alert warn">{word('run', r.state)} · <When at={step.at} /> · <Raw>{step.by}{step.reason ? ` · ${step.reason}` : ''}</Raw></div>}
      {r.state === 'done' && (sum(r, failing) > 0
        ? <div class="alert warn">{t('run.finished.bad', { n: number(r.made.made), bad: number(sum(r, failing)) })}</div>
        : <div class="alert good">{t('run.finished', { n: number(r.made.made) })}</div>)}
    </>
  );
}

function Numbers({ list }: { list: [Parameters<typeof t>[0], number, string?][] }) {
  return <div class="figures small">{list.map(([key, n, c]) => <div class={`figure ${n && c ? c : ''}`} key={key}>{t(key)}<b>{number(n)}</b></div>)}</div>;
}

function Dry({ r }: { r: Run }) {
  const d = r.dry_run;
  if (!d) return null;
  const cell = (label: ComponentChildren, value: ComponentChildren, c = '') => <div class={`figure ${c}`}>{label}<b>{value}</b></div>;
  return (
    <Card title={t('dry')} extra={<span class="faint">{t('dry.note')}</span>}>
      <div class="figures small" data-dry>
        {cell(t('dry.valid'), number(d.valid))}{cell(t('dry.bad'), number(r.rows.bad), r.rows.bad ? 'warn' : '')}{cell(t('dry.repeats'), number(r.rows.repeats))}
        {cell(t('dry.suppressed'), number(d.suppressed))}{cell(t('dry.capped'), number(d.capped))}{cell(t('dry.duplicate'), number(d.duplicate))}
        {d.segments ? cell(t('dry.segments'), number(d.segments)) : null}
        {cell(t('dry.cost'), costs(r) || <span class="plain">{t('dry.free')}</span>)}
        {cell(t('dry.minutes'), d.minutes ? span(d.minutes * 60) : <span class="plain">{r.state === 'waiting' ? t('dry.unlimited') : '…'}</span>)}
      </div>
    </Card>
  );
}

function Progress({ r }: { r: Run }) {
  const { done, of } = far(r);
  const list = byStatus(r);
  if (r.state === 'reading' || r.state === 'weighing' || r.state === 'waiting') return null;
  return (
    <Card title={t('progress')} extra={<span class="faint">{r.messages.as_of && t('progress.as_of', { at: moment(r.messages.as_of) })}</span>}>
      <div class="stack" aria-live="polite">
        <div class="line far"><strong>{percent(done, of)}</strong><span>{t('progress.of', { n: number(done), of: number(of) })}</span>
          {r.per_second ? <span class="faint">{t('progress.speed', { n: number(Math.round(r.per_second * 10) / 10) })}</span> : null}
          {r.seconds_left ? <span class="faint">{t('progress.left', { t: span(r.seconds_left) })}</span> : null}
          {moves(r) && <span class="faint">{t('progress.safe')}</span>}
        </div>
        <RunBar r={r} />
        {list.length === 0 ? <p class="faint">{t('progress.none')}</p> : (
          <div class="figures small" aria-label={t('messages.by_status')} role="group">
            {list.map(([s, n]) => <A key={s} class={`figure ${tone(s) === 'bad' || tone(s) === 'warn' ? tone(s) : ''}`} href={listOf(r, s)}>{word('status', s)}<b>{number(n)}</b></A>)}
          </div>
        )}
      </div>
    </Card>
  );
}

const shownRows = 20;

/** The rows that nothing can be sent to, cell by cell. */
function Wrong({ r }: { r: Run }) {
  const { data, fault } = useLoad(() => get<BadRows>(v1`campaigns/${r.id}/rows`), [r.id, r.rows.bad]);
  const action = useAction();
  const lines = (data?.items ?? []).flatMap((row) => row.faults.map((f) => ({ n: row.row, ...f })));
  return (
    <Card class="flush" title={t('bad_rows', { n: number(r.rows.bad) })} extra={<span class="line"><span class="faint">{t('bad_rows.note')}</span><Button class="small" disabled={action.busy} onClick={() => void action.run(() => downloadCSV(v1`campaigns/${r.id}/rows.csv`, `wrong-rows-${r.id}.csv`))}>{t('bad_rows.download')}</Button></span>}>
      <Trouble fault={fault ?? action.fault} />
      {!data && !fault && <Loading />}
      {data && lines.length === 0 && <Empty>…</Empty>}
      {lines.length > 0 && (
        <Table label={t('bad_rows', { n: number(r.rows.bad) })} head={[t('bad_rows.row'), t('bad_rows.column'), t('reason'), t('bad_rows.wrong')]}>
          {lines.slice(0, shownRows).map((l, i) => <tr key={i}><td>{number(l.n)}</td><td>{l.column ? <Raw>{l.column}</Raw> : t('bad_rows.whole')}</td><td class="nowrap">{word('problem', l.code)}</td><td><Said text={l.detail} /></td></tr>)}
        </Table>
      )}
      {(lines.length > shownRows || data?.next) && <p class="more">{t('bad_rows.first', { n: shownRows })}</p>}
    </Card>
  );
}

function Facts({ r }: { r: Run }) {
  return (
    <Card title={t('run.facts')}>
      <dl class="rows">
        {r.schedule && <Row label={t('run.of')}><A href={to('schedules', r.tenant, r.schedule)}><Raw>{r.schedule}</Raw></A>{r.due_at && <> · {t('run.due')} <When at={r.due_at} /></>}</Row>}
        <Row label={t('audience')}><Recipients of={r.audience} tenant={r.tenant} /></Row>
        <Row label={t('run.ordered')}><When at={r.created_at} /> · <Raw>{r.author}{r.reason ? ` · ${r.reason}` : ''}</Raw></Row>
        {r.owner && <Row label={t('owner')}><Raw>{r.owner}</Raw></Row>}
        {r.per_second_most ? <Row label={t('run.rate')}>{t('progress.speed', { n: number(r.per_second_most) })}</Row> : null}
        <Row label={t('run.begun')}><When at={r.started_at} /></Row>
        <Row label={t('run.expanded')}><When at={r.expanded_at} /></Row>
        <Row label={t('run.ended')}><When at={r.finished_at} /></Row>
        {r.steps && r.steps.length > 0 && <Row label={t('run.steps')}>{r.steps.map((s, i) => <div key={i}><When at={s.at} /> {stepWord(s.to)} · <Raw>{s.by}{s.reason ? ` · ${s.reason}` : ''}</Raw></div>)}</Row>}
        <Row label="id"><Code>{r.id}</Code></Row>
      </dl>
    </Card>
  );
}

/** A step says which state it led to. */
const stepWord = (to_: string): string => word('run', to_ === 'running' ? 'sending' : to_);
