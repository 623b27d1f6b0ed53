// How much was sent, failed and was held back: figures, a chart with its table, and who it was.
import { useState } from 'preact/hooks';
import type { Figures, Rate, StatsGroup } from '../api.gen.ts';
import { get, query } from '../api.ts';
import { date, here, moment, number, share } from '../format.ts';
import { t, word, type Key } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A } from '../route.tsx';
import { Card, Empty, Loading, Page, Raw, Table, Tabs, Tag, Trouble, When } from '../ui.tsx';

/** The layers of the chart, from below. What is delivered was sent before, so it is no layer of its own. */
const layers = [['sent', 'good'], ['throttled', 'warn'], ['lost', 'bad']] as const;
const shown = ['accepted', 'sent', 'delivered', 'failed', 'dead', 'suppressed', 'throttled', 'in_doubt', 'duplicate', 'refused'] as const;
/** For each span its step, its seconds, and the period of a list that is as long. */
const spans = { hour: ['minute', 3600, '1'], day: ['hour', 86400, '24'], month: ['day', 30 * 86400, '720'] } as const;
/** Those that are a status in which messages stay: what was sent is mostly delivered by now, and a list of the sent would lack it. */
const lists = new Set<string>(['delivered', 'failed', 'dead', 'suppressed', 'in_doubt']);

/** A counter; lost is whatever was given up. */
const counted = (c: Record<string, number>, name: string): number => (name === 'lost' ? (c.failed ?? 0) + (c.dead ?? 0) : (c[name] ?? 0));

/** Where what a figure counts is listed. */
function listed(name: string, since: string): string {
  if (name === 'refused') return '/refused';
  if (name === 'accepted') return '/messages' + query({ since });
  return lists.has(name) ? '/messages' + query({ status: name, since }) : '';
}

export function Traffic({ full }: { full?: boolean }) {
  const [span, setSpan] = useState<keyof typeof spans>('hour');
  const [by, setBy] = useState('channel');
  const [step, seconds, since] = spans[span];
  const figures = useLoad(() => get<Figures>('/v1/stats' + query({ step, zone: step === 'day' ? here : undefined, from: new Date(Date.now() - seconds * 1000).toISOString(), by: full ? by : undefined, top: 20 })), [span, by], step === 'day' ? 60_000 : 5000);
  const d = figures.data;
  return (
    <Card title={t('traffic')} extra={<Tabs label={t('traffic.span')} value={span} set={(v) => setSpan(v as keyof typeof spans)} options={(['hour', 'day', 'month'] as const).map((s) => [s, t(`traffic.${s}` as Key)] as const)} />}>
      <Trouble fault={figures.fault} />
      {!d && !figures.fault && <Loading />}
      {d && (
        <>
          <div class="figures small">
            {shown.map((name) => {
              const n = counted(d.total.counts, name);
              const body = <>{word('counter', name)}<b>{number(n)}</b></>;
              const href = listed(name, since);
              return href ? <A key={name} class={`figure ${n && (name === 'failed' || name === 'dead' || name === 'in_doubt') ? 'bad' : ''}`} href={href}>{body}</A> : <div key={name} class={`figure ${n && name === 'throttled' ? 'warn' : ''}`}>{body}</div>;
            })}
          </div>
          <Chart d={d} step={step} />
          <p class="faint">{t('traffic.failure')} <Percent of={d.total.failure_rate} bad /> · {t('traffic.delivery')} <Percent of={d.total.delivery_rate} /> · {t('traffic.as_of', { at: moment(d.as_of) })}{d.total.peaks?.sent && <> · {t('traffic.peak', { n: number(d.total.peaks.sent.n), at: moment(d.total.peaks.sent.at) })}</>}</p>
          {full && (
            <>
              <div class="chips"><Tabs label={t('traffic.by')} value={by} set={setBy} options={(['channel', 'tenant', 'account', 'template'] as const).map((b) => [b, t(b)] as const)} /></div>
              <Groups list={[...(d.groups ?? []), ...(d.other ? [d.other] : [])]} by={by} />
            </>
          )}
        </>
      )}
    </Card>
  );
}

/** A share; one of too few is told, not shown. */
function Percent({ of, bad }: { of: Rate; bad?: boolean }) {
  if (of.too_few) return <span>{t('traffic.too_few', { n: number(of.of) })}</span>;
  const tone = bad ? (of.value > 0.03 ? 'bad' : of.value > 0.01 ? 'warn' : 'good') : of.value < 0.85 ? 'warn' : 'good';
  return <Tag tone={tone}>{share(of.value)}</Tag>;
}

const width = 720, height = 140;

function Chart({ d, step }: { d: Figures; step: Figures['step'] }) {
  const long = { minute: 60e3, hour: 3600e3, day: 86400e3 }[step], say = step === 'day' ? date : moment;
  const first = Date.parse(d.from), n = Math.max(1, Math.ceil((Date.parse(d.to) - first) / long));
  const points = d.total.points;
  const top = Math.max(1, ...points.map((p) => layers.reduce((sum, [name]) => sum + counted(p.counts, name), 0)));
  const bar = width / n;
  if (points.length === 0) return <Empty>{t('traffic.none')}</Empty>;
  return (
    <figure class="chart">
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={t('traffic.chart', { top: number(top) })} preserveAspectRatio="none">
        {points.map((p) => {
          const x = Math.round((Date.parse(p.at) - first) / long) * bar; // a day may be an hour shorter or longer
          let y = height;
          return layers.map(([name, tone]) => {
            const h = (counted(p.counts, name) / top) * (height - 8);
            y -= h;
            return h > 0 && <rect key={p.at + name} class={tone} x={x + bar * 0.1} y={y} width={bar * 0.8} height={h}><title>{`${say(p.at)} ${word('counter', name)} ${number(counted(p.counts, name))}`}</title></rect>;
          });
        })}
      </svg>
      <figcaption class="line faint">{layers.map(([name, tone]) => <span key={name}><i class={`dot ${tone}`} />{word('counter', name)}</span>)}</figcaption>
      <details>
        <summary>{t('traffic.table')}</summary>
        <Table label={t('traffic')} head={[t('time'), ...layers.map(([name]) => word('counter', name))]}>
          {points.map((p) => <tr key={p.at}><td class="nowrap">{step === 'day' ? <time dateTime={p.at}>{date(p.at)}</time> : <When at={p.at} />}</td>{layers.map(([name]) => <td key={name}>{number(counted(p.counts, name))}</td>)}</tr>)}
        </Table>
      </details>
    </figure>
  );
}

function Groups({ list, by }: { list: StatsGroup[]; by: string }) {
  if (list.length === 0) return <Empty>{t('traffic.none')}</Empty>;
  const name = (g: StatsGroup) => (g.name === undefined ? t('traffic.other') : g.name === '' ? '—' : by === 'channel' ? word('channel', g.name) : <Raw>{g.name}</Raw>);
  return (
    <Table label={t('traffic.by')} head={[t(by as Key), ...shown.map((s) => word('counter', s)), t('traffic.failure'), t('traffic.delivery')]}>
      {list.map((g) => (
        <tr key={g.name}>
          <td class="nowrap">{name(g)}</td>{shown.map((s) => <td key={s}>{number(counted(g.counts, s))}</td>)}
          <td class="nowrap"><Percent of={g.failure_rate} bad /></td><td class="nowrap"><Percent of={g.delivery_rate} /></td>
        </tr>
      ))}
    </Table>
  );
}

export const TrafficPage = () => <Page title={t('nav.traffic')} note={t('traffic.note')}><Traffic full /></Page>;
