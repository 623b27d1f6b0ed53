// One message: the verdict, what happened, who sent it, what its recipient read.
import type { Event, Message as Msg, Revealed, Sent, Tenant } from '../api.gen.ts';
import { get, post, v1 } from '../api.ts';
import { AsSeen } from '../content.tsx';
import { Needs } from '../frame.tsx';
import { clock, millis, utc } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useState } from 'preact/hooks';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Code, Copy, Dialog, Empty, Loading, Page, Raw, Row, Status, Table, Tag, Trouble, When, confirm, tone } from '../ui.tsx';
import { From, MessageVerdict, forDeveloper } from '../verdict.tsx';
import { search } from '../frame.tsx';

/** Statuses in which a message does not stay. */
export const moving = new Set(['scheduled', 'queued', 'sending', 'sent', 'in_doubt']);
const retryable = new Set(['dead', 'failed', 'in_doubt']);
const outcomeTones: Record<string, string> = { sent: 'good', permanent: 'bad', account: 'bad', unknown: 'warn', throttled: 'warn', retry: 'warn', defer: 'warn', refresh: 'warn' };

export function Message({ id }: { id: string }) {
  const { data: m, fault, reload } = useLoad(() => get<Msg>(v1`messages/${id}`), [id], 5000);
  const owner = useLoad(() => (m ? get<Tenant>(v1`tenants/${m.tenant}`) : Promise.resolve(undefined)), [m?.tenant]);
  if (!m) return <Page title={t('message')}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  return (
    <Page title={t('message')} note={<Code>{m.id}</Code>} actions={<><Copy text={() => forDeveloper(m)} label={t('copy_developer')} /><Copy text={m.id} label={t('copy_id')} /></>}>
      <Trouble fault={fault} />
      <MessageVerdict m={m} actions={<Actions m={m} reload={reload} />} />
      <div class="cols">
        <div>
          <Card title={t('timeline')} extra={moving.has(m.status) && <span class="faint">{t('live')}</span>}><Timeline m={m} /></Card>
          <Attempts m={m} />
        </div>
        <div>
          <Card title={t('content')} extra={m.template?.locale && <Tag>{m.template.locale}</Tag>}>
            {m.content ? <AsSeen channel={m.channel} content={m.content} /> : <Empty>{t(m.content_hidden === 'erased' ? 'hidden.erased' : m.content_hidden === 'template_gone' ? 'hidden.template_gone' : 'hidden.not_rendered')}</Empty>}
          </Card>
          <Card title={t('who_sent')}><Sender m={m} owner={owner.data} /></Card>
        </div>
      </div>
    </Page>
  );
}

function Actions({ m, reload }: { m: Msg; reload: () => void }) {
  const action = useAction();
  const [key] = useState(() => crypto.randomUUID()); // of the resend: pressed again when its answer was lost, it is the same
  if (!may('send')) return <>{may('reveal') && m.to && <Reveal m={m} />}<Needs scope="send" /></>;
  const cancel = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('cancel_message'), text: t('cancel_message.text'), confirm: t('cancel_message'), danger: true });
    if (reason === undefined) return;
    await post(v1`messages/${m.id}/cancel`, { reason });
    toast(t('cancelled'));
    reload();
  });
  const resend = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('resend'), text: t('resend.text'), confirm: t('resend') });
    if (reason === undefined) return;
    const sent = await post<Sent>(v1`messages/${m.id}/resend`, { reason }, { 'Idempotency-Key': key });
    toast(t('resent'));
    if (sent.id) go(to('messages', sent.id));
  });
  const retry = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('retry'), text: t(m.status === 'in_doubt' ? 'retry.doubt' : 'retry.text'), confirm: t('retry') });
    if (reason === undefined) return;
    await post(v1`dlq/${m.id}/retry`, { reason });
    toast(t('retried'));
    reload();
  });
  return (
    <>
      {may('reveal') && m.to && <Reveal m={m} />}
      {!moving.has(m.status) && <Button disabled={action.busy} onClick={() => void resend()}>{t('resend')}</Button>}
      {retryable.has(m.status) && may('operate') && !(Date.parse(m.expires_at ?? '') <= Date.now()) && <Button disabled={action.busy} onClick={() => void retry()}>{t('retry')}</Button>}
      {(m.status === 'scheduled' || m.status === 'queued') && <Button kind="danger" disabled={action.busy} onClick={() => void cancel()}>{t('cancel_message')}</Button>}
      {action.fault && <Trouble fault={action.fault} />}
    </>
  );
}

/** The recipient in full: who asked and why is kept. It stays in memory, and goes when its box is closed. */
function Reveal({ m }: { m: Msg }) {
  const [shown, show] = useState('');
  const action = useAction();
  const ask = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('reveal'), text: t('reveal.text'), confirm: t('reveal'), why: true });
    if (reason === undefined) return;
    show((await post<Revealed>(v1`messages/${m.id}/reveal`, { reason })).to);
  });
  return (
    <>
      <Button disabled={action.busy} onClick={() => void ask()}>{t('reveal')}</Button>
      {action.fault && <Trouble fault={action.fault} />}
      {shown && <Dialog title={t('recipient')} close={() => show('')} foot={<Copy text={shown} kind="main" />}><p class="revealed" data-revealed><Raw class="mono">{shown}</Raw></p><p class="faint">{t('reveal.kept')}</p></Dialog>}
    </>
  );
}

function Timeline({ m }: { m: Msg }) {
  return (
    <ol class="timeline">
      {(m.timeline ?? []).map((e, i, all) => (
        <li key={i} class={eventTone(e)}>
          <div class="line">{e.at && <time dateTime={e.at} title={utc(e.at)}>{clock(e.at, all.slice(0, i).findLast((x) => x.at)?.at)}</time>}<strong>{word('event', e.event)}</strong><Told e={e} /></div>
          {e.attempt?.text && <div class="faint" translate={false}>{e.attempt.text}</div>}
        </li>
      ))}
      {m.next_try_at && <li><div class="line"><strong>{t('next_try')}</strong> <When at={m.next_try_at} ago /></div></li>}
    </ol>
  );
}

function eventTone(e: Event): string {
  if (e.event === 'ended') return tone(e.status ?? '');
  if (e.event === 'receipt') return e.receipt?.state === 'delivered' ? 'good' : 'bad';
  if (e.event === 'attempt') return outcomeTones[e.attempt?.outcome ?? ''] ?? 'warn';
  return e.event === 'accepted' ? 'info' : '';
}

function Told({ e }: { e: Event }) {
  const a = e.attempt, r = e.receipt;
  return (
    <>
      {a && <Raw>{a.account}</Raw>}
      {e.event === 'attempt' && <span>{a?.outcome ? word('outcome', a.outcome) : t('no_answer_yet')}</span>}
      {e.event === 'attempt' && a && (a.http_status || a.code) && <Raw class="mono faint">{[a.http_status, a.code].filter(Boolean).join(' ')}</Raw>}
      {e.event === 'attempt' && !!a?.ms && <span class="faint">{millis(a.ms)}</span>}
      {r && <><span>{word('receipt', r.state)}</span>{r.code && <Raw class="mono faint">{r.code}</Raw>}</>}
      {e.status && <Status of={e.status} />}
      {e.by && <Raw class="faint">{e.by}</Raw>}
      {e.why && e.why !== e.status && <Raw class="faint">{word('reason', e.why)}</Raw>}
      {e.until && <span class="faint">→ <When at={e.until} /></span>}
      {e.ip && <Raw class="faint">{e.ip}</Raw>}
      {!!e.repeats && <span class="faint">{t('repeats', { n: e.repeats })}</span>}
    </>
  );
}

function Attempts({ m }: { m: Msg }) {
  const calls = (m.timeline ?? []).filter((e) => e.event === 'attempt' && e.attempt);
  return (
    <Card class="flush" title={t('attempts', { n: m.calls })}>
      {calls.length === 0 ? <Empty>{t('attempts.none')}</Empty> : (
        <Table label={t('attempts', { n: m.calls })} head={['#', t('account'), t('outcome'), t('http'), t('code'), t('duration'), t('provider_id')]}>
          {calls.map(({ attempt: a }, i) => a && (
            <tr key={i}>
              <td>{a.epoch}</td><td class="nowrap"><Raw>{a.account}</Raw> <span class="faint" translate={false}>{[a.provider, a.bound_template].filter(Boolean).join(' ')}</span></td>
              <td><Tag tone={outcomeTones[a.outcome ?? ''] ?? 'warn'}>{a.outcome ? word('outcome', a.outcome) : t('no_answer_yet')}</Tag></td>
              <td>{a.http_status || '—'}</td><td><Raw>{a.code || '—'}</Raw></td><td class="nowrap">{a.outcome ? millis(a.ms ?? 0) : '—'}</td><td>{a.provider_id ? <Code>{a.provider_id}</Code> : '—'}</td>
            </tr>
          ))}
        </Table>
      )}
    </Card>
  );
}

function Sender({ m, owner }: { m: Msg; owner?: Tenant }) {
  const requested = m.timeline?.find((e) => e.event === 'requested');
  return (
    <dl class="rows">
      <Row label={t('tenant')}><A href={to('tenants', m.tenant)}><Raw>{m.tenant}</Raw></A></Row>
      <Row label={t('owner')}><Raw>{m.owner || owner?.owner.name || '—'}</Raw></Row>
      {owner?.owner.phone && <Row label={t('phone')}><a href={`tel:${owner.owner.phone}`}>{owner.owner.phone}</a></Row>}
      {owner?.owner.group && <Row label={t('group_name')}><Raw>{owner.owner.group}</Raw></Row>}
      <Row label={t('key')}>{m.key ? <Code>{m.key}</Code> : '—'}</Row>
      <Row label={t('template')}><From m={m} /></Row>
      <Row label={t('class')}>{word('class', m.class)}</Row>
      <Row label={t('channel')}>{word('channel', m.channel)}{m.region && <span class="faint"> {m.region}</span>}</Row>
      {m.segments ? <Row label={t('segments.label')}>{m.segments}</Row> : null}
      {m.reference && <Row label={t('reference')}><Code>{m.reference}</Code></Row>}
      {requested?.request_id && <Row label={t('request_id')}><Code>{requested.request_id}</Code></Row>}
      {m.resend_of && <Row label={t('resend_of')}><A href={to('messages', m.resend_of)}><Code>{m.resend_of.slice(0, 16)}…</Code></A></Row>}
      {m.trial && <Row label={t('trial')}><Code>{m.trial}</Code></Row>}
      {m.group && <Row label={t('group.label')}><Button kind="link" class="small" onClick={() => void search(m.group ?? '')}><Code>{m.group}</Code></Button></Row>}
      {m.send_at && <Row label={t('send_at')}><When at={m.send_at} /></Row>}
      <Row label={t('expires_at')}><When at={m.expires_at} /></Row>
    </dl>
  );
}
