// Campaigns and schedules: the week ahead, what is scheduled, what was ordered.
import type { Run, RunList, Schedule, ScheduleList, TenantList } from '../api.gen.ts';
import { get, query } from '../api.ts';
import { number } from '../format.ts';
import { t } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A, params, setParams, to } from '../route.tsx';
import { lang } from '../state.ts';
import { Button, Card, Empty, Loading, Page, Raw, Table, Trouble, When } from '../ui.tsx';
import { RunBar, RunName, RunState, Recipients, ScheduleState, far, percent, steers, whenText } from '../timed.tsx';

/** How many of the next times are asked for: a week of every hour. */
const ahead = 168;

export function Campaigns() {
  const tenant = params.value.get('tenant') ?? '', after = params.value.get('after') ?? '';
  const tenants = useLoad(() => get<TenantList>('/v1/tenants'), []);
  const schedules = useLoad(() => get<ScheduleList>('/v1/schedules' + query({ tenant, next: ahead })), [tenant], 30_000);
  const runs = useLoad(() => get<RunList>('/v1/campaigns' + query({ tenant, after, limit: 20 })), [tenant, after], after ? 0 : 10_000);
  const list = schedules.data?.items ?? [];
  return (
    <Page title={t('nav.campaigns')} note={t('campaigns.note')}
      actions={steers() && <><A class="button" href="/schedules/new">{t('schedules.new')}</A><A class="button main" href="/campaigns/new">{t('campaigns.new')}</A></>}>
      {(tenants.data?.items.length ?? 0) > 1 && (
        <div class="chips"><span class={`chip ${tenant ? 'on' : ''}`}>
          <label for="of-tenant">{t('tenant')}</label>
          <select id="of-tenant" value={tenant} onChange={(e) => setParams({ tenant: e.currentTarget.value, after: '' })}>
            <option value="">{t('all')}</option>{tenants.data?.items.map((x) => <option key={x.name} value={x.name}>{x.name}</option>)}
          </select>
        </span></div>
      )}
      <Trouble fault={schedules.fault ?? runs.fault} />
      <Card title={t('week.title')}>{schedules.data ? <Week list={list} /> : <Loading />}</Card>
      <Card class="flush" title={t('campaigns')}>
        {!runs.data && !runs.fault && <Loading />}
        {runs.data?.items.length === 0 && <Empty>{t('campaigns.none')}</Empty>}
        {runs.data && runs.data.items.length > 0 && <RunTable list={runs.data.items} />}
        {(runs.data?.next || after) && <p class="more">{after && <Button class="small" onClick={() => setParams({ after: '' })}>{t('first_page')}</Button>} {runs.data?.next && <Button class="small" onClick={() => setParams({ after: runs.data?.next ?? '' })}>{t('more')}</Button>}</p>}
      </Card>
      <Card class="flush" title={t('schedules')}>
        {!schedules.data && !schedules.fault && <Loading />}
        {schedules.data && list.length === 0 && <Empty>{t('schedules.none')}</Empty>}
        {list.length > 0 && (
          <Table label={t('schedules')} head={[t('name'), t('tenant'), t('when'), t('next'), t('template'), t('audience'), t('state')]}>
            {list.map((s) => (
              <tr key={s.tenant + s.name}>
                <td class="nowrap"><A href={to('schedules', s.tenant, s.name)}><Raw>{s.title || s.name}</Raw></A>{s.title && <div class="faint"><Raw>{s.name}</Raw></div>}</td>
                <td><Raw>{s.tenant}</Raw></td>
                <td>{s.external ? '—' : whenText(s)}</td>
                <td class="nowrap">{s.next[0] ? <When at={s.next[0]} ago /> : s.external ? '—' : s.paused ? t('schedule.paused') : t('next.none')}</td>
                <td class="nowrap"><Raw>{s.template}</Raw></td>
                <td><Recipients of={s.audience} tenant={s.tenant} /></td>
                <td class="nowrap"><ScheduleState of={s} /></td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
    </Page>
  );
}

export function RunTable({ list, due }: { list: Run[]; due?: boolean }) {
  return (
    <Table label={t(due ? 'runs' : 'campaigns')} head={[due ? t('runs.due') : t('made'), t('name'), ...(due ? [] : [t('tenant')]), t('state'), t('progress'), t('made.rows'), t('run.by')]}>
      {list.map((r) => {
        const { done, of } = far(r);
        return (
          <tr key={r.id}>
            <td class="nowrap"><When at={due ? r.due_at ?? r.created_at : r.created_at} /></td>
            <td><A href={to('campaigns', r.id)}><RunName r={r} /></A>{due ? r.late && <div class="faint" title={r.late}>{t('runs.late')}</div> : <div class="faint"><Raw>{r.template}</Raw> {r.template_version ? `v${r.template_version}` : ''}</div>}</td>
            {!due && <td><Raw>{r.tenant}</Raw></td>}
            <td class="nowrap"><RunState of={r.state} /></td>
            <td class="progress"><RunBar r={r} /><span class="faint">{percent(done, of)}</span></td>
            <td>{number(r.rows.total)}</td>
            <td><Raw>{r.author}</Raw></td>
          </tr>
        );
      })}
    </Table>
  );
}

/** So many entries of a day are shown. */
const perDay = 5;

interface Entry { s: Schedule; times: string[]; open: boolean }

/** Which schedules fall on a day of the reader's. Open: their times were cut before its end, so there are more. */
function onDay(list: Schedule[], from: Date, until: Date): Entry[] {
  const out: Entry[] = [];
  for (const s of list) {
    const times = s.next.filter((x) => Date.parse(x) >= from.getTime() && Date.parse(x) < until.getTime());
    const last = Date.parse(s.next[s.next.length - 1] ?? '');
    const open = s.next.length === ahead && last < until.getTime();
    if (times.length > 0 || open) out.push({ s, times, open });
  }
  return out.sort((a, b) => (a.times[0] ?? '').localeCompare(b.times[0] ?? ''));
}

function Week({ list }: { list: Schedule[] }) {
  const locale = lang.value === 'zh' ? 'zh-CN' : 'en-GB';
  const day = (n: number): Date => {
    const d = new Date();
    d.setHours(0, 0, 0, 0);
    d.setDate(d.getDate() + n);
    return d;
  };
  const clock = (iso: string): string => new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }).format(new Date(iso));
  const days = Array.from({ length: 7 }, (_, i) => ({ at: day(i), entries: onDay(list, day(i), day(i + 1)) }));
  if (days.every((d) => d.entries.length === 0)) return <Empty>{t('week.none')}</Empty>;
  return (
    <ol class="week">
      {days.map(({ at, entries }, i) => (
        <li key={i} class={i === 0 ? 'today' : ''}>
          <h3>{i === 0 ? t('week.today') : new Intl.DateTimeFormat(locale, { weekday: 'short' }).format(at)} <span class="faint">{new Intl.DateTimeFormat(locale, { month: 'numeric', day: 'numeric' }).format(at)}</span></h3>
          {entries.slice(0, perDay).map(({ s, times, open }) => (
            <A key={s.tenant + s.name} href={to('schedules', s.tenant, s.name)}>
              <b>{times.length > 1 || open ? t('week.times', { n: number(times.length) + (open ? '+' : '') }) : clock(times[0] ?? '')}</b>
              <Raw>{s.title || s.name}</Raw>
              {s.audience.count ? <span class="faint">{t('week.people', { n: number(s.audience.count) })}</span> : null}
            </A>
          ))}
          {entries.length > perDay && <span class="faint">{t('week.more', { n: entries.length - perDay })}</span>}
        </li>
      ))}
    </ol>
  );
}
