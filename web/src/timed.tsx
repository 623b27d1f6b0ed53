// What campaigns, schedules and their runs have in common: when they are due, how far they are.
import type { AudienceSource, Run, Schedule } from './api.gen.ts';
import { query } from './api.ts';
import { here, moment, number } from './format.ts';
import { t, word, type Key } from './i18n.ts';
import { A, to } from './route.tsx';
import { lang, may } from './state.ts';
import { Code, Raw, Tag, tone } from './ui.tsx';

/** Who may order, steer and schedule; whose, the API decides. */
export const steers = (): boolean => may('send') || may('operate');

export const weekdays = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;

type When = Pick<Schedule, 'at' | 'cron' | 'every_minutes' | 'zone'>;

/** A cron expression that a form of ours could have made, taken apart. */
export function plain(cron: string): { kind: 'daily' | 'weekly' | 'monthly'; at: string; days: string } | undefined {
  const [minute = '', hour = '', day = '', month = '', weekday = '', year = '', rest] = cron.trim().split(/\s+/);
  if (!/^\d{1,2}$/.test(minute) || !/^\d{1,2}$/.test(hour) || month !== '*' || (year !== '*' && year !== '') || rest) return undefined;
  const at = `${hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  if (day === '*' && weekday === '?') return { kind: 'daily', at, days: '' };
  if (day === '?' && weekday.split(',').every((d) => (weekdays as readonly string[]).includes(d))) return { kind: 'weekly', at, days: weekday };
  if (weekday === '?' && /^(\d{1,2}|L)(,(\d{1,2}|L))*$/.test(day)) return { kind: 'monthly', at, days: day };
  return undefined;
}

/** Whose clock a cron expression is read on. */
export const zoneOf = (w: When): string => w.zone || 'UTC';

/** When a schedule is due, in words. */
export function whenText(w: When): string {
  if (w.at) return t('when.once', { at: moment(w.at) });
  if (w.every_minutes) return w.every_minutes % 60 ? t('when.every', { n: number(w.every_minutes) }) : t('when.every_hours', { n: number(w.every_minutes / 60) });
  const zone = zoneOf(w) !== here ? t('when.zone', { zone: zoneOf(w) }) : '';
  const p = w.cron ? plain(w.cron) : undefined;
  if (!p) return t('when.cron', { cron: w.cron ?? '' }) + zone;
  const days = p.kind === 'weekly' ? p.days.split(',').map((d) => t(`day.${d}` as Key)).join(t('comma')) : p.days;
  return t(`when.${p.kind}`, { at: p.at, days }) + zone;
}

export function Recipients({ of, tenant }: { of: AudienceSource; tenant: string }) {
  switch (of.kind) {
    case 'path': return <>{t('audience.path')}<Code>sources/{tenant}/{of.path}</Code></>;
    case 'url': return <>{t('audience.url')}<Code>{of.url}</Code></>;
    case 'failures': return of.run ? <A href={to('campaigns', of.run)}>{t('audience.failures')}</A> : <>{t('audience.failures')}</>;
  }
  return <>{of.count ? t('audience.rows', { n: number(of.count) }) : t('audience.rows.kept')}</>;
}

const states: Record<Run['state'], string> = {
  reading: 'info', weighing: 'info', waiting: 'warn', sending: 'info', done: 'good', paused: 'warn', stopping: 'warn', stopped: 'calm', failed: 'bad',
};
export const RunState = ({ of }: { of: Run['state'] }) => <Tag tone={states[of]}><i class="dot" />{word('run', of)}</Tag>;
export const moves = (r: Run): boolean => ['reading', 'weighing', 'sending', 'stopping'].includes(r.state);

export function ScheduleState({ of }: { of: Schedule }) {
  if (of.external) return <Tag tone="info" title={t('schedule.external.help')}>{t('schedule.external')}</Tag>;
  if (of.paused) return <Tag tone="warn">{t('schedule.paused')}</Tag>;
  return of.next.length > 0 ? <Tag tone="good">{t('schedule.on')}</Tag> : <Tag>{t('schedule.over')}</Tag>;
}

const open = ['scheduled', 'queued', 'sending'];

/** How many rows are done with, of how many. */
export function far(r: Run): { done: number; of: number } {
  const m = r.made;
  const handled = m.made + m.suppressed + m.duplicate + m.repeated + m.refused;
  const waiting = open.reduce((sum, s) => sum + (r.messages.by_status[s] ?? 0), 0);
  return { done: Math.max(0, handled - waiting), of: Math.max(r.rows.total, handled) };
}

export const percent = (n: number, of: number): string =>
  new Intl.NumberFormat(lang.value === 'zh' ? 'zh-CN' : 'en-GB', { style: 'percent', maximumFractionDigits: of > 1000 ? 1 : 0 }).format(of ? n / of : 0);

/** Which statuses come first in a bar. */
const order = ['delivered', 'sent', 'simulated', 'sending', 'queued', 'scheduled', 'in_doubt', 'suppressed', 'undelivered', 'bounced', 'complained', 'failed', 'dead', 'expired', 'cancelled'];

/** Statuses and counts, in the order of a bar. */
export const byStatus = (r: Run): [string, number][] =>
  Object.entries(r.messages.by_status).filter(([, n]) => n > 0).sort(([a], [b]) => order.indexOf(a) - order.indexOf(b));

/** The messages of a run in a status, as a list. */
export const listOf = (r: Run, status: string): string => '/messages' + query({ run: r.id, status });

/** A bar of parts of a whole. */
export function Bar({ parts, of, label }: { parts: [name: string, n: number, tone: string][]; of: number; label: string }) {
  let x = 0;
  return (
    <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label={label}>
      {parts.map(([name, n, c]) => {
        const width = of ? (n / of) * 100 : 0;
        x += width;
        return <rect key={name} class={c} x={x - width} y={0} width={width} height={4}><title>{`${name} ${number(n)}`}</title></rect>;
      })}
    </svg>
  );
}

export function RunBar({ r }: { r: Run }) {
  const { done, of } = far(r), m = r.made;
  const parts = byStatus(r).map(([s, n]): [string, number, string] => [word('status', s), n, open.includes(s) ? 'wait' : tone(s)]);
  parts.push([t('progress.left_out'), m.duplicate + m.repeated + m.refused, 'out']);
  return <Bar parts={parts} of={of} label={t('progress.of', { n: number(done), of: number(of) })} />;
}

export function span(seconds: number): string {
  if (seconds < 60) return t('under.minute');
  return seconds < 5400 ? t('minutes', { n: number(Math.round(seconds / 60)) }) : t('hours', { n: number(Math.round(seconds / 360) / 10) });
}

/** What a run is called. */
export const RunName = ({ r }: { r: Run }) => <Raw>{r.title || r.template}</Raw>;
