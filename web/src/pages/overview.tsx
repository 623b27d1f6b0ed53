// What is wrong today, and where to go. Only what the API can answer: counts come from searches.
import { Ahead } from '../ahead.tsx';
import type { AccountList, KeyList, SearchAnswer } from '../api.gen.ts';
import { get, post, query } from '../api.ts';
import { Attention, Limits } from '../attention.tsx';
import { today } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A } from '../route.tsx';
import { may } from '../state.ts';
import { Card, Empty, Loading, Page, Trouble, tone } from '../ui.tsx';
import { MessageTable } from '../verdict.tsx';
import { Traffic } from './traffic.tsx';

/** Those with an index of their own, so that counting them reads nothing else. */
const troubles = ['failed', 'undelivered', 'bounced', 'complained', 'in_doubt', 'dead'] as const;
const most = 200;

async function counts(): Promise<[string, number, boolean][]> {
  const from = today();
  return Promise.all(troubles.map(async (status): Promise<[string, number, boolean]> => {
    const page = await post<SearchAnswer>('/v1/messages/search', { status, from, limit: most });
    return [status, page.messages.length, !!page.next];
  }));
}

export function Overview() {
  const figures = useLoad(counts, [], 15000);
  const latest = useLoad(() => post<SearchAnswer>('/v1/messages/search', { limit: 10 }), [], 5000);
  const accounts = useLoad(() => (may('operate') ? get<AccountList>('/v1/accounts') : Promise.resolve(undefined)), [], 30000);
  const keys = useLoad(() => (may('operate') ? get<KeyList>('/v1/keys') : Promise.resolve(undefined)), []);

  const steps: [string, boolean, string][] = [
    [t('step.send'), (latest.data?.messages.length ?? 0) > 0, '/send'],
    [t('step.provider'), !!accounts.data?.items.some((a) => a.provider !== 'devinbox' && a.provider !== 'webhook'), '/providers/new'],
    [t('step.key'), (keys.data?.items.length ?? 0) > 1, '/tenants'],
  ];
  const isNew = may('admin') && accounts.data && keys.data && latest.data && steps.some(([, done]) => !done);
  return (
    <Page title={t('nav.overview')} note={t('overview.note')}>
      <Trouble fault={figures.fault ?? latest.fault} />
      <div class="figures">
        {troubles.map((status) => {
          const found = figures.data?.find(([s]) => s === status);
          return <A key={status} class={`figure ${found?.[1] ? tone(status) : ''}`} href={'/messages' + query({ status, since: 'today' })}>{word('status', status)}<b>{found ? found[1] + (found[2] ? '+' : '') : '…'}</b></A>;
        })}
      </div>
      <Traffic />
      <div class="cols">
        <Card class="flush" title={t('overview.latest')} extra={<A href="/messages">{t('view.all')}</A>}>
          {!latest.data && !latest.fault && <Loading />}
          {latest.data?.messages.length === 0 && <Empty>{t('overview.none')}</Empty>}
          {latest.data && latest.data.messages.length > 0 && <MessageTable brief label={t('overview.latest')} list={latest.data.messages} />}
        </Card>
        <div>
          <Attention counted={figures.data} accounts={accounts.data} />
          <Ahead />
          <Limits accounts={accounts.data} />
          {isNew && <Card title={t('steps')}><ol class="todo steps">{steps.map(([text, done, href]) => <li key={href}><span class={`tick ${done ? 'done' : ''}`} aria-hidden="true">✓</span><span>{text}</span>{done ? <span class="faint">{t('done')}</span> : <A class="button small" href={href}>{t('begin')}</A>}</li>)}</ol></Card>}
        </div>
      </div>
    </Page>
  );
}
