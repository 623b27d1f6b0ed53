// One redrive: how far it is, what came of it, and the way to stop it.
import type { DeadFilter, Redrive as Run } from '../api.gen.ts';
import { get, post, query, v1 } from '../api.ts';
import { moment, number } from '../format.ts';
import { t, word, type Key } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, params } from '../route.tsx';
import { Said } from '../said.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Code, Loading, Meter, Page, Raw, Row, Tag, Trouble, When, confirm } from '../ui.tsx';

const tones: Record<Run['state'], string> = { running: 'info', stopping: 'warn', stopped: 'warn', failed: 'bad', done: 'good' };
const says: Record<Run['state'], Key> = { running: 'redrive.running', stopping: 'redrive.stopping', stopped: 'redrive.stopped', failed: 'redrive.failed', done: 'redrive.finished' };
export const State = ({ r }: { r: Run }) => <Tag tone={tones[r.state]}><i class="dot" />{word('job', r.state)}</Tag>;

/** What a filter means, in words. */
export function filterWords(f: DeadFilter): string {
  const say = [
    f.tenant && `${t('tenant')} ${f.tenant}`, f.account && `${t('account')} ${f.account}`, f.channel && word('channel', f.channel), f.template && `${t('template')} ${f.template}`,
    f.reason && word('reason', f.reason), f.from && `${t('since')} ${moment(f.from)}`, f.to && `${t('until')} ${moment(f.to)}`,
  ].filter(Boolean);
  return say.join(t('comma')) || t('redrive.all');
}

export function Progress({ r, of = 0 }: { r: Run; of?: number }) {
  if (!of) return <>{number(r.redriven)}</>;
  return <span class="line"><Meter value={r.redriven} max={Math.max(of, r.redriven)} label={t('redrive.done')} tone="good" />{t('redrive.of', { n: number(r.redriven), of: number(Math.max(of, r.redriven)) })}</span>;
}

const going = (r?: Run): boolean => !r || r.state === 'running' || r.state === 'stopping';

export function Redrive({ id }: { id: string }) {
  const { data: r, fault, reload } = useLoad(() => get<Run>(v1`redrives/${id}`), [id], (data) => (going(data) ? 1000 : 0));
  const action = useAction();
  if (!r) return <Page title={t('redrive.title')}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  const of = Number(params.value.get('of')) || 0;
  const left = Math.ceil(Math.max(0, of - r.redriven) / r.rate);
  const stop = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('redrive.stop'), text: t('redrive.stop.text'), confirm: t('redrive.stop'), danger: true });
    if (reason === undefined) return;
    await post(v1`redrives/${id}/stop`, { reason });
    toast(t('redrive.stopping'));
    reload();
  });
  const { tenant, channel, template } = r.filter;
  return (
    <Page title={t('redrive.title')} note={<Code>{r.id}</Code>} actions={<><A class="button" href="/dlq">{t('nav.dlq')}</A>{going(r) && may('operate') && <Button kind="danger" disabled={action.busy || r.state === 'stopping'} onClick={() => void stop()}>{t('redrive.stop')}</Button>}</>}>
      <Trouble fault={action.fault ?? fault} />
      <section class={`card verdict ${tones[r.state]}`} data-state={r.state}>
        <div class="body">
          <div class="line"><State r={r} /><When at={r.created_at} />{r.finished_at && <> – <When at={r.finished_at} /></>}</div>
          <p class="what">{t(says[r.state], { n: number(r.redriven) })}</p>
          {of > 0 && going(r) && <Meter value={r.redriven} max={Math.max(of, r.redriven)} label={t('redrive.done')} tone="good" />}
          {r.state === 'running' && of > r.redriven && <p class="faint">{t('redrive.left', { n: number(left), rate: number(r.rate) })}</p>}
          {r.fault && <div class="alert warn"><Said text={r.fault} /></div>}
        </div>
      </section>
      <div class="figures">
        <A class="figure" href={'/messages' + query({ tenant, channel, template, since: '24' })}>{t('redrive.done')}<b>{number(r.redriven)}</b></A>
        <div class="figure">{t('redrive.late')}<b>{number(r.expired)}</b></div>
        <div class="figure">{t('redrive.skipped')}<b>{number(r.skipped)}</b></div>
      </div>
      <Card title={t('redrive.this')}>
        <dl class="rows">
          <Row label={t('redrive.what')}>{filterWords(r.filter)}</Row>
          <Row label={t('redrive.rate')}>{t('per_second', { n: number(r.rate) })}</Row>
          <Row label={t('redrive.by')}><Raw>{r.author}</Raw></Row>
          <Row label={t('reason')}><Raw>{r.reason}</Raw></Row>
          {r.stopped_by && <Row label={t('redrive.stopped_by')}><Raw>{r.stopped_by}</Raw>{r.stop_reason && <> · <Raw>{r.stop_reason}</Raw></>}</Row>}
        </dl>
      </Card>
      {!going(r) && <p class="faint">{t('redrive.after')} <A href="/dlq">{t('nav.dlq')}</A></p>}
    </Page>
  );
}
