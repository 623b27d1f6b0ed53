// Times, numbers and money as the reader writes them.
import { lang } from './state.ts';
import { t } from './i18n.ts';

const locale = (): string => (lang.value === 'zh' ? 'zh-CN' : 'en-GB');

const sameDay = (a: Date, b: Date): boolean => a.toDateString() === b.toDateString();

/** The reader's zone. */
export const here = Intl.DateTimeFormat().resolvedOptions().timeZone;

const time = { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23' } as const;
const day = { month: '2-digit', day: '2-digit' } as const;

/** The time; the date too, when it is not the day of another, and the year when it is not its year. */
function written(at: Date, other: Date, how: Intl.DateTimeFormatOptions): string {
  const date = sameDay(at, other) ? {} : at.getFullYear() === other.getFullYear() ? day : { year: 'numeric' as const, ...day };
  return new Intl.DateTimeFormat(locale(), { ...date, ...how }).format(at);
}

/** The time today; the date too, when it was another day. */
export const moment = (iso: string): string => written(new Date(iso), new Date(), time);

/** The day, as of figures by the day. */
export function date(iso: string): string {
  const at = new Date(iso);
  return new Intl.DateTimeFormat(locale(), at.getFullYear() === new Date().getFullYear() ? day : { year: 'numeric', ...day }).format(at);
}

/** The clock with milliseconds, for a timeline; the date too, when what stands before it was another day: today, where nothing does. */
export const clock = (iso: string, before?: string | null): string => written(new Date(iso), before ? new Date(before) : new Date(), { ...time, fractionalSecondDigits: 3 });

export const utc = (iso: string): string => new Date(iso).toISOString().replace('T', ' ').replace('Z', ' UTC');

export function relative(iso: string, now = Date.now()): string {
  const seconds = (Date.parse(iso) - now) / 1000, size = Math.abs(seconds);
  const [unit, per] = size < 60 ? ['second', 1] as const : size < 3600 ? ['minute', 60] as const : size < 86400 ? ['hour', 3600] as const : ['day', 86400] as const;
  return new Intl.RelativeTimeFormat(locale(), { numeric: 'auto' }).format(Math.round(seconds / per), unit);
}

export const number = (n: number): string => new Intl.NumberFormat(locale()).format(n);

/** A part of a whole, 0 to 1, as a percentage. */
export const share = (part: number): string => new Intl.NumberFormat(locale(), { style: 'percent', maximumFractionDigits: 1 }).format(part);

export function money(amount: number, currency?: string): string {
  if (!currency) return new Intl.NumberFormat(locale(), { maximumFractionDigits: 4 }).format(amount);
  return new Intl.NumberFormat(locale(), { style: 'currency', currency, maximumFractionDigits: 4 }).format(amount);
}

export const millis = (ms: number): string => (ms < 1000 ? `${ms} ms` : t('seconds', { n: number(Math.round(ms / 100) / 10) }));

/** Midnight of the reader's today. */
export function today(): string {
  const d = new Date();
  d.setHours(0, 0, 0, 0);
  return d.toISOString();
}
