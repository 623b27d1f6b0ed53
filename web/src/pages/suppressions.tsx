// Addresses that are not written to. An address is typed into a form, never into a URL.
import { useState } from 'preact/hooks';
import type { Suppressed, Suppression, SuppressionList } from '../api.gen.ts';
import { get, post, query } from '../api.ts';
import { useChannels } from '../channels.ts';
import { Needs } from '../frame.tsx';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { may, toast } from '../state.ts';
import { Button, Card, Dialog, Empty, Loading, Page, Raw, Select, Table, Tag, Text, Trouble, When } from '../ui.tsx';
import { classes } from './messages.tsx';

const reasons = ['manual', 'opt_out', 'bounce', 'complaint'] as const;

export function Suppressions() {
  const [after, setAfter] = useState('');
  const [address, setAddress] = useState('');
  const [asked, ask] = useState('');
  const [open, setOpen] = useState<'add' | 'remove'>();
  const list = useLoad(() => get<SuppressionList>('/v1/suppressions' + query({ after, limit: 100 })), [after]);
  const check = useLoad(() => (asked ? post<Suppressed>('/v1/suppressions/check', { address: asked }) : Promise.resolve(undefined)), [asked]);
  if (!may('operate')) return <Page title={t('nav.suppressions')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  const done = (): void => {
    setOpen(undefined);
    list.reload();
    check.reload();
  };
  return (
    <Page title={t('nav.suppressions')} note={t('suppressions.note')} actions={<><Button onClick={() => setOpen('remove')}>{t('suppress.remove')}</Button><Button kind="main" onClick={() => setOpen('add')}>{t('suppress.add')}</Button></>}>
      <Card title={t('suppress.check')}>
        <form class="line" onSubmit={(e) => { e.preventDefault(); address.trim() === asked ? check.reload() : ask(address.trim()); }}>
          <Text label={t('address')} value={address} set={setAddress} placeholder="+86138…, name@example.com" autocomplete="off" />
          <Button type="submit" kind="main">{t('check')}</Button>
        </form>
        <Trouble fault={check.fault} />
        {check.data && (check.data.items.length === 0 ? <p><Tag tone="good">{t('address.free')}</Tag></p> : <List items={check.data.items} />)}
        {check.data?.past && <><h3>{t('suppress.past')}</h3><List items={check.data.past} /></>}
      </Card>
      <Trouble fault={list.fault} />
      <Card class="flush" title={t('suppress.all')}>
        {!list.data && !list.fault && <Loading />}
        {list.data?.items.length === 0 && <Empty>{t('suppress.none')}</Empty>}
        {list.data && list.data.items.length > 0 && <List items={list.data.items} />}
        {(list.data?.next || after) && <p class="more">{after && <Button class="small" onClick={() => setAfter('')}>{t('first_page')}</Button>} {list.data?.next && <Button class="small" onClick={() => setAfter(list.data?.next ?? '')}>{t('more')}</Button>}</p>}
      </Card>
      {open && <Change kind={open} start={address} close={() => setOpen(undefined)} done={done} />}
    </Page>
  );
}

function List({ items }: { items: Suppression[] }) {
  return (
    <Table label={t('nav.suppressions')} head={[t('address'), t('reason'), t('channel'), t('class'), t('tenant'), t('since'), t('until'), t('source'), t('note')]}>
      {items.map((s, i) => (
        <tr key={i}>
          <td class="nowrap"><Raw class="mono">{s.address}</Raw></td><td><Tag tone="warn">{word('suppression', s.reason)}</Tag></td>
          <td>{s.channel ? word('channel', s.channel) : t('all')}</td><td>{s.class ? word('class', s.class) : t('all')}</td><td>{s.tenant ? <Raw>{s.tenant}</Raw> : t('all')}</td>
          <td class="nowrap"><When at={s.since} /></td><td class="nowrap">{s.until ? <When at={s.until} /> : t('forever')}</td><td><Raw>{s.source}</Raw></td><td><Raw>{s.note}</Raw>{s.lifted?.map((l, j) => <div key={j} class="faint">{t('suppress.lifted')} <When at={l.at} /> <Raw>{l.by}</Raw> <Raw>{l.reason}</Raw></div>)}</td>
        </tr>
      ))}
    </Table>
  );
}

function Change({ kind, start, close, done }: { kind: 'add' | 'remove'; start: string; close: () => void; done: () => void }) {
  const [f, set] = useState({ address: start, channel: '', class: '', tenant: '', reason: kind === 'add' ? 'manual' : '', note: '', until: '' });
  const action = useAction();
  const channels = useChannels();
  const change = (name: keyof typeof f) => (v: string): void => set({ ...f, [name]: v });
  const save = (): Promise<void> => action.run(async () => {
    const { until, note, ...rest } = f;
    const body = Object.fromEntries(Object.entries(kind === 'add' ? { ...rest, note, until: until && new Date(until).toISOString() } : rest).filter(([, v]) => v));
    await post(kind === 'add' ? '/v1/suppressions' : '/v1/suppressions/remove', body);
    toast(t(kind === 'add' ? 'suppress.added' : 'suppress.removed'));
    done();
  });
  return (
    <Dialog title={t(kind === 'add' ? 'suppress.add' : 'suppress.remove')} close={close} foot={<Button kind={kind === 'add' ? 'main' : 'danger'} type="submit" form="suppress" disabled={action.busy}>{t(kind === 'add' ? 'suppress.add' : 'suppress.remove')}</Button>}>
      <Trouble fault={action.fault} />
      <p class="faint">{t(kind === 'add' ? 'suppress.add.text' : 'suppress.remove.text')}</p>
      <form id="suppress" class="form" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        <Text wide label={t('address')} value={f.address} set={change('address')} error={action.fault?.at('/address')} required autocomplete="off" />
        <Select label={t('channel')} value={f.channel} set={change('channel')} options={[['', t('all')], ...channels]} />
        <Select label={t('class')} value={f.class} set={change('class')} options={[['', t('all')], ...classes.map((c) => [c, word('class', c)] as const)]} />
        <Text label={t('tenant')} value={f.tenant} set={change('tenant')} placeholder={t('all')} error={action.fault?.at('/tenant')} />
        {kind === 'add' && <Select label={t('reason')} value={f.reason} set={change('reason')} options={reasons.map((r) => [r, word('suppression', r)])} />}
        {kind === 'add' && <Text label={t('until')} type="datetime-local" value={f.until} set={change('until')} help={t('until.help')} error={action.fault?.at('/until')} />}
        {kind === 'add' ? <Text wide label={t('note')} value={f.note} set={change('note')} maxLength={200} /> : <Text wide label={t('reason')} value={f.reason} set={change('reason')} maxLength={200} />}
      </form>
    </Dialog>
  );
}
