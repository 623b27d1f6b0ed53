// Who did what, when and why, with what it changed.
import { useState } from 'preact/hooks';
import type { AuditChange, AuditEntry, AuditList } from '../api.gen.ts';
import { get, query } from '../api.ts';
import { Chip, Clear, Since, filterOf, since } from '../filters.tsx';
import { Needs } from '../frame.tsx';
import { t, word } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A, params, to } from '../route.tsx';
import { may } from '../state.ts';
import { Button, Card, Empty, Loading, Page, Raw, Table, Tag, Trouble, When } from '../ui.tsx';

const deeds: Record<AuditEntry['what'], string> = { made: 'good', changed: 'info', deleted: 'bad', revealed: 'warn', suppressed: 'calm', unsuppressed: 'calm', cancelled: 'warn', resent: 'info', retried: 'info', redriven: 'info', ordered: 'info', sent: 'good', paused: 'warn', resumed: 'good', stopped: 'warn', tried: 'info', tested: 'info', uploaded: 'info' };
const kinds = ['tenant', 'key', 'template', 'template-version', 'binding', 'account', 'route', 'schedule', 'endpoint', 'recipe', 'user', 'settings', 'erasure', 'message', 'address', 'redrive', 'run', 'audience'] as const;
const names = ['by', 'what', 'kind', 'name'] as const;

/** A page of the API may be short: it is read on until there is something to see. */
async function read(after: string): Promise<AuditList> {
  for (;;) {
    const page = await get<AuditList>('/v1/audit' + query({ ...Object.fromEntries(names.map((n) => [n, filterOf(n)])), from: since(), limit: 50, after }));
    if (page.items.length > 0 || !page.next) return page;
    after = page.next;
  }
}

export function Audit() {
  if (!may('operate')) return <Page title={t('nav.audit')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  return (
    <Page title={t('nav.audit')} note={t('audit.note')}>
      <div class="chips">
        <Since of={['1', 'today', '24', '720']} none="hours.7d" />
        <Chip name="by" label={t('audit.by')} />
        <Chip name="what" label={t('audit.what')} options={Object.keys(deeds).map((d) => [d, word('deed', d)])} />
        <Chip name="kind" label={t('audit.kind')} options={kinds.map((k) => [k, word('kind', k)])} />
        <Chip name="name" label={t('name')} />
        <Clear names={['since', ...names]} />
      </div>
      <List key={params.value.toString()} />
    </Page>
  );
}

function List() {
  const [after, setAfter] = useState('');
  const { data, fault } = useLoad(() => read(after), [after]);
  return (
    <Card class="flush">
      <Trouble fault={fault} />
      {!data && !fault && <Loading />}
      {data?.items.length === 0 && <Empty>{t([...names, 'since'].some(filterOf) ? 'audit.none.filter' : 'audit.none')}</Empty>}
      {data && data.items.length > 0 && (
        <Table label={t('nav.audit')} head={[t('time'), t('audit.by'), t('audit.what'), t('audit.object'), t('audit.changes'), t('reason')]}>
          {data.items.map((e) => (
            <tr key={e.at + e.kind + e.name + e.what + e.version} class="upper">
              <td class="nowrap"><When at={e.at} /></td>
              <td class="nowrap"><A href={'/audit' + query({ by: e.by, since: '720' })}><Raw>{e.by}</Raw></A>{e.ip && <div class="faint" translate={false}>{e.ip}</div>}</td>
              <td class="nowrap"><Tag tone={deeds[e.what]}>{word('deed', e.what)}</Tag></td>
              <td>{e.kind !== 'settings' && <span class="faint">{word('kind', e.kind)} </span>}<Thing e={e} />{!!e.version && <span class="faint"> v{Number(e.name.split('@')[1]) || e.version}</span>}</td>
              <td><Changes e={e} /></td>
              <td><Raw>{e.reason || '—'}</Raw></td>
            </tr>
          ))}
        </Table>
      )}
      {(data?.next || after) && <p class="more">{after && <Button class="small" onClick={() => setAfter('')}>{t('first_page')}</Button>} {data?.next && <Button class="small" onClick={() => setAfter(data.next ?? '')}>{t('more')}</Button>}</p>}
    </Card>
  );
}

/** What it was done to, with the way there. */
function Thing({ e }: { e: AuditEntry }) {
  const name = e.name.startsWith('msg_') ? e.name.slice(0, 12) + '…' + e.name.slice(-6) : e.kind === 'settings' ? '' : e.version ? e.name.split('@')[0] : e.name;
  const [owner = '', rest = ''] = e.name.split('/');
  const pages: Record<string, string> = {
    tenant: to('tenants', e.name), key: e.tenant ? to('tenants', e.tenant) : '/tenants', template: to('templates', owner, rest), 'template-version': to('templates', owner, rest.split('@')[0] ?? ''), binding: to('templates', owner, rest.split('@')[0] ?? ''),
    account: to('providers', e.name), route: to('routes', e.name), user: '/users', message: e.name.startsWith('msg_') ? to('messages', e.name) : '', run: to('campaigns', e.name), redrive: to('dlq', e.name), address: '/suppressions', recipe: '/providers/recipes',
    settings: '/settings', endpoint: to('endpoints', owner, rest), schedule: to('schedules', owner, rest),
  };
  const href = pages[e.kind];
  const text = <Raw>{name}</Raw>;
  return e.what === 'deleted' || !href ? text : <A href={href}>{name ? text : t('nav.settings.page')}</A>;
}

const shown = 4;

function Changes({ e }: { e: AuditEntry }) {
  const list = e.changes ?? [];
  if (list.length === 0) return <>—</>;
  if (!e.version) return <Came list={list} />;
  if (e.what === 'changed' && list.length <= shown) return <Values list={list} />;
  return <details><summary>{t('audit.n', { n: list.length })}</summary><Values list={list} /></details>;
}

const Values = ({ list }: { list: AuditChange[] }) => (
  <ul class="values" translate={false}>
    {list.map((c) => <li key={c.path}><code>{c.path.slice(1)}</code> {c.before && <del>{c.before}</del>}{c.before && c.after && ' → '}{c.after && <ins>{c.after}</ins>}</li>)}
  </ul>
);

/** What came of something that is no document's version, in words. */
const Came = ({ list }: { list: AuditChange[] }) => <ul class="values">{list.map((c) => <li key={c.path}><Result c={c} /></li>)}</ul>;

const state = (s = ''): string => word(s === 'running' ? 'job' : 'run', s);

function Result({ c }: { c: AuditChange }) {
  const [before, after] = [c.before, c.after].map((v) => (v ? String(JSON.parse(v)) : ''));
  switch (c.path) {
    case '/status':
      return <>{word('status', before ?? '')} → {word('status', after ?? '')}</>;
    case '/state':
      return <>{state(before)} → {state(after)}</>;
    case '/resent_as':
      return <A href={to('messages', after ?? '')}>{t('came.resent_as')}</A>;
    case '/message':
      return <A href={to('messages', after ?? '')}>{t('came.message')}</A>;
    case '/refused':
      return <>{t('came.refused', { why: word('problem', after ?? '') })}</>;
    case '/cancelled':
    case '/too_late':
      return <>{t(c.path === '/cancelled' ? 'came.cancelled' : 'came.too_late', { n: after ?? '' })}</>;
    default:
      return <Values list={[c]} />;
  }
}
