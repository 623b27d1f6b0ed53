// The one search box: a verdict first, for whatever was pasted.
import type { Candidate, GroupMessages, Message, SearchAnswer, SuppressionList, WhoAnswer } from '../api.gen.ts';
import { Fault, get, post, query, v1 } from '../api.ts';
import { Needs } from '../frame.tsx';
import { t, word } from '../i18n.ts';
import { useState } from 'preact/hooks';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { asked, askedTimes, may, session } from '../state.ts';
import { Button, Card, Empty, Loading, Page, Raw, Row, Table, Tag, Trouble, When } from '../ui.tsx';
import { moving } from './message.tsx';
import { RefusedTable } from './refused.tsx';
import { MessageTable, MessageVerdict, VerdictCard, href, newest, span } from '../verdict.tsx';

/** What messages are looked for by. */
type By = { recipient: string } | { reference: string };

type Found =
  | { kind: 'messages'; answer: SearchAnswer; by: By; blocked?: SuppressionList }
  | { kind: 'who'; answer: WhoAnswer }
  | { kind: 'group'; group: GroupMessages };

/** What a text is: an id, an address, a message's words, or a reference. */
export function classify(raw: string): { kind: 'id' | 'place' | 'group' | 'text' | 'address' | 'reference'; value: string; recipient?: string } {
  const value = raw.normalize('NFKC').trim();
  if (/^msg_\w+$/i.test(value)) return { kind: 'id', value };
  if (/^(run|rdr|req)_\w+$/i.test(value)) return { kind: 'place', value: value.toLowerCase() };
  if (/^grp_\w+$/i.test(value)) return { kind: 'group', value };
  const both = /^(\+?\d[\d -]{7,18}\d|\S+@\S+\.\S+)[\s,:]+(.*[^\d\s].*)$/s.exec(value);
  if (both?.[1] && both[2]) return { kind: 'text', value: raw.trim().slice(both[1].length).trim(), recipient: both[1] };
  if (/[【】]/.test(value) || (value.length > 15 && /\s|[\u3400-\u9fff]/.test(value) && !/^[+\d\s().-]+$/.test(value))) return { kind: 'text', value: raw.trim() };
  if (/^\S+@\S+\.\S+$/.test(value) || /^\+?[\d\s().-]{7,}$/.test(value)) return { kind: 'address', value };
  return { kind: 'reference', value };
}

async function find(raw: string): Promise<Found | undefined> {
  const q = classify(raw);
  switch (q.kind) {
    case 'id':
      go(to('messages', q.value), true);
      return undefined;
    case 'place':
      go(q.value.startsWith('run') ? to('campaigns', q.value) : q.value.startsWith('rdr') ? to('dlq', q.value) : '/refused' + query({ request: q.value }), true);
      return undefined;
    case 'group':
      return { kind: 'group', group: await get<GroupMessages>(v1`groups/${q.value}`) };
    case 'text':
      return who(q.value, q.recipient);
    case 'address':
      return byRecipient(q.value);
  }
  const found = await byReference(q.value);
  if (told(found.answer)) return found;
  const alias = await byRecipient(q.value).catch((e: unknown): undefined => { // of a bot
    if (!(e instanceof Fault) || e.status !== 422) throw e; // what can be no address either is only not found
  });
  if (alias && told(alias.answer)) return alias;
  const words = /[\u3400-\u9fff]|\s/.test(q.value) ? await who(q.value) : undefined; // a few of a message's
  return words && words.answer.candidates.length > 0 ? words : found;
}

async function who(text: string, recipient?: string): Promise<Extract<Found, { kind: 'who' }>> {
  return { kind: 'who', answer: await post<WhoAnswer>('/v1/messages/who', { text, ...(recipient && { recipient }) }) };
}

/** A search has found something: a message, or a request that was refused. */
const told = (a: SearchAnswer): boolean => a.messages.length > 0 || !!a.refused;

type Messages = Extract<Found, { kind: 'messages' }>;

async function byReference(reference: string): Promise<Messages> {
  const by = { reference };
  return { kind: 'messages', answer: await post<SearchAnswer>('/v1/messages/search', by), by };
}

async function byRecipient(recipient: string): Promise<Messages> {
  const answer = await post<SearchAnswer>('/v1/messages/search', { recipient });
  // A number without a country code is read as its tenant would.
  const tenant = newest(answer.messages)?.tenant ?? session.value?.tenant;
  const blocked = may('operate') ? await post<SuppressionList>('/v1/suppressions/check', { address: recipient, ...(tenant && { tenant }) }).catch((): undefined => undefined) : undefined;
  if (!told(answer) && /^\d+$/.test(recipient)) {
    const number = await byReference(recipient); // an order's, of digits only
    if (told(number.answer)) return number;
  }
  return { kind: 'messages', answer, by: { recipient }, blocked };
}

export function Search() {
  const { data, fault } = useLoad(() => (asked.value ? find(asked.value) : Promise.resolve(undefined)), [asked.value, askedTimes.value]);
  if (!asked.value) return <Page title={t('search')}><Card><Empty>{t('search.empty')}</Empty></Card></Page>;
  return (
    <Page title={t('search.results')}>
      {fault ? <Nothing fault={fault} /> : !data ? <Loading /> : data.kind === 'messages' ? <Listed {...data} /> : data.kind === 'who' ? <Who answer={data.answer} /> : <Group group={data.group} />}
    </Page>
  );
}

const Nothing = ({ fault }: { fault: Fault }) => <><Trouble fault={fault} /><Card><Empty>{t('search.tips')}</Empty></Card></>;

function Listed({ answer, by, blocked }: Messages) {
  const [older, setOlder] = useState<SearchAnswer[]>([]);
  const action = useAction();
  const first = newest(answer.messages);
  const now = useLoad(() => (first && moving.has(first.status) ? get<Message>(v1`messages/${first.id}`) : Promise.resolve(undefined)), [first?.id], (m) => (moving.has((m ?? first)?.status ?? '') ? 5000 : 0));
  const rest = [answer, ...older].flatMap((a) => a.messages).filter((m) => m !== first);
  const next = (older.at(-1) ?? answer).next;
  const load = (): Promise<void> => action.run(async () => setOlder([...older, await post<SearchAnswer>('/v1/messages/search', { ...by, cursor: next })]));
  return (
    <>
      {first && <MessageVerdict m={now.data ?? first} actions={<A class="button" href={href(first)}>{t('open_message')}</A>} />}
      {!first && answer.none && <VerdictCard verdict={answer.none} kind={answer.refused ? 'bad' : 'calm'}><Row label={t('search.range')}>{span(answer.from, answer.to)}</Row></VerdictCard>}
      {(rest.length > 0 || next) && (
        <Card class="flush" title={t('search.others', { n: rest.length + (next ? '+' : '') })}>
          <Trouble fault={action.fault} />
          {rest.length > 0 && <MessageTable label={t('search.others', { n: rest.length })} list={rest} />}
          {next && <p class="more"><Button class="small" disabled={action.busy} onClick={() => void load()}>{t('more')}</Button></p>}
        </Card>
      )}
      {answer.refused && <Card class="flush" title={t('search.refused', { n: answer.refused.length })} extra={<A href="/refused">{t('nav.refused')}</A>}><RefusedTable list={answer.refused} /></Card>}
      {'recipient' in by && <Address blocked={blocked} />}
    </>
  );
}

function Address({ blocked }: { blocked?: SuppressionList }) {
  if (!may('operate')) return <Card title={t('address.state')}><Needs scope="operate" /></Card>;
  if (!blocked) return null;
  if (blocked.items.length === 0) return <Card title={t('address.state')}><Tag tone="good">{t('address.free')}</Tag></Card>;
  return (
    <Card class="flush" title={t('address.state')} extra={<A href="/suppressions">{t('nav.suppressions')}</A>}>
      <Table label={t('address.state')} head={[t('reason'), t('channel'), t('class'), t('tenant'), t('since'), t('note')]}>
        {blocked.items.map((s, i) => (
          <tr key={i}>
            <td><Tag tone="warn">{word('suppression', s.reason)}</Tag></td><td>{s.channel ? word('channel', s.channel) : t('all')}</td><td>{s.class ? word('class', s.class) : t('all')}</td>
            <td>{s.tenant ? <Raw>{s.tenant}</Raw> : t('all')}</td><td class="nowrap"><When at={s.since} /></td><td><Raw>{s.note}</Raw></td>
          </tr>
        ))}
      </Table>
    </Card>
  );
}

const whoTone = (code: string): string => (code === 'who_exact' || code === 'who_template' || code === 'who_likely' || code === 'who_several' || code === 'who_piece_sent' ? 'good' : 'warn');

function Who({ answer }: { answer: WhoAnswer }) {
  const [best] = answer.candidates;
  return (
    <>
      <VerdictCard verdict={answer.verdict} kind={whoTone(answer.verdict.code)}>{best && <Owner c={best} />}</VerdictCard>
      {answer.messages && answer.messages.length > 0 && <Card class="flush" title={t('who.messages')}><MessageTable label={t('who.messages')} list={answer.messages as Message[]} /></Card>}
      {answer.candidates.length > 0 && (
        <Card class="flush" title={t('who.candidates')}>
          <Table label={t('who.candidates')} head={[t('template'), t('tenant'), t('owner'), t('phone'), t('channel'), t('class'), t('versions'), t('published')]}>
            {answer.candidates.map((c) => (
              <tr key={`${c.tenant}/${c.template}/${c.channel}/${c.locale}`}>
                <td><A href={to('templates', c.tenant, c.template)}><Raw>{c.template}</Raw></A></td><td><Raw>{c.tenant}</Raw></td><td><Raw>{c.owner.name}</Raw></td>
                <td class="nowrap">{c.owner.phone ? <a href={`tel:${c.owner.phone}`}>{c.owner.phone}</a> : <Raw>{c.owner.email}</Raw>}</td>
                <td>{word('channel', c.channel)} <span class="faint">{c.locale}</span></td><td>{word('class', c.class)}</td><td>{c.versions.map((v) => 'v' + v).join(' ')}</td>
                <td>{c.published ? t('yes') : t('no')}</td>
              </tr>
            ))}
          </Table>
        </Card>
      )}
    </>
  );
}

function Owner({ c }: { c: Candidate }) {
  return (
    <>
      <Row label={t('owner')}><Raw><strong data-owner>{c.owner.name}</strong></Raw> {c.owner.phone && <a href={`tel:${c.owner.phone}`}>{c.owner.phone}</a>} {c.owner.email && <a href={`mailto:${c.owner.email}`}>{c.owner.email}</a>} {c.owner.group && <Raw class="faint">{c.owner.group}</Raw>}</Row>
      <Row label={t('template')}><A href={to('templates', c.tenant, c.template)}><Raw>{c.tenant}/{c.template}</Raw></A> <span class="faint">v{c.version}</span> {c.shared && <Tag>{t('shared')}</Tag>}</Row>
    </>
  );
}

function Group({ group }: { group: GroupMessages }) {
  return (
    <Card class="flush" title={t('group', { n: group.messages.length })} extra={<span class="line">{Object.entries(group.counts).map(([s, n]) => <span key={s}>{word('status', s)} {n}</span>)}<Button onClick={() => history.back()}>{t('back')}</Button></span>}>
      <MessageTable label={t('group', { n: group.messages.length })} list={group.messages.filter((m) => m !== null)} />
    </Card>
  );
}
