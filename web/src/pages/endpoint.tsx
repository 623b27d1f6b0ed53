// One endpoint: how it answers, what it was sent, and the ways to mend it.
import { useState } from 'preact/hooks';
import type { Callback, CallbackList, Endpoint as Ep, EndpointHealth, EndpointSecret, Resent } from '../api.gen.ts';
import { del, get, post, put, query, v1 } from '../api.ts';
import { Needs } from '../frame.tsx';
import { millis, number } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { toast } from '../state.ts';
import { Button, Card, Code, Empty, Loading, Page, Raw, Row, Status, Table, Trouble, When, confirm } from '../ui.tsx';
import { Edit, EndpointState, Secret, steers } from './endpoints.tsx';

export function EndpointPage({ tenant, name }: { tenant: string; name: string }) {
  const { data: e, fault, reload } = useLoad(() => get<Ep>(v1`endpoints/${tenant}/${name}`), [tenant, name]);
  const health = useLoad(() => get<EndpointHealth>(v1`endpoints/${tenant}/${name}/health`), [tenant, name], 5000);
  const [editing, edit] = useState(false);
  const [secret, setSecret] = useState<EndpointSecret>();
  const action = useAction();
  const title = <Raw>{tenant}/{name}</Raw>;
  if (!e) return <Page title={title}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  const test = (): Promise<void> => action.run(async () => {
    await post<Callback>(v1`endpoints/${tenant}/${name}/test`);
    toast(t('endpoint.tested'));
    health.reload();
  });
  const turn = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t(e.off ? 'account.on' : 'account.off', { name }), text: e.off ? undefined : t('endpoint.off.text'), confirm: t(e.off ? 'switch_on' : 'switch_off'), danger: !e.off });
    if (reason === undefined) return;
    await put(v1`endpoints/${tenant}/${name}`, { url: e.url, until: e.until, events: e.events, off: !e.off, version: e.version, reason });
    toast(t('saved'));
    reload();
  });
  const rotate = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('account.rotate'), text: t('endpoint.rotate.text'), confirm: t('account.rotate') });
    if (reason === undefined) return;
    setSecret(await post<EndpointSecret>(v1`endpoints/${tenant}/${name}/rotate`, { version: e.version, reason }));
    reload();
  });
  const remove = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('delete.title', { name }), text: t('endpoint.delete.text'), confirm: t('delete'), danger: true, typed: name });
    if (reason === undefined) return;
    await del(v1`endpoints/${tenant}/${name}` + query({ version: e.version, reason }));
    toast(t('deleted'));
    go('/endpoints');
  });
  const h = health.data;
  return (
    <Page title={title} note={<><EndpointState e={e} h={h} /> <Raw class="mono">{e.url}</Raw></>} actions={steers() ? <>
      <Button kind="main" disabled={action.busy || e.off} onClick={() => void test()}>{t('endpoint.test')}</Button>
      <Button onClick={() => edit(true)}>{t('edit')}</Button><Button disabled={action.busy} onClick={() => void rotate()}>{t('account.rotate')}</Button>
      <Button disabled={action.busy} onClick={() => void turn()}>{t(e.off ? 'switch_on' : 'switch_off')}</Button><Button kind="danger" disabled={action.busy} onClick={() => void remove()}>{t('delete')}</Button>
    </> : <Needs scope="operate" />}>
      <Trouble fault={action.fault} />
      <Card title={t('endpoint.health')}>
        <dl class="rows">
          <Row label={t('endpoint.good')}><When at={h?.last_success_at} /></Row>
          <Row label={t('endpoint.bad')}>{h?.last_failure_at ? <><When at={h.last_failure_at} /> <Raw class="mono">{[h.last_http_status && `HTTP ${h.last_http_status}`, h.last_code].filter(Boolean).join(' · ')}</Raw></> : '—'}</Row>
          {h?.failing_since && <Row label={t('account.since')}><When at={h.failing_since} /> · {t('endpoint.failures', { n: number(h.failures ?? 0) })}</Row>}
          <Row label={t('endpoint.events')}>{e.events?.length ? e.events.map((s) => word('status', s)).join(t('comma')) : t('endpoint.events.all')}</Row>
          {e.until && <Row label={t('until')}><When at={e.until} /></Row>}
          {e.both_until && <Row label={t('endpoint.both')}><When at={e.both_until} /></Row>}
          <Row label={t('changed')}><When at={e.changed_at} /> <Raw class="faint">{e.author}</Raw>{e.reason && <> · <Raw>{e.reason}</Raw></>}</Row>
        </dl>
      </Card>
      <Calls tenant={tenant} name={name} />
      {editing && <Edit e={e} tenants={[tenant]} close={() => edit(false)} done={() => { edit(false); toast(t('saved')); reload(); }} />}
      {secret && <Secret e={secret} close={() => setSecret(undefined)} />}
    </Page>
  );
}

function Calls({ tenant, name }: { tenant: string; name: string }) {
  const [after, setAfter] = useState('');
  const { data, fault, reload } = useLoad(() => get<CallbackList>(v1`endpoints/${tenant}/${name}/attempts` + query({ limit: 50, after })), [tenant, name, after], after ? 0 : 5000);
  const action = useAction();
  const again = (body: object): Promise<void> => action.run(async () => {
    const got = await post<Resent>(v1`endpoints/${tenant}/${name}/resend`, body);
    toast(t('endpoint.resent', { n: number(got.made ?? 0) }));
    reload();
  });
  const missed = (): Promise<void> => again({ from: new Date(Date.now() - 24 * 3600_000).toISOString() });
  return (
    <Card class="flush" title={t('endpoint.calls')} extra={steers() && <Button disabled={action.busy} onClick={() => void missed()}>{t('endpoint.resend.missed')}</Button>}>
      <Trouble fault={fault ?? action.fault} />
      {!data && !fault && <Loading />}
      {data?.items.length === 0 && <Empty>{t('endpoint.calls.none')}</Empty>}
      {data && data.items.length > 0 && (
        <Table label={t('endpoint.calls')} head={[t('time'), t('endpoint.event'), t('status'), t('attempts.n'), t('http'), t('duration'), t('next_try'), t('message'), '']}>
          {data.items.map((c) => {
            const last = c.attempts?.at(-1);
            const event = c.event as { type?: string; data?: { id?: string } } | undefined;
            return (
              <tr key={c.id}>
                <td class="nowrap"><When at={c.created_at} /></td><td class="nowrap"><Code>{event?.type ?? '—'}</Code></td><td><Status of={c.status} /></td><td>{c.calls}</td>
                <td class="nowrap"><Raw class="mono">{last?.http_status || last?.code || '—'}</Raw></td><td class="nowrap">{last?.ms ? millis(last.ms) : '—'}</td><td class="nowrap"><When at={c.next_try_at} ago /></td>
                <td class="nowrap">{event?.data?.id?.startsWith('msg_') ? <A href={to('messages', event.data.id)}><Code>{event.data.id.slice(0, 12)}…</Code></A> : '—'}</td>
                <td class="end">{steers() && <Button disabled={action.busy} onClick={() => void again({ id: c.id })}>{t('resend')}</Button>}</td>
              </tr>
            );
          })}
        </Table>
      )}
      {(data?.next || after) && <p class="more">{after && <Button class="small" onClick={() => setAfter('')}>{t('first_page')}</Button>} {data?.next && <Button class="small" onClick={() => setAfter(data.next ?? '')}>{t('more')}</Button>}</p>}
    </Card>
  );
}
