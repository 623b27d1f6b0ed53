// What templates are sent as over one account: the vendor's id, sign, order of the parameters, and its approval.
import { useState } from 'preact/hooks';
import type { Descriptor, TemplateBinding, TemplateBindings, TemplateList } from '../api.gen.ts';
import { get, post, put, v1 } from '../api.ts';
import { Needs } from '../frame.tsx';
import { pick, t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Dialog, Empty, Loading, Raw, Select, Table, Tag, Text, Trouble, When } from '../ui.tsx';
import { Control } from './account-form.tsx';

interface Line { tenant: string; name: string; version: number; of: number; bound?: TemplateBinding; lacks: boolean }

/** The published versions that are bound to the account, or could be. */
async function read(account: string): Promise<Line[]> {
  const { items } = await get<TemplateList>('/v1/templates');
  const lines = await Promise.all(items.filter((x) => x.published).map(async (x): Promise<Line> => {
    const version = x.published ?? 0;
    const b = await get<TemplateBindings>(v1`templates/${x.tenant}/${x.name}/versions/${version}/bindings`);
    return { tenant: x.tenant, name: x.name, version, of: b.version, bound: b.items.find((i) => i.account === account), lacks: b.lacking.some((l) => l.account === account) };
  }));
  return lines.filter((l) => l.bound || l.lacks);
}

const tones: Record<TemplateBinding['state'], string> = { approved: 'good', pending: 'warn', rejected: 'bad', unchecked: 'calm' };

export function Bindings({ account, d, channel }: { account: string; d: Descriptor; channel: string }) {
  const { data, fault, reload } = useLoad(() => read(account), [account, channel]);
  const [edited, edit] = useState<Line>();
  const action = useAction();
  const check = (l: Line): Promise<void> => action.run(async () => {
    await post(v1`templates/${l.tenant}/${l.name}/versions/${l.version}/bindings/${account}/check`);
    reload();
  });
  return (
    <Card class="flush" title={t('bindings')} extra={<span class="faint">{t('bindings.note')}</span>}>
      <Trouble fault={fault ?? action.fault} />
      {!data && !fault && <Loading />}
      {data?.length === 0 && <Empty>{t('bindings.none')}</Empty>}
      {data && data.length > 0 && (
        <Table label={t('bindings')} head={[t('template'), t('state'), ...(d.binding ?? []).map((f) => pick(f.label) || f.name), t('bindings.checked'), '']}>
          {data.map((l) => (
            <tr key={l.tenant + '/' + l.name}>
              <td class="nowrap"><A href={to('templates', l.tenant, l.name)}><Raw>{l.tenant}/{l.name}</Raw></A> <span class="faint">v{l.version}</span></td>
              <td>{l.bound ? <Tag tone={tones[l.bound.state]} title={l.bound.note}>{word('approval', l.bound.state)}</Tag> : <Tag tone="bad">{t('bindings.lacks')}</Tag>}</td>
              {(d.binding ?? []).map((f) => <td key={f.name}><Raw class="mono">{l.bound?.fields[f.name] || '—'}</Raw></td>)}
              <td class="nowrap"><When at={l.bound?.checked_at} ago /></td>
              <td class="end nowrap">{may('operate') ? <>{l.bound && d.approvals && <Button disabled={action.busy} onClick={() => void check(l)}>{t('bindings.check')}</Button>} <Button onClick={() => edit(l)}>{t(l.bound ? 'edit' : 'bindings.bind')}</Button></> : <Needs scope="operate" />}</td>
            </tr>
          ))}
        </Table>
      )}
      {edited && <Edit l={edited} account={account} d={d} close={() => edit(undefined)} done={() => { edit(undefined); toast(t('saved')); reload(); }} />}
    </Card>
  );
}

const states = ['unchecked', 'pending', 'approved', 'rejected'] as const;

function Edit({ l, account, d, close, done }: { l: Line; account: string; d: Descriptor; close: () => void; done: () => void }) {
  const [fields, set] = useState<Record<string, string>>(l.bound?.fields ?? {});
  const [f, setF] = useState({ state: l.bound?.state ?? 'unchecked' as string, note: l.bound?.note ?? '', reason: '' });
  const action = useAction();
  const save = (): Promise<void> => action.run(async () => {
    await put(v1`templates/${l.tenant}/${l.name}/versions/${l.version}/bindings/${account}`, { fields: Object.fromEntries(Object.entries(fields).filter(([, v]) => v)), state: f.state, note: f.note || undefined, reason: f.reason, version: l.of || undefined });
    done();
  });
  return (
    <Dialog title={`${l.tenant}/${l.name} v${l.version}`} close={close} foot={<Button kind="main" type="submit" form="binding" disabled={action.busy}>{t('save')}</Button>}>
      <Trouble fault={action.fault} />
      <form id="binding" class="stack" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        {(d.binding ?? []).map((x) => <Control key={x.name} f={x} value={fields[x.name] ?? ''} set={(v) => set({ ...fields, [x.name]: v })} fault={action.fault} at="/fields/" />)}
        <Select label={t('bindings.state')} value={f.state} set={(state) => setF({ ...f, state })} options={states.map((s) => [s, word('approval', s)] as const)} error={action.fault?.at('/state')} />
        <Text label={t('note')} value={f.note} set={(note) => setF({ ...f, note })} maxLength={200} />
        <Text label={t('reason')} value={f.reason} set={(reason) => setF({ ...f, reason })} help={t('reason.help')} maxLength={200} />
      </form>
    </Dialog>
  );
}
