// How much of a limit is used: amber from 80 %, red from 95 %.
import type { ComponentChildren } from 'preact';
import { Meter } from './ui.tsx';

export const limitTone = (part: number): string => (part >= 0.95 ? 'bad' : part >= 0.8 ? 'warn' : 'good');

export function Gauge({ label, used, limit, said, note }: { label: string; used: number; limit: number; said: string; note?: ComponentChildren }) {
  return (
    <div class="gauge">
      <div class="line"><span>{label}</span><span class="faint">{said}</span></div>
      <Meter value={used} max={limit} label={label} tone={limitTone(limit > 0 ? used / limit : 0)} />
      {note && <small>{note}</small>}
    </div>
  );
}
