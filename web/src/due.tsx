// When a schedule is due, as a form; the API says what that comes to, before anything is saved.
import { useEffect, useState } from 'preact/hooks';
import type { CampaignsPreview, Field, Schedule, When as At } from './api.gen.ts';
import { post, type Fault } from './api.ts';
import { here } from './format.ts';
import { t, type Key } from './i18n.ts';
import { fault as faultOf } from './load.ts';
import { lang } from './state.ts';
import { plain, weekdays, zoneOf } from './timed.tsx';
import { Card, Empty, Select, Table, Tabs, Text } from './ui.tsx';

export const kinds = ['once', 'daily', 'weekly', 'monthly', 'every', 'cron'] as const;

export interface Due {
  kind: typeof kinds[number];
  once: string; // as a datetime-local, on the zone's clock
  at: string; // HH:MM
  days: string; // MON,TUE
  dates: string; // 1,15,L
  every: string;
  cron: string;
  zone: string;
  start: string;
  end: string;
}

/** An instant as a zone's clock shows it, for an input. */
export function onClock(iso: string | null | undefined, zone: string): string {
  if (!iso) return '';
  const part = Object.fromEntries(new Intl.DateTimeFormat('en-GB', { timeZone: zone || 'UTC', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })
    .formatToParts(new Date(iso)).map((p) => [p.type, p.value]));
  return `${part.year}-${part.month}-${part.day}T${part.hour}:${part.minute}`;
}

export function dueOf(s?: Schedule): Due {
  const none: Due = { kind: 'once', once: '', at: '09:00', days: 'MON', dates: '1', every: '60', cron: '0 9 * * ? *', zone: s?.cron ? zoneOf(s) : s?.zone ?? here, start: onClock(s?.start, here), end: onClock(s?.end, here) };
  if (!s) return none;
  if (s.at) return { ...none, once: onClock(s.at, none.zone) };
  if (s.every_minutes) return { ...none, kind: 'every', every: String(s.every_minutes) };
  const p = plain(s.cron ?? '');
  if (!p) return { ...none, kind: 'cron', cron: s.cron ?? '' };
  return { ...none, kind: p.kind, at: p.at, days: p.kind === 'weekly' ? p.days : none.days, dates: p.kind === 'monthly' ? p.days : none.dates };
}

const instant = (local: string): string | undefined => (local ? new Date(local).toISOString() : undefined);

/** As the API takes it; undefined while something is missing. */
export function whenOf(d: Due): At | undefined {
  const [hour = '', minute = ''] = d.at.split(':');
  const clock = `${Number(minute)} ${Number(hour)}`;
  const again = { zone: d.zone, start: instant(d.start), end: instant(d.end) };
  switch (d.kind) {
    case 'once': return d.once ? { at: d.once, zone: d.zone } : undefined;
    case 'daily': return d.at ? { cron: `${clock} * * ? *`, ...again } : undefined;
    case 'weekly': return d.at && d.days ? { cron: `${clock} ? * ${d.days} *`, ...again } : undefined;
    case 'monthly': return d.at && d.dates ? { cron: `${clock} ${d.dates.replaceAll(/\s/g, '')} * ? *`, ...again } : undefined;
    case 'every': return Number(d.every) ? { every_minutes: Number(d.every), start: again.start, end: again.end } : undefined;
    case 'cron': return d.cron.trim() ? { cron: d.cron.trim(), ...again } : undefined;
  }
}

export function DueFields({ d, set, fault }: { d: Due; set: (d: Due) => void; fault?: Fault }) {
  const change = (name: keyof Due) => (v: string): void => set({ ...d, [name]: v });
  const on = d.days.split(',').filter(Boolean);
  const toggle = (day: string): void => set({ ...d, days: weekdays.filter((x) => (x === day ? !on.includes(x) : on.includes(x))).join(',') });
  return (
    <div class="stack">
      <Tabs label={t('repeat.kind')} value={d.kind} set={(k) => set({ ...d, kind: k as Due['kind'] })} options={kinds.map((k) => [k, t(`repeat.${k}`)] as const)} />
      {d.kind === 'weekly' && (
        <div class="tabs" role="group" aria-label={t('repeat.days')}>
          {weekdays.map((day) => <button type="button" key={day} aria-pressed={on.includes(day)} onClick={() => toggle(day)}>{t(`day.${day}` as Key)}</button>)}
        </div>
      )}
      <div class="form">
        {d.kind === 'once' && <Text label={t('when')} type="datetime-local" value={d.once} set={change('once')} required error={fault?.at('/at')} />}
        {d.kind === 'monthly' && <Text label={t('repeat.dates')} value={d.dates} set={change('dates')} required help={t('repeat.dates.help')} error={fault?.at('/cron')} />}
        {['daily', 'weekly', 'monthly'].includes(d.kind) && <Text label={t('repeat.at')} value={d.at} set={change('at')} required placeholder="09:00" error={d.kind === 'monthly' ? '' : fault?.at('/cron')} />}
        {d.kind === 'every' && <Text label={t('repeat.every') + ' ' + t('repeat.minutes')} type="number" min={1} value={d.every} set={change('every')} required error={fault?.at('/every_minutes')} />}
        {d.kind === 'cron' && <Text label="cron" value={d.cron} set={change('cron')} required help={t('repeat.cron.help')} error={fault?.at('/cron')} />}
        {d.kind !== 'every' && <Zone value={d.zone} set={change('zone')} error={fault?.at('/zone')} />}
        {d.kind !== 'once' && <>
          <Text label={t('repeat.start')} type="datetime-local" value={d.start} set={change('start')} error={fault?.at('/start')} />
          <Text label={t('repeat.end')} type="datetime-local" value={d.end} set={change('end')} error={fault?.at('/end')} />
        </>}
      </div>
    </div>
  );
}

function Zone({ value, set, error }: { value: string; set: (v: string) => void; error?: Field }) {
  const all = Intl.supportedValuesOf('timeZone');
  return <Select label={t('route.zone')} value={value} set={set} error={error} help={value === here ? t('next.here') : ''} options={all.map((z) => [z, z] as const)} />;
}

/** The next five times of what is being filled in; tells the fault of a time that cannot be. */
export function NextTimes({ d, told }: { d: Due; told: (f?: Fault) => void }) {
  const [next, setNext] = useState<{ list: string[]; zone: string }>(); // the zone goes with its times: another may be chosen before they are here
  const when = whenOf(d);
  const body = JSON.stringify(when);
  useEffect(() => {
    let gone = false;
    if (!when) {
      setNext(undefined);
      return told(undefined);
    }
    const wait = setTimeout(() => {
      post<CampaignsPreview>('/v1/schedules/preview', when).then((p) => {
        if (gone) return;
        setNext({ list: p.next, zone: d.zone });
        told(undefined);
      }, (e) => {
        if (gone) return;
        setNext(undefined);
        told(faultOf(e));
      });
    }, 300);
    return () => { gone = true; clearTimeout(wait); };
  }, [body]);
  return <Card class={next ? 'flush' : ''} title={t('next.title')}>{next ? <Times {...next} /> : <Empty>{t('next.empty')}</Empty>}</Card>;
}

/** Instants on the clock of a zone, and on the reader's where that is another. */
export function Times({ list, zone }: { list: string[]; zone: string }) {
  const show = (iso: string, timeZone: string): string => new Intl.DateTimeFormat(lang.value === 'zh' ? 'zh-CN' : 'en-GB', { timeZone, weekday: 'short', year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(iso));
  const other = !!zone && zone !== here;
  return (
    <Table label={t('next.title')} head={[other ? t('next.at_zone', { zone }) : t('next.here'), ...(other ? [t('next.here')] : [])]}>
      {list.map((iso) => <tr key={iso} data-next><td>{show(iso, other ? zone : here)}</td>{other && <td>{show(iso, here)}</td>}</tr>)}
    </Table>
  );
}
