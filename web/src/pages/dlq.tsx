// Dead letters: what waits for an operator, grouped by reason.
import { useState } from 'preact/hooks';
import type { DeadLetter, DeadLetterList } from '../api.gen.ts';
import { get, post, query, v1 } from '../api.ts';
import { t, word } from '../i18n.ts';
import { fault as faultOf, useLoad } from '../load.ts';
import { A, params, setParams, to } from '../route.tsx';
import { toast, may } from '../state.ts';
import type { Fault } from '../api.ts';
import { Button, Card, Empty, Loading, Page, Raw, Table, Tag, Trouble, When, confirm } from '../ui.tsx';
import { Needs } from '../frame.tsx';

export function Dlq() {
  const tenant = params.value.get('tenant') ?? '', day = params.value.get('day') ?? '';
  const [after, setAfter] = useState('');
  const [refused, setRefused] = useState<Fault>();
  const { data, fault, reload } = useLoad(() => get<DeadLetterList>('/v1/dlq' + query({ tenant, day, after, limit: 100 })), [tenant, day, after]);
  const retry = async (d: DeadLetter): Promise<void> => {
    const reason = await confirm({ title: t('retry'), text: t('retry.text'), confirm: t('retry') });
    if (reason === undefined) return;
    try {
      await post(v1`dlq/${d.id}/retry`, { reason });
      setRefused(undefined);
      toast(t('retried'));
      reload();
    } catch (e) {
      setRefused(faultOf(e));
    }
  };
  if (!may('operate')) return <Page title={t('nav.dlq')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  const items = data?.items ?? [];
  const groups = Object.entries(Object.groupBy(items, (d) => [word('reason', d.reason || d.code || '—'), d.account, d.tenant].filter(Boolean).join(' · ')));
  return (
    <Page title={t('nav.dlq')} note={t('dlq.note')} actions={<Button onClick={reload}>{t('reload')}</Button>}>
      <div class="chips">
        <span class={`chip ${tenant ? 'on' : ''}`}><label for="dlq-tenant">{t('tenant')}</label><input id="dlq-tenant" value={tenant} placeholder={t('all')} onChange={(e) => { setAfter(''); setParams({ tenant: e.currentTarget.value.trim() }); }} /></span>
        <span class={`chip ${day ? 'on' : ''}`}><label for="dlq-day">{t('day')}</label><input id="dlq-day" type="date" value={day} onChange={(e) => { setAfter(''); setParams({ day: e.currentTarget.value }); }} /></span>
        {groups.length > 1 && groups.map(([g, list]) => <Tag key={g}><Raw>{g}</Raw> {list?.length}</Tag>)}
      </div>
      <Trouble fault={fault ?? refused} />
      <Card class="flush">
        {!data && !fault && <Loading />}
        {data && items.length === 0 && !data.next && <Empty><Tag tone="good">{t('dlq.none')}</Tag></Empty>}
        {items.length > 0 && (
          <Table label={t('nav.dlq')} head={[t('died'), t('tenant'), t('owner'), t('channel'), t('template'), t('account'), t('reason'), t('attempts.n'), t('expires_at'), '']}>
            {items.map((d) => (
              <tr key={d.id}>
                <td class="nowrap"><A href={to('messages', d.id)}><When at={d.died_at ?? d.created_at} /></A></td>
                <td><Raw>{d.tenant}</Raw></td><td><Raw>{d.owner}</Raw></td><td class="nowrap">{word('channel', d.channel)} <span class="faint">{word('class', d.class)}</span></td>
                <td><Raw>{d.template ?? ''}</Raw>{!d.template && t('free_content')}</td><td><Raw>{d.account || '—'}</Raw></td>
                <td title={d.text}><Tag tone="bad">{word('reason', d.reason || d.code || '—')}</Tag></td><td>{d.attempts}</td>
                <td class="nowrap">{Date.parse(d.expires_at) < Date.now() ? <Tag>{word('status', 'expired')}</Tag> : <When at={d.expires_at} ago />}</td>
                <td class="end"><Button onClick={() => void retry(d)}>{t('retry')}</Button></td>
              </tr>
            ))}
          </Table>
        )}
        {(data?.next || after) && <p class="more">{after && <Button class="small" onClick={() => setAfter('')}>{t('first_page')}</Button>} {data?.next && <Button class="small" onClick={() => setAfter(data.next ?? '')}>{t('more')}</Button>}</p>}
      </Card>
    </Page>
  );
}
