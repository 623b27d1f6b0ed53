// People who may sign in through the company's identity provider, and what they may do.
import { useState } from 'preact/hooks';
import type { PutUser, TenantList, User, UserList } from '../api.gen.ts';
import { del, get, put, query, v1 } from '../api.ts';
import { Needs } from '../frame.tsx';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { may, session, toast } from '../state.ts';
import { Button, Card, Check, Dialog, Empty, Loading, Page, Raw, Select, Table, Tag, Text, Trouble, When, confirm } from '../ui.tsx';

const roles = ['support', 'developer', 'operator', 'admin'] as const;

export function Users() {
  const { data, fault, reload } = useLoad(() => (may('admin') ? get<UserList>('/v1/users') : Promise.resolve(undefined)), []);
  const [edited, edit] = useState<User | 'new'>();
  const action = useAction();
  if (!may('admin')) return <Page title={t('nav.users')}><Card><Empty><Needs scope="admin" /></Empty></Card></Page>;
  const remove = (u: User): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('delete.title', { name: u.name }), text: t('user.remove.text'), confirm: t('delete'), danger: true });
    if (reason === undefined) return;
    await del(v1`users/${u.name}` + query({ version: u.version, reason }));
    toast(t('deleted'));
    reload();
  });
  return (
    <Page title={t('nav.users')} note={t(session.value?.identity ? 'users.note' : 'users.note.none')} actions={<Button kind="main" onClick={() => edit('new')}>{t('users.new')}</Button>}>
      <Trouble fault={fault ?? action.fault} />
      <Card class="flush" title={t('nav.users')}>
        {!data && !fault && <Loading />}
        {data?.items.length === 0 && <Empty>{t('users.none')}</Empty>}
        {data && data.items.length > 0 && (
          <Table label={t('nav.users')} head={[t('name'), t('email'), t('role'), t('tenant'), t('state'), t('changed'), '']}>
            {data.items.map((u) => (
              <tr key={u.name}>
                <td><Raw>{u.name}</Raw></td><td><Raw>{u.email}</Raw></td><td><Tag>{word('role', u.role)}</Tag></td><td><Raw>{(u.tenants ?? []).join(', ') || '—'}</Raw></td>
                <td>{u.disabled ? <Tag tone="warn">{t('disabled')}</Tag> : <Tag tone="good">{t('on')}</Tag>}</td><td class="nowrap"><When at={u.changed_at} /> <Raw class="faint">{u.author}</Raw></td>
                <td class="end nowrap"><Button class="small" onClick={() => edit(u)}>{t('edit')}</Button> <Button class="small" kind="danger" onClick={() => void remove(u)}>{t('delete')}</Button></td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
      {edited && <Edit u={edited === 'new' ? undefined : edited} close={() => edit(undefined)} done={() => { edit(undefined); toast(t('saved')); reload(); }} />}
    </Page>
  );
}

function Edit({ u, close, done }: { u?: User; close: () => void; done: () => void }) {
  const tenants = useLoad(() => get<TenantList>('/v1/tenants'), []);
  const [name, setName] = useState(u?.name ?? '');
  const [f, set] = useState<PutUser>({ email: u?.email ?? '', role: u?.role ?? 'support', tenants: u?.tenants ?? [], reveal: u?.reveal, disabled: u?.disabled });
  const [reason, setReason] = useState('');
  const action = useAction();
  const at = (p: string) => action.fault?.at(p);
  const save = (): Promise<void> => action.run(async () => {
    await put(v1`users/${name}`, { ...f, tenants: f.role === 'developer' ? f.tenants : undefined, reason, version: u?.version });
    done();
  });
  return (
    <Dialog title={u ? u.name : t('users.new')} close={close} foot={<Button kind="main" type="submit" form="user" disabled={action.busy}>{t('save')}</Button>}>
      <Trouble fault={action.fault} />
      <form id="user" class="form" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        {!u && <Text label={t('name')} value={name} set={setName} required help={t('name.help')} error={at('path:name')} />}
        <Text label={t('email')} value={f.email} set={(email) => set({ ...f, email })} required help={t('user.email.help')} error={at('/email')} />
        <Select label={t('role')} value={f.role} set={(role) => set({ ...f, role: role as PutUser['role'] })} options={roles.map((r) => [r, word('role', r)] as const)} help={word('role.help', f.role)} error={at('/role')} />
        {f.role === 'developer' && (
          <fieldset class="wide"><legend>{t('tenant')}</legend>{at('/tenants') && <span class="error" translate={false}>{at('/tenants')}</span>}
            {(tenants.data?.items ?? []).map((x) => <Check key={x.name} label={<Raw>{x.name}</Raw>} value={!!f.tenants?.includes(x.name)} set={(on) => set({ ...f, tenants: on ? [...(f.tenants ?? []), x.name] : f.tenants?.filter((n) => n !== x.name) })} />)}
          </fieldset>
        )}
        {f.role !== 'admin' && <Check label={t('user.reveal')} value={!!f.reveal} set={(v) => set({ ...f, reveal: v || undefined })} help={t('user.reveal.help')} />}
        <Check label={t('disabled')} value={!!f.disabled} set={(v) => set({ ...f, disabled: v || undefined })} help={t('user.disabled.help')} />
        <Text wide label={t('reason')} value={reason} set={setReason} maxLength={200} help={t('reason.help')} />
      </form>
    </Dialog>
  );
}
