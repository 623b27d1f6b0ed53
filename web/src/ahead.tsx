// What is scheduled for the next 24 hours, in short.
import type { ScheduleList } from './api.gen.ts';
import { get, query } from './api.ts';
import { number } from './format.ts';
import { t } from './i18n.ts';
import { useLoad } from './load.ts';
import { A, to } from './route.tsx';
import { Card, Raw, When } from './ui.tsx';

const shown = 6;

/** Nothing where nothing is due. */
export function Ahead() {
  const { data } = useLoad(() => get<ScheduleList>('/v1/schedules' + query({ next: 5 })).catch((): undefined => undefined), [], 60_000);
  const end = Date.now() + 86_400_000;
  const due = (data?.items ?? []).flatMap((s) => s.next.filter((x) => Date.parse(x) < end).slice(0, 2).map((at) => ({ s, at }))).sort((a, b) => a.at.localeCompare(b.at));
  if (due.length === 0) return null;
  return (
    <Card title={t('ahead.title')} extra={<A href="/campaigns">{t('nav.campaigns')}</A>}>
      <ul class="todo">
        {due.slice(0, shown).map(({ s, at }) => (
          <li key={s.tenant + s.name + at}>
            <span><A href={to('schedules', s.tenant, s.name)}><Raw>{s.title || s.name}</Raw></A>{s.audience.count ? <span class="faint"> {t('week.people', { n: number(s.audience.count) })}</span> : null}</span>
            <span class="faint nowrap"><When at={at} ago /></span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
