// What a route holds back (hours, a frequency, a stop), and what a draft would have done to the last hour.
import { useState } from 'preact/hooks';
import type { Field, Route, RouteFate, RouteSimulation } from '../api.gen.ts';
import { post } from '../api.ts';
import { moment, number } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useAction } from '../load.ts';
import { A, to } from '../route.tsx';
import { Button, Card, Check, Raw, Select, Table, Text, Trouble } from '../ui.tsx';

/** What a route is, without its name and history. */
export type Body = Pick<Route, 'match' | 'strategy' | 'steps' | 'accounts' | 'no_failover' | 'in_doubt' | 'dedup_seconds' | 'quiet' | 'cap' | 'silence'>;

type Mode = 'hold' | 'drop';
const modes = (['hold', 'drop'] as const).map((m) => [m, word('mode', m)] as const);

/** A moment as a local input has it, and back. */
const local = (iso: string): string => {
  const d = new Date(iso);
  return new Date(d.getTime() - d.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
};
const soon = (): string => new Date(Date.now() + 3600_000).toISOString();

export function Holds({ body, set, at }: { body: Body; set: (b: Body) => void; at: (pointer: string) => Field | undefined }) {
  const { quiet, cap, silence } = body;
  const mode = (value: Mode, change: (m: Mode) => void, pointer: string) => <Select label={t('route.mode')} value={value} set={(m) => change(m as Mode)} options={modes} error={at(pointer)} />;
  return (
    <Card title={t('route.holds')}>
      <div class="stack">
        <Check label={t('route.quiet.label')} value={!!quiet} help={t('route.quiet.help')}
          set={(on) => set({ ...body, quiet: on ? { from: '22:00', to: '08:00', zone: Intl.DateTimeFormat().resolvedOptions().timeZone, mode: 'hold' } : undefined })} />
        {quiet && (
          <div class="form">
            <Text label={t('from')} value={quiet.from} set={(from) => set({ ...body, quiet: { ...quiet, from } })} placeholder="22:00" error={at('/quiet/from')} />
            <Text label={t('to')} value={quiet.to} set={(v) => set({ ...body, quiet: { ...quiet, to: v } })} placeholder="08:00" error={at('/quiet/to')} />
            <Text label={t('route.zone')} value={quiet.zone} set={(zone) => set({ ...body, quiet: { ...quiet, zone } })} placeholder="Asia/Shanghai" help={t('route.zone.help')} error={at('/quiet/zone')} />
            {mode(quiet.mode, (m) => set({ ...body, quiet: { ...quiet, mode: m } }), '/quiet/mode')}
          </div>
        )}
        <Check label={t('route.cap.label')} value={!!cap} set={(on) => set({ ...body, cap: on ? { messages: 3, seconds: 86400, mode: 'drop' } : undefined })} />
        {cap && (
          <div class="form">
            <Text label={t('route.cap.messages')} type="number" min={1} value={String(cap.messages)} set={(v) => set({ ...body, cap: { ...cap, messages: Number(v) } })} error={at('/cap/messages')} />
            <Text label={t('route.cap.seconds')} type="number" min={60} value={String(cap.seconds)} set={(v) => set({ ...body, cap: { ...cap, seconds: Number(v) } })} error={at('/cap/seconds')} />
            {mode(cap.mode, (m) => set({ ...body, cap: { ...cap, mode: m } }), '/cap/mode')}
          </div>
        )}
        <Check label={t('route.silence.label')} value={!!silence} help={t('route.silence.help')} set={(on) => set({ ...body, silence: on ? { until: soon(), mode: 'hold', why: '' } : undefined })} />
        {silence && (
          <div class="form">
            <Text label={t('route.until')} type="datetime-local" value={local(silence.until)} set={(v) => v && set({ ...body, silence: { ...silence, until: new Date(v).toISOString() } })} required error={at('/silence/until')} />
            <Text label={t('route.why')} value={silence.why} set={(why) => set({ ...body, silence: { ...silence, why } })} required maxLength={200} help={t('route.why.help')} error={at('/silence/why')} />
            {mode(silence.mode, (m) => set({ ...body, silence: { ...silence, mode: m } }), '/silence/mode')}
          </div>
        )}
      </div>
    </Card>
  );
}

/** What becomes of a message, in words. */
const fate = (f: RouteFate): string => (f.drop ? t('fate.dropped', { why: word('reason', f.held ?? '') }) : f.held ? t('fate.held', { why: word('reason', f.held) }) : f.account ? f.account : t('fate.no_account'));

export function Simulation({ name, body }: { name: string; body: Body }) {
  const [result, show] = useState<RouteSimulation>();
  const action = useAction();
  const play = (): Promise<void> => action.run(async () => show(await post<RouteSimulation>('/v1/routes/simulate', { name: name || 'draft', ...body })));
  return (
    <Card title={t('simulate')} extra={<Button disabled={action.busy} onClick={() => void play()}>{t('simulate.play')}</Button>}>
      <p class="faint">{t('simulate.note')}</p>
      <Trouble fault={action.fault} />
      {result && (
        <div aria-live="polite" data-simulation>
          <p><strong>{t(result.changed ? 'simulate.changed' : 'simulate.same', { n: number(result.changed), of: number(result.messages) })}</strong> <span class="faint">{moment(result.from)} – {moment(result.to)}{result.cut && ' · ' + t('simulate.cut')}</span></p>
          {result.moves.length > 0 && (
            <Table label={t('simulate')} head={[t('simulate.now'), t('simulate.then'), t('nav.messages')]}>
              {result.moves.map((m, i) => <tr key={i}><td><Raw>{fate(m.before)}</Raw></td><td><Raw>{fate(m.after)}</Raw></td><td>{number(m.messages)}</td></tr>)}
            </Table>
          )}
          {result.examples.length > 0 && <p class="faint">{t('simulate.examples')} {result.examples.slice(0, 5).map((x) => <A key={x.id} href={to('messages', x.id)}>{x.tenant}/{x.template ?? '—'} </A>)}</p>}
        </div>
      )}
    </Card>
  );
}
