// The fields of one variant: which there are follows from its channel.
import { useRef } from 'preact/hooks';
import type { TemplateVariant } from '../api.gen.ts';
import { t, type Key } from '../i18n.ts';
import { may } from '../state.ts';
import { Button, Field } from '../ui.tsx';

type Name = 'subject' | 'title' | 'text' | 'html' | 'data';

function fields(channel: string): [Name, Key, number][] {
  switch (channel) {
    case 'email': return [['subject', 'subject', 1], ['html', 'html', 9], ['text', 'text', 6]];
    case 'sms': return [['text', 'text', 5]];
    case 'webhook': return [['data', 'data', 8]];
  }
  return [['title', 'title', 1], ['text', 'text', 6]];
}

export function VariantFields({ variant, set, names }: { variant: TemplateVariant; set: (v: TemplateVariant) => void; names: string[] }) {
  const last = useRef<{ name: Name; el: HTMLInputElement | HTMLTextAreaElement } | undefined>(undefined);
  const off = !may('operate');
  const insert = (name: string): void => {
    const list = fields(variant.channel);
    const field = last.current?.name ?? list[list.length - 1]?.[0] ?? 'text';
    const text = variant[field] ?? '', el = last.current?.el;
    const at = el?.selectionStart ?? text.length, end = el?.selectionEnd ?? at;
    set({ ...variant, [field]: `${text.slice(0, at)}{{${name}}}${text.slice(end)}` });
    el?.focus();
  };
  return (
    <div class="stack">
      {fields(variant.channel).map(([name, key, lines]) => (
        <Field key={name} label={t(key)}>
          {(id) => lines === 1
            ? <input id={id} disabled={off} value={variant[name] ?? ''} onFocus={(e) => { last.current = { name, el: e.currentTarget }; }} onInput={(e) => set({ ...variant, [name]: e.currentTarget.value })} />
            : <textarea id={id} class={name === 'html' || name === 'data' ? 'code' : ''} disabled={off} rows={lines} value={variant[name] ?? ''} onFocus={(e) => { last.current = { name, el: e.currentTarget }; }} onInput={(e) => set({ ...variant, [name]: e.currentTarget.value })} />}
        </Field>
      ))}
      {!off && names.length > 0 && <div class="line"><span class="faint">{t('insert')}</span>{names.filter(Boolean).map((n) => <Button class="small" key={n} translate={false} onClick={() => insert(n)}>{`{{${n}}}`}</Button>)}</div>}
    </div>
  );
}
