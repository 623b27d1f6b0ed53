// Filters as chips: they live in the URL, so a list can be sent to a colleague and the way back keeps them.
import { useEffect, useState } from 'preact/hooks';
import { today } from './format.ts';
import { t, type Key } from './i18n.ts';
import { params, setParams } from './route.tsx';
import { Button, type Options } from './ui.tsx';

export const filterOf = (name: string): string => params.value.get(name) ?? '';

/** One filter. With options it is chosen, else typed; blank is the option for no filter, unless the options have one. */
export function Chip({ name, label, options, blank = t('all') }: { name: string; label: string; options?: Options; blank?: string }) {
  const value = filterOf(name);
  const id = 'filter-' + name;
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  return (
    <span class={`chip ${value ? 'on' : ''}`}>
      <label for={id}>{label}</label>
      {options
        ? <select id={id} value={value} onChange={(e) => setParams({ [name]: e.currentTarget.value })}>{!options.some(([v]) => v === '') && <option value="">{blank}</option>}{[...(value && !options.some(([v]) => v === value) ? [[value, value] as const] : []), ...options].map(([v, text]) => <option key={v} value={v}>{text}</option>)}</select>
        : <input id={id} value={typed} placeholder={blank} onInput={(e) => setTyped(e.currentTarget.value)} onChange={(e) => setParams({ [name]: e.currentTarget.value.trim() })} />}
    </span>
  );
}

export function Clear({ names }: { names: readonly string[] }) {
  if (!names.some(filterOf)) return null;
  return <Button kind="link" onClick={() => setParams(Object.fromEntries(names.map((n) => [n, ''])))}>{t('clear')}</Button>;
}

const hours: Record<string, Key> = { 1: 'hours.1', today: 'hours.today', 24: 'hours.24', 168: 'hours.7d', 720: 'hours.30d' };

/** The period, as hours back. What is meant by no period is said by its own label. */
export const Since = ({ of, none }: { of: readonly string[]; none: Key }) => <Chip name="since" label={t('period')} options={['', ...of].map((h) => [h, t(hours[h] ?? none)] as const)} />;

/** When the period begins, undefined without one. */
export function since(): string | undefined {
  const h = filterOf('since');
  if (!h) return undefined;
  return h === 'today' ? today() : new Date(Date.now() - Number(h) * 3600_000).toISOString();
}
