// Requests that were refused: "we called you and nothing came".
import type { Refused, RefusedList } from '../api.gen.ts';
import { get, query } from '../api.ts';
import { t, word } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A, params, setParams, to } from '../route.tsx';
import { may } from '../state.ts';
import { Button, Card, Code, Empty, Loading, Page, Raw, Table, Tag, Trouble, When } from '../ui.tsx';

export function RefusedTable({ list }: { list: Refused[] }) {
  return (
    <Table label={t('nav.refused')} head={[t('time'), t('state'), t('reason'), t('refused.fields'), t('tenant'), t('key'), t('refused.request')]}>
      {list.map((r) => (
        <tr key={r.request_id}>
          <td class="nowrap"><When at={r.at} /></td><td><Tag tone="bad">{r.status}</Tag></td><td>{word('problem', r.code)} <Code>{r.code}</Code></td>
          <td>{(r.errors ?? []).map((e) => <div key={e.pointer + e.code}><Code>{e.pointer || '—'}</Code> {word('problem', e.code)}</div>)}</td>
          <td>{r.tenant ? <A href={to('tenants', r.tenant)}><Raw>{r.tenant}</Raw></A> : '—'}</td><td><Code>{r.key ?? '—'}</Code></td>
          <td><Code>{r.method} {r.route}</Code> <div class="faint"><Code>{r.request_id}</Code></div></td>
        </tr>
      ))}
    </Table>
  );
}

export function RefusedPage() {
  const after = params.value.get('after') ?? '', request = params.value.get('request') ?? '';
  const { data, fault } = useLoad(() => get<RefusedList>('/v1/refused' + query({ after, request, limit: 100 })), [after, request]);
  return (
    <Page title={t('nav.refused')} note={t('refused.note')}>
      {request && <div class="chips"><span class="chip on"><Code>{request}</Code><Button kind="link" aria-label={t('remove')} onClick={() => setParams({ request: '' })}>✕</Button></span></div>}
      <Trouble fault={fault} />
      <Card class="flush" title={t('nav.refused')}>
        {!data && !fault && <Loading />}
        {data?.items.length === 0 && !data.next && <Empty>{t(request ? 'refused.none.request' : may('operate') ? 'refused.none' : 'refused.none.own')}</Empty>}
        {data && data.items.length > 0 && <RefusedTable list={data.items} />}
        {(data?.next || after) && <p class="more">{after && <Button class="small" onClick={() => setParams({ after: '' })}>{t('first_page')}</Button>} {data?.next && <Button class="small" onClick={() => setParams({ after: data.next ?? '' })}>{t('more')}</Button>}</p>}
      </Card>
    </Page>
  );
}
