// The pieces that pages are made of.
import { signal } from '@preact/signals';
import type { ComponentChildren, JSX, TargetedEvent, TargetedInputEvent } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Field as Wrong } from './api.gen.ts';
import type { Fault } from './api.ts';
import { moment, relative, utc } from './format.ts';
import { t, word, type Key } from './i18n.ts';
import { lang, toast } from './state.ts';

type Children = { children?: ComponentChildren };

/** What somebody wrote or the system named: not to be translated. */
export const Raw = ({ children, class: c }: Children & { class?: string }) => <span translate={false} class={c}>{children}</span>;
export const Code = ({ children }: Children) => <code translate={false}>{children}</code>;

export function Page({ title, note, actions, children }: Children & { title: ComponentChildren; note?: ComponentChildren; actions?: ComponentChildren }) {
  return (
    <>
      <div class="head">
        <div><h1>{title}</h1>{note && <p class="note">{note}</p>}</div>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </>
  );
}

export function Card({ title, extra, children, class: c = '' }: Children & { title?: ComponentChildren; extra?: ComponentChildren; class?: string }) {
  return (
    <section class={`card ${c}`}>
      {(title || extra) && <header><h2>{title}</h2>{extra}</header>}
      <div class="body">{children}</div>
    </section>
  );
}

const tones: Record<string, string> = {
  delivered: 'good', sent: 'info', sending: 'info', queued: 'info', scheduled: 'calm', in_doubt: 'warn', undelivered: 'bad', bounced: 'bad',
  complained: 'bad', failed: 'bad', dead: 'bad', expired: 'calm', cancelled: 'calm', suppressed: 'warn', simulated: 'calm',
};
export const tone = (status: string): string => tones[status] ?? 'calm';

export const Tag = ({ tone: c = 'calm', title, children }: Children & { tone?: string; title?: string }) => <span class={`tag ${c}`} title={title}>{children}</span>;
export const Status = ({ of }: { of: string }) => <Tag tone={tone(of)} title={t(`status.help.${of}` as Key)}><i class="dot" />{word('status', of)}</Tag>;

export function When({ at, ago }: { at?: string | null; ago?: boolean }) {
  return at ? <time dateTime={at} title={utc(at)}>{ago ? relative(at) : moment(at)}</time> : <>—</>;
}

export const Row = ({ label, children }: Children & { label: ComponentChildren }) => <><dt>{label}</dt><dd>{children ?? '—'}</dd></>;

type ButtonProps = JSX.IntrinsicElements['button'] & { kind?: 'main' | 'danger' | 'plain' | 'link' };
export const Button = ({ kind = 'plain', class: c, ...rest }: ButtonProps) => <button type="button" class={`button ${kind} ${c ?? ''}`} {...rest} />;

export function Copy({ text, label, kind }: { text: string | (() => string); label?: string; kind?: ButtonProps['kind'] }) {
  const copy = async (): Promise<void> => {
    try {
      await navigator.clipboard.writeText(typeof text === 'string' ? text : text());
      toast(t('copied'));
    } catch { // browsers have no clipboard for a page that came over plain HTTP
      toast(t('copied.not'), 'bad');
    }
  };
  return <Button kind={kind} onClick={() => void copy()}>{label ?? t('copy')}</Button>;
}

/** Chooses a file. The same one may be chosen again once it was mended, of which a browser tells only an input that is empty. */
export function FileButton({ label, accept, chosen }: { label: string; accept: string; chosen: (file?: File) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const take = (e: TargetedEvent<HTMLInputElement>): void => {
    chosen(e.currentTarget.files?.[0]);
    e.currentTarget.value = '';
  };
  return (
    <>
      <input ref={input} class="unseen" type="file" accept={accept} aria-label={label} tabIndex={-1} onChange={take} />
      <Button onClick={() => input.current?.click()}>{label}</Button>
    </>
  );
}

/** How much of something, as a bar. */
export const Meter = ({ value, max, label, tone: c = 'info' }: { value: number; max: number; label: string; tone?: string }) => <meter class={c} min={0} max={Math.max(max, 1)} value={value} aria-label={label} />;

export const Empty = ({ children }: Children) => <div class="empty">{children}</div>;
export const Loading = () => <div class="empty" role="status">{t('loading')}</div>;

/** Problems whose word in Chinese says all that the API says in English. */
const plain = new Set(['required', 'unknown_field', 'unknown_tenant', 'unknown_template', 'unknown_variable', 'unknown_channel', 'missing_variable', 'template_not_published', 'content_refused', 'unauthorized', 'bad_json', 'internal']);

/** What the API says in English; who reads Chinese is told by the code, and the English follows where there is more in it. */
export function Says({ of }: { of: Pick<Wrong, 'code' | 'detail'> }) {
  const detail = <span translate={false} lang="en">{of.detail}</span>;
  if (lang.value === 'en') return detail;
  return <>{word('problem', of.code)}{!plain.has(of.code) && <>（{detail}）</>}</>;
}

/** A fault with what to do about it. The values that are wrong say it themselves. */
export function Trouble({ fault }: { fault?: Fault }) {
  if (!fault) return null;
  const said = fault.detail && fault.fields.length === 0 && !(lang.value === 'zh' && plain.has(fault.code));
  return (
    <div class="alert bad" role="alert">
      <strong>{word('problem', fault.code)}</strong>
      {said && <div translate={false} lang="en">{fault.detail}</div>}
      {fault.fields.map((f) => <div key={f.pointer}><Code>{f.pointer}</Code> <Says of={f} /></div>)}
      {fault.request && <div class="faint">{t('request_id')} <Code>{fault.request}</Code></div>}
    </div>
  );
}

/** A labelled control with its help and its error. */
export function Field({ id: named, label, help, error, required, wide, children }: {
  id?: string; label: ComponentChildren; help?: ComponentChildren; error?: string | Wrong; required?: boolean; wide?: boolean; children: (id: string, described: string) => ComponentChildren;
}) {
  const made = useId(), id = named ?? made;
  return (
    <div class={`field ${wide ? 'wide' : ''} ${error ? 'wrong' : ''}`}>
      <label for={id}>{label}{required && <b class="star" aria-hidden="true">*</b>}</label>
      {children(id, `${id}-note`)}
      <small id={`${id}-note`}>{error ? <span class="error">{typeof error === 'string' ? error : <Says of={error} />}</span> : help}</small>
    </div>
  );
}

interface TextProps {
  id?: string; label: ComponentChildren; value: string; set: (v: string) => void; help?: ComponentChildren; error?: string | Wrong; required?: boolean; wide?: boolean;
  lines?: number; type?: 'text' | 'password' | 'number' | 'datetime-local'; placeholder?: string; autocomplete?: string; autofocus?: boolean; min?: number; maxLength?: number;
}

export function Text({ id: named, label, value, set, help, error, required, wide, lines, type = 'text', placeholder, ...rest }: TextProps) {
  return (
    <Field id={named} label={label} help={help} error={error} required={required} wide={wide}>
      {(id, note) => lines
        ? <textarea id={id} rows={lines} aria-describedby={note} value={value} required={required} placeholder={placeholder} onInput={(e) => set(e.currentTarget.value)} />
        : <input id={id} aria-describedby={note} aria-invalid={!!error} value={value} required={required} spellcheck={false} type={type as 'text'} placeholder={placeholder} onInput={(e: TargetedInputEvent<HTMLInputElement>) => set(e.currentTarget.value)} {...rest} />}
    </Field>
  );
}

export type Options = readonly (readonly [value: string, label: string])[];

/** A value that is none of the options, as of what is gone, is shown as it is: the first would stand in its place. */
export function Select({ label, value, set, options, help, error, required, disabled }: {
  label: ComponentChildren; value: string; set: (v: string) => void; options: Options; help?: ComponentChildren; error?: string | Wrong; required?: boolean; disabled?: boolean;
}) {
  return (
    <Field label={label} help={help} error={error} required={required}>
      {(id, note) => (
        <select id={id} aria-describedby={note} value={value} disabled={disabled} onChange={(e) => set(e.currentTarget.value)}>
          {[...(value && !options.some(([v]) => v === value) ? [[value, value] as const] : []), ...options].map(([v, text]) => <option key={v} value={v}>{text}</option>)}
        </select>
      )}
    </Field>
  );
}

export function Check({ label, value, set, help }: { label: ComponentChildren; value: boolean; set: (v: boolean) => void; help?: ComponentChildren }) {
  return (
    <div class="field check">
      <label><input type="checkbox" checked={value} onChange={(e) => set(e.currentTarget.checked)} /> {label}</label>
      {help && <small>{help}</small>}
    </div>
  );
}

/** A table that scrolls by itself where it is too wide. */
export function Table({ label, head, children }: Children & { label: string; head: ComponentChildren[] }) {
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={label}>
      <table><thead><tr>{head.map((h, i) => <th key={i} scope="col">{h || <span class="unseen">{t('actions')}</span>}</th>)}</tr></thead><tbody>{children}</tbody></table>
    </div>
  );
}

/** What is to be filled in, or else what leaves things as they are. */
const fields = '.body :is(input, select, textarea):not(:disabled), footer button:not([type=submit])';

/** Gives the focus back to what had it before a dialog, or to the page where that is gone. */
function goBack(to: Element | null): void {
  if (document.querySelector('dialog[open]')) return;
  const open = to instanceof HTMLElement && to.isConnected && !to.matches(':disabled') ? to : document.getElementById('main');
  open?.focus({ preventScroll: true });
}

export function Dialog({ title, close, children, foot, wide }: Children & { title: string; close: () => void; foot?: ComponentChildren; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  const [before] = useState(() => document.activeElement); // a moment later it may be off, and so without the focus
  const id = useId();
  useEffect(() => {
    const el = box.current;
    el?.showModal();
    el?.querySelector<HTMLElement>(fields)?.focus();
    return () => {
      el?.close();
      setTimeout(() => goBack(before)); // what opened it may be waiting for the answer until then
    };
  }, []);
  return (
    <dialog ref={box} class={wide ? 'wide' : ''} aria-labelledby={id} onCancel={(e) => { e.preventDefault(); close(); }}>
      <header><h2 id={id}>{title}</h2><Button kind="link" aria-label={t('close')} onClick={close}>✕</Button></header>
      <div class="body">{children}</div>
      {foot && <footer>{foot}</footer>}
    </dialog>
  );
}

interface Question {
  title: string;
  text?: ComponentChildren;
  confirm: string;
  danger?: boolean;
  reason?: boolean;
  /** It cannot be answered without a reason. */
  why?: boolean;
  /** Must be typed first: a count, or a name, for what cannot be taken back. */
  typed?: string;
  answer: (reason: string | undefined) => void;
}
/** Each has a number: what was typed for one is not there for the next. */
const question = signal<(Question & { number: number }) | undefined>();
let asked = 0;

/** Asks before something is done; undefined is no, else it is the reason. */
export function confirm(q: Omit<Question, 'answer'>): Promise<string | undefined> {
  return new Promise((answer) => {
    unask();
    question.value = { ...q, answer, number: ++asked };
  });
}

/** Answers the question that is open with no: its page is left, or something else is asked. */
export function unask(): void {
  const q = question.value;
  question.value = undefined;
  q?.answer(undefined);
}

export function Questions() {
  const q = question.value;
  return q ? <Asked key={q.number} q={q} /> : null;
}

function Asked({ q }: { q: Question & { number: number } }) {
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const done = (r: string | undefined): void => {
    if (question.value === q) question.value = undefined;
    q.answer(r);
  };
  return (
    <Dialog title={q.title} close={() => done(undefined)} foot={<>
      <Button onClick={() => done(undefined)}>{t('cancel')}</Button>
      <Button kind={q.danger ? 'danger' : 'main'} type="submit" form="question" disabled={!!q.typed && typed.trim() !== q.typed}>{q.confirm}</Button>
    </>}>
      {q.text && <p>{q.text}</p>}
      <form id="question" class="stack" onSubmit={(e) => { e.preventDefault(); done(reason); }}>
        {q.typed && <Text label={t('type_to_confirm', { text: q.typed })} value={typed} set={setTyped} required autocomplete="off" wide />}
        {q.reason !== false && <Text label={t('reason')} value={reason} set={setReason} help={t('reason.help')} maxLength={200} required={q.why} wide />}
      </form>
    </Dialog>
  );
}

/** Tabs over values. */
export function Tabs({ label, value, set, options }: { label: string; value: string; set: (v: string) => void; options: Options }) {
  return (
    <div class="tabs" role="group" aria-label={label} lang={lang.value}>
      {options.map(([v, text]) => <button type="button" key={v} aria-pressed={v === value} onClick={() => set(v)}>{text}</button>)}
    </div>
  );
}
