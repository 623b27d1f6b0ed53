// The throttle ledger: in which seconds accounts were at their limits, who held the quota, who had to wait.
import type { AccountList, Holder, Ledger } from '../api.gen.ts';
import { get, query } from '../api.ts';
import { Chip, Clear, filterOf } from '../filters.tsx';
import { Needs } from '../frame.tsx';
import { number } from '../format.ts';
import { t } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A, params, to } from '../route.tsx';
import { may } from '../state.ts';
import { Card, Empty, Loading, Meter, Page, Raw, Table, Tag, Trouble, When } from '../ui.tsx';

export function Throttles() {
  const account = filterOf('account'), hours = Number(filterOf('hours')) || 1;
  const on = may('operate');
  const accounts = useLoad(() => (on ? get<AccountList>('/v1/accounts') : Promise.resolve(undefined)), []);
  const { data, fault } = useLoad(() => (on ? get<Ledger>('/v1/stats/throttles' + query({ account, from: new Date(Date.now() - hours * 3600_000).toISOString(), limit: 200 })) : Promise.resolve(undefined)), [params.value.toString()], 10000);
  if (!on) return <Page title={t('throttles')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  return (
    <Page title={t('throttles')} note={t('throttles.note')}>
      <div class="chips">
        <Chip name="hours" label={t('period')} options={[['', t('hours.1')], ['3', t('throttles.hours', { n: 3 })], ['6', t('throttles.hours', { n: 6 })]]} />
        <Chip name="account" label={t('account')} options={(accounts.data?.items ?? []).map((a) => [a.name, a.name])} />
        <Clear names={['hours', 'account']} />
      </div>
      <Trouble fault={fault} />
      {!data && !fault && <Card><Loading /></Card>}
      {data && data.seconds === 0 && <Card><Empty><Tag tone="good"><i class="dot" />{t('throttles.none')}</Tag><p>{t('throttles.none.text')}</p></Empty></Card>}
      {data && data.seconds > 0 && <Found l={data} />}
    </Page>
  );
}

function Found({ l }: { l: Ledger }) {
  return (
    <>
      <div class="figures">
        <div class="figure">{t('throttles.seconds')}<b>{number(l.seconds)}</b></div>
        <div class="figure warn">{t('throttles.put_off')}<b>{number(l.put_off)}</b></div>
        <div class={`figure ${l.refused_by_provider ? 'bad' : ''}`}>{t('throttles.refused')}<b>{number(l.refused_by_provider)}</b></div>
      </div>
      <div class="thirds">
        <Share title={t('throttles.tenants')} list={l.tenants} href={(n) => to('tenants', n)} />
        <Share title={t('throttles.templates')} list={l.templates} href={(n) => (n.includes('/') ? '/templates/' + n : '')} />
        <Share title={t('throttles.waiting')} list={l.waiting} href={(n) => to('tenants', n)} />
      </div>
      <Card class="flush" title={t('throttles.by_second')}>
        <Table label={t('throttles.by_second')} head={[t('time'), t('account'), t('account.calls'), t('throttles.put_off'), t('throttles.refused'), t('throttles.tenants'), t('throttles.templates'), t('throttles.waiting')]}>
          {l.items.map((s) => (
            <tr key={s.at + s.account}>
              <td class="nowrap"><When at={s.at} /></td><td class="nowrap"><A href={to('providers', s.account)}><Raw>{s.account}</Raw></A></td><td>{number(s.calls)}</td><td>{number(s.put_off)}</td><td>{s.refused_by_provider ? number(s.refused_by_provider) : '—'}</td>
              <td><Names list={s.tenants} /></td><td><Names list={s.templates} /></td><td><Names list={s.waiting} /></td>
            </tr>
          ))}
        </Table>
      </Card>
    </>
  );
}

const name = (h: Holder): string => (h.name === 'free' ? t('free_content') : h.name);

const Names = ({ list }: { list: Holder[] }) => <>{list.length === 0 ? '—' : list.map((h) => <div key={h.name} class="nowrap"><Raw>{name(h)}</Raw> <span class="faint">{number(h.n)}</span></div>)}</>;

function Share({ title, list, href }: { title: string; list: Holder[]; href: (name: string) => string }) {
  const sum = Math.max(1, list.reduce((n, h) => n + h.n, 0));
  return (
    <Card title={title}>
      {list.length === 0 && <span class="faint">—</span>}
      <div class="stack">{list.slice(0, 6).map((h) => (
        <div key={h.name} class="gauge">
          <div class="line"><span>{href(h.name) ? <A href={href(h.name)}><Raw>{name(h)}</Raw></A> : <Raw>{name(h)}</Raw>}</span><span class="faint">{number(h.n)} · {Math.round((h.n / sum) * 100)} %</span></div>
          <Meter value={h.n} max={sum} label={name(h)} />
        </div>
      ))}</div>
    </Card>
  );
}
