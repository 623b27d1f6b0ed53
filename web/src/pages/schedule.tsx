// A schedule: when it is due next, what it sends to whom, its runs, and who changed it.
import type { Run, RunList, Schedule, ScheduleList } from '../api.gen.ts';
import { del, get, post, query, v1 } from '../api.ts';
import { Times } from '../due.tsx';
import { here, number } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { toast } from '../state.ts';
import { Button, Card, Code, Empty, Loading, Page, Raw, Row, Table, Trouble, When, confirm } from '../ui.tsx';
import { Recipients, ScheduleState, steers, whenText } from '../timed.tsx';
import { RunTable } from './campaigns.tsx';

export function SchedulePage({ tenant, name }: { tenant: string; name: string }) {
  const schedule = useLoad(() => get<Schedule>(v1`schedules/${tenant}/${name}`), [tenant, name], 30_000);
  const runs = useLoad(() => get<RunList>(v1`schedules/${tenant}/${name}/runs` + query({ limit: 20 })), [tenant, name], 5000);
  const s = schedule.data;
  if (!s) return <Page title={<Raw>{name}</Raw>}>{schedule.fault?.status === 404 && runs.data ? <><div class="alert warn">{t('schedule.gone')}</div><Runs data={runs.data} /><History tenant={tenant} name={name} version={0} /></> : schedule.fault ? <Trouble fault={schedule.fault} /> : <Loading />}</Page>;
  return (
    <Page title={<><Raw>{s.title || s.name}</Raw> <ScheduleState of={s} /></>} note={<><Raw>{s.tenant}/{s.name}</Raw> · {s.external ? t('schedule.external.help') : whenText(s)}</>}
      actions={!s.external && steers() && <Actions s={s} reload={() => { schedule.reload(); runs.reload(); }} />}>
      <Trouble fault={schedule.fault ?? runs.fault} />
      <div class="cols">
        <Runs data={runs.data} />
        <div>
          <Card class={s.next.length > 0 ? 'flush' : ''} title={t('next.title')}>
            {s.next.length > 0 ? <Times list={s.next} zone={s.zone ?? here} /> : <Empty>{s.external ? t('external.note') : s.paused ? t('schedule.pause.text') : t('next.none')}</Empty>}
          </Card>
          <Card title={t('send.what')}><dl class="rows">
            <Row label={t('template')}><A href={to('templates', ...(s.template.includes('/') ? s.template.split('/') : [s.tenant, s.template]))}><Raw>{s.template}</Raw></A> <span class="faint">{s.template_version ? `v${s.template_version}` : t('uses.published')}</span></Row>
            {s.class && <Row label={t('class')}>{word('class', s.class)}</Row>}
            <Row label={t('channel')}>{s.channel ? word('channel', s.channel) : t('new.channel.each')}</Row>
            <Row label={t('audience')}><Recipients of={s.audience} tenant={s.tenant} /></Row>
            {Object.entries(s.vars ?? {}).map(([k, v]) => <Row key={k} label={<Raw>{k}</Raw>}><Raw>{Array.isArray(v) ? JSON.stringify(v) : String(v)}</Raw></Row>)}
            {s.owner && <Row label={t('owner')}><Raw>{s.owner}</Raw></Row>}
            <Row label={t('late.label')}>{number(s.late_minutes ?? 60)}</Row>
          </dl></Card>
        </div>
      </div>
      <History tenant={tenant} name={name} version={s.version} />
    </Page>
  );
}

function Actions({ s, reload }: { s: Schedule; reload: () => void }) {
  const action = useAction();
  const path = v1`schedules/${s.tenant}/${s.name}`;
  const turn = (verb: 'pause' | 'resume'): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t(`run.${verb}`), text: t(`schedule.${verb}.text`), confirm: t(`run.${verb}`) });
    if (reason === undefined) return;
    await post(`${path}/${verb}`, { reason });
    reload();
  });
  const run = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('schedule.run'), text: t('schedule.run.text'), confirm: t('schedule.run') });
    if (reason === undefined) return;
    const made = await post<Run>(`${path}/run`, { reason });
    toast(t('schedule.ran'));
    go(to('campaigns', made.id));
  });
  const cancel = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('schedule.cancel.title', { name: s.title || s.name }), text: t('schedule.cancel.text'), confirm: t('schedule.cancel'), danger: true });
    if (reason === undefined) return;
    await del(path + query({ version: s.version, reason }));
    toast(t('schedule.cancelled'));
    go('/campaigns');
  });
  return (
    <div>
      <div class="actions">
        <Button kind="danger" disabled={action.busy} onClick={() => void cancel()}>{t('schedule.cancel')}</Button>
        <Button disabled={action.busy} onClick={() => void turn(s.paused ? 'resume' : 'pause')}>{t(s.paused ? 'run.resume' : 'run.pause')}</Button>
        <A class="button" href={to('schedules', s.tenant, s.name, 'edit')}>{t('schedule.edit')}</A>
        <Button kind="main" disabled={action.busy} onClick={() => void run()}>{t('schedule.run')}</Button>
      </div>
      <Trouble fault={action.fault} />
    </div>
  );
}

const Runs = ({ data }: { data?: RunList }) => (
  <Card class="flush" title={t('runs')}>
    {!data ? <Loading /> : data.items.length === 0 ? <Empty>{t('runs.none')}</Empty> : <RunTable due list={data.items} />}
  </Card>
);

function History({ tenant, name, version }: { tenant: string; name: string; version: number }) {
  const { data } = useLoad(() => get<ScheduleList>(v1`schedules/${tenant}/${name}/history`), [tenant, name, version]);
  if (!data || data.items.length === 0) return null;
  return (
    <Card class="flush" title={t('history')}>
      <Table label={t('history')} head={[t('version'), t('changed'), t('author'), t('when'), t('state'), t('reason')]}>
        {data.items.map((s) => <tr key={s.version}><td>v{s.version}</td><td class="nowrap"><When at={s.changed_at} /></td><td><Raw>{s.author}</Raw></td><td>{s.external ? <Code>external</Code> : whenText(s)}</td><td>{s.deleted ? t('schedule.cancelled') : s.paused ? t('schedule.paused') : t('schedule.on')}</td><td><Raw>{s.reason}</Raw></td></tr>)}
      </Table>
    </Card>
  );
}
