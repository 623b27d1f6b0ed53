// The form of a provider's account, made from the provider's descriptor. Secret fields are written, never read.
import { useState } from 'preact/hooks';
import type { Account, Descriptor, ProviderField, PutAccount } from '../api.gen.ts';
import { put, v1, type Fault } from '../api.ts';
import { Needs } from '../frame.tsx';
import { number } from '../format.ts';
import { pick, t, word } from '../i18n.ts';
import { useAction } from '../load.ts';
import { may, toast } from '../state.ts';
import { Button, Dialog, Select, Text, Trouble, confirm } from '../ui.tsx';
import { useUnsaved } from '../unsaved.ts';

const text = (n?: number): string => (n ? String(n) : '');
const price = /^\d*\.?\d+$/;
const filled = (fields: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(fields).filter(([, v]) => v !== ''));

/** An account as it would be put unchanged: what a request leaves out is empty afterwards. */
export const kept = (a: Account): PutAccount => ({
  provider: a.provider, channel: a.channel, config: a.config, off: a.off, per_second: a.per_second, per_minute: a.per_minute, per_day: a.per_day, urgent_percent: a.urgent_percent,
  concurrency: a.concurrency, in_doubt: a.in_doubt, price: a.price, currency: a.currency, version: a.version,
});

/** What may be done when a provider did not answer. */
export const doubts = ['resend', 'await', 'give_up'] as const;

export function AccountForm({ d, a, done }: { d: Descriptor; a?: Account; done: (name: string) => void }) {
  const [f, set] = useState({
    name: a?.name ?? '', channel: a?.channel ?? '', per_second: text(a?.per_second), per_minute: text(a?.per_minute), per_day: text(a?.per_day), concurrency: text(a?.concurrency),
    price: text(a?.price), currency: a?.currency ?? '', in_doubt: a?.in_doubt ?? '',
  });
  const [config, setConfig] = useState<Record<string, string>>(a?.config ?? Object.fromEntries((d.fields ?? []).filter((x) => x.default && !x.secret).map((x) => [x.name, x.default ?? ''])));
  const [secrets, setSecrets] = useState<Record<string, string>>({});
  const action = useAction();
  useUnsaved(f, config, secrets);
  const change = (name: keyof typeof f) => (v: string): void => set({ ...f, [name]: v });
  const at = (p: string) => action.fault?.at(p);
  const [pressed, press] = useState(false);
  const priced = f.price.trim(), noPrice = priced !== '' && !price.test(priced);
  const save = (): Promise<void> => action.run(async () => {
    press(true);
    if (noPrice) return document.getElementById('price')?.focus();
    const reason = await confirm({ title: t('save'), confirm: t('save') });
    if (reason === undefined) return;
    await put(v1`accounts/${f.name}`, {
      ...(a && kept(a)), provider: d.name, channel: f.channel || d.channels[0], reason, currency: f.currency || undefined, in_doubt: f.in_doubt || undefined, config: filled(config), secrets: filled(secrets),
      per_second: Number(f.per_second) || undefined, per_minute: Number(f.per_minute) || undefined, per_day: Number(f.per_day) || undefined, concurrency: Number(f.concurrency) || undefined, price: Number(priced) || undefined,
    });
    toast(t('saved'));
    done(f.name);
  });
  const documented = (n?: number): string => (n ? t('limit.documented.n', { n: number(n) }) : t('limit.none'));
  return (
    <>
      <Trouble fault={action.fault} />
      <form class="form" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        {!a && <Text label={t('name')} value={f.name} set={change('name')} required help={t('name.help')} error={at('path:name')} />}
        {d.channels.length > 1 && <Select label={t('channel')} value={f.channel || (d.channels[0] ?? '')} set={change('channel')} options={d.channels.map((c) => [c, word('channel', c)])} disabled={!!a} />}
        {(d.fields ?? []).map((x) => <Control key={x.name} f={x} kept={!!a?.secrets.includes(x.name)} fault={action.fault} at={x.secret ? '/secrets/' : '/config/'}
          value={(x.secret ? secrets : config)[x.name] ?? ''} set={(v) => (x.secret ? setSecrets({ ...secrets, [x.name]: v }) : setConfig({ ...config, [x.name]: v }))} />)}
        <h3 class="wide">{t('account.limits')}</h3>
        <Text label={t('per_second.label')} type="number" min={1} value={f.per_second} set={change('per_second')} help={documented(d.limits.per_second)} error={at('/per_second')} />
        <Text label={t('account.per_minute')} type="number" min={1} value={f.per_minute} set={change('per_minute')} help={documented(d.limits.per_minute)} error={at('/per_minute')} />
        <Text label={t('account.per_day')} type="number" min={1} value={f.per_day} set={change('per_day')} help={documented(d.limits.per_day)} error={at('/per_day')} />
        <Text label={t('concurrency')} type="number" min={1} value={f.concurrency} set={change('concurrency')} error={at('/concurrency')} />
        <Text label={t('price')} id="price" value={f.price} set={change('price')} error={pressed && noPrice ? t('price.wrong', { fix: price.test(priced.replace(',', '.')) ? priced.replace(',', '.') : '0.05' }) : at('/price')} help={t('price.help')} />
        <Text label={t('currency')} value={f.currency} set={change('currency')} placeholder="CNY" error={at('/currency')} />
        <Select label={t('account.in_doubt')} value={f.in_doubt} set={change('in_doubt')} help={t('account.in_doubt.help')} options={[['', t('account.in_doubt.class')], ...doubts.map((x) => [x, word('doubt', x)] as const)]} error={at('/in_doubt')} />
        <div class="wide actions">{may('admin') ? <Button kind="main" type="submit" disabled={action.busy || !f.name}>{t('save')}</Button> : <Needs scope="admin" />}</div>
      </form>
    </>
  );
}

export function Control({ f, value, set, kept: has, fault, at }: { f: ProviderField; value: string; set: (v: string) => void; kept?: boolean; fault?: Fault; at: string }) {
  const error = fault?.at(at + f.name);
  const label = <span translate={false}>{pick(f.label) || f.name}</span>;
  const help = <span translate={false}>{pick(f.help)}</span>;
  const required = f.required && !has;
  if (f.type === 'select' || f.type === 'boolean') {
    const options = f.type === 'boolean' ? ['true', 'false'] : (f.options ?? []);
    return <Select label={label} value={value} set={set} required={required} help={help} error={error} options={[...(f.required ? [] : [['', '—'] as const]), ...options.map((o) => [o, o] as const)]} />;
  }
  return <Text label={label} value={value} set={set} required={required} help={help} error={error} type={f.secret ? 'password' : f.type === 'number' ? 'number' : 'text'} autocomplete={f.secret ? 'new-password' : 'off'}
    lines={f.type === 'text' && !f.secret ? 4 : undefined} wide={f.type === 'text'} placeholder={has ? t('secret.kept') : undefined} />;
}

/** New values for an account's secrets, and nothing else. */
export function Rotate({ d, a, close, done }: { d: Descriptor; a: Account; close: () => void; done: () => void }) {
  const [secrets, set] = useState<Record<string, string>>({});
  const [reason, setReason] = useState('');
  const action = useAction();
  const save = (): Promise<void> => action.run(async () => {
    await put(v1`accounts/${a.name}`, { ...kept(a), secrets: filled(secrets), reason });
    toast(t('saved'));
    done();
  });
  return (
    <Dialog title={t('account.rotate')} close={close} foot={<><Button onClick={close}>{t('cancel')}</Button><Button kind="main" type="submit" form="rotate" disabled={action.busy || Object.keys(filled(secrets)).length === 0}>{t('account.rotate')}</Button></>}>
      <Trouble fault={action.fault} />
      <p>{t('account.rotate.text')}</p>
      <form id="rotate" class="stack" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        {(d.fields ?? []).filter((x) => x.secret).map((x) => <Control key={x.name} f={x} kept value={secrets[x.name] ?? ''} set={(v) => set({ ...secrets, [x.name]: v })} fault={action.fault} at="/secrets/" />)}
        <Text label={t('reason')} value={reason} set={setReason} help={t('reason.help')} maxLength={200} />
      </form>
    </Dialog>
  );
}
