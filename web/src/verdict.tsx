// A message's verdict and its line in a list, wherever one is shown.
import type { ComponentChildren } from 'preact';
import type { Message, Verdict } from './api.gen.ts';
import { moment, utc } from './format.ts';
import { pick, t, word } from './i18n.ts';
import { A, to } from './route.tsx';
import { Code, Copy, Raw, Row, Status, Table, When, tone } from './ui.tsx';

export function VerdictCard({ verdict, kind, top, children, actions }: { verdict: Verdict; kind: string; top?: ComponentChildren; children?: ComponentChildren; actions?: ComponentChildren }) {
  const words = pick(verdict);
  return (
    <section class={`card verdict ${kind}`} aria-label={t('verdict')} data-verdict={verdict.code}>
      <div class="body">
        {top && <div class="line">{top}</div>}
        <p class="what">{words.what}</p>
        <dl class="rows">
          {words.tell && <Row label={t('verdict.tell')}>{words.tell}</Row>}
          {words.fix && <Row label={t('verdict.fix')}>{words.fix}</Row>}
          {children}
        </dl>
        {(words.tell || actions) && <div class="actions">{words.tell && <Copy text={words.tell} label={t('copy_reply')} kind="main" />}{actions}</div>}
      </div>
    </section>
  );
}

export const href = (m: { id: string }): string => to('messages', m.id);

/** Which template and version. */
export function From({ m }: { m: Message }) {
  if (!m.template) return <>{t('free_content')}</>;
  return <A href={to('templates', m.template.tenant, m.template.name)}><Raw>{m.template.name}</Raw> <span class="faint">v{m.template.version}</span></A>;
}

export const summary = (m: Message): ComponentChildren => <><Status of={m.status} /><span>{word('channel', m.channel)}</span><Raw class="mono">{m.to}</Raw><When at={m.created_at} /></>;

/** Brief leaves out what the message's own page has. */
export function MessageTable({ label, list, brief }: { label: string; list: Message[]; brief?: boolean }) {
  const rest = brief ? [] : [t('account'), t('verdict')];
  return (
    <Table label={label} head={[t('time'), t('status'), t('recipient'), t('channel'), t('tenant'), t('template'), ...rest]}>
      {list.map((m) => (
        <tr key={m.id}>
          <td class="nowrap"><A href={href(m)}><When at={m.created_at} /></A></td>
          <td><Status of={m.status} /></td>
          <td class="nowrap"><Raw class="mono">{m.to || '—'}</Raw></td>
          <td class="nowrap">{word('channel', m.channel)}</td>
          <td class="nowrap"><Raw>{m.tenant}</Raw></td>
          <td class="nowrap"><From m={m} /></td>
          {!brief && <><td class="nowrap"><Raw>{m.account || '—'}</Raw></td><td class="clip" title={pick(m.verdict).what}>{pick(m.verdict).what}</td></>}
        </tr>
      ))}
    </Table>
  );
}

/** Everything that a developer asks for, as text: ids, times, codes, a link. */
export function forDeveloper(m: Message): string {
  const lines = [
    `message  ${m.id}`, `status   ${m.status}${m.reason ? ` (${m.reason})` : ''}`, `verdict  ${m.verdict.code}: ${m.verdict.en.what}`,
    `tenant   ${m.tenant}  key ${m.key ?? '-'}`, `template ${m.template ? `${m.template.tenant}/${m.template.name} v${m.template.version}` : '-'}`,
    `channel  ${m.channel}  account ${m.account ?? '-'}`,
  ];
  if (m.reference) lines.push(`ref      ${m.reference}`);
  for (const e of m.timeline ?? []) {
    const a = e.attempt, r = e.receipt;
    const said = a ? `${a.account} ${a.outcome ?? ''} ${a.http_status || ''} ${a.code ?? ''} ${a.provider_id ?? ''}` : r ? `${r.state} ${r.code ?? ''}` : (e.why ?? e.status ?? '');
    lines.push(`${e.at ? utc(e.at) : '-'}  ${e.event}  ${said.replace(/\s+/g, ' ').trim()}`.trimEnd());
  }
  lines.push(location.origin + '/console' + href(m));
  return lines.join('\n');
}

export function MessageVerdict({ m, actions }: { m: Message; actions?: ComponentChildren }) {
  return (
    <VerdictCard verdict={m.verdict} kind={tone(m.status)} actions={actions} top={summary(m)}>
      <Row label={t('tenant')}><A href={to('tenants', m.tenant)}><Raw>{m.tenant}</Raw></A>{m.owner && <> · {t('owner')} <Raw><span data-owner>{m.owner}</span></Raw></>}</Row>
      <Row label={t('template')}><From m={m} /></Row>
      {m.reference && <Row label={t('reference')}><Code>{m.reference}</Code></Row>}
    </VerdictCard>
  );
}

export const newest = (list: Message[]): Message | undefined => [...list].sort((a, b) => (b.created_at ?? '').localeCompare(a.created_at ?? ''))[0];
export const span = (from?: string | null, to_?: string | null): string => `${from ? moment(from) : ''} – ${to_ ? moment(to_) : ''}`;
