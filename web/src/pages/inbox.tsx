// The development inbox, where there is one: what "arrived", as it would look, with buttons that make the receipts
// and replies which a real provider would send.
import { useState } from 'preact/hooks';
import type { Content, SearchAnswer } from '../api.gen.ts';
import { get, post, query } from '../api.ts';
import { AsSeen } from '../content.tsx';
import { number } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, params, setParams, to } from '../route.tsx';
import { session, toast } from '../state.ts';
import { Button, Card, Code, Empty, Loading, Page, Raw, Row, Select, Status, Tabs, Tag, Text, Trouble, When } from '../ui.tsx';

/** A message as the inbox has it; its form is no part of the API. */
interface Entry { id: string; epoch: number; time: number; account: string; channel: string; to: string; content: Content; class: string; tenant: string; template?: string; outcome: string }
interface Inbox { entries: Entry[]; states: Map<string, string> }

const gist = (c: Content): string => (c.subject || [c.title, c.text].filter(Boolean).join(' · ') || (c.data ? JSON.stringify(c.data) : '')).replaceAll('*', '');

/** The newest of what arrived, each message once, with what became of it. */
async function read(channel: string): Promise<Inbox> {
  const [{ messages }, found] = await Promise.all([get<{ messages: Entry[] }>('/dev/inbox' + query({ channel, format: 'json' })), post<SearchAnswer>('/v1/messages/search', { limit: 200 })]);
  const seen = new Set<string>();
  return { entries: messages.filter((e) => !seen.has(e.id) && seen.add(e.id)), states: new Map(found.messages.map((m) => [m.id, m.status])) };
}

export function InboxPage() {
  const channel = params.value.get('channel') ?? '', chosen = params.value.get('m') ?? '';
  const { data, fault, reload } = useLoad(() => (session.value?.inbox ? read(channel) : Promise.resolve(undefined)), [channel], 3000);
  const [sought, seek] = useState('');
  if (!session.value?.inbox) return <Page title={t('nav.inbox')}><Card><Empty>{t('inbox.off')}</Empty></Card></Page>;
  const list = (data?.entries ?? []).filter((e) => !sought || (e.to + gist(e.content)).toLowerCase().includes(sought.toLowerCase()));
  const e = list.find((x) => x.id === chosen) ?? list[0];
  const channels = ['sms', 'email', 'push', 'feishu', 'dingtalk', 'wecom', 'wechat', 'whatsapp', 'slack', 'telegram', 'discord'];
  return (
    <Page title={t('nav.inbox')} note={t('inbox.note')}>
      <Trouble fault={fault} />
      <div class="chips">
        <Tabs label={t('channel')} value={channel} set={(v) => setParams({ channel: v, m: '' })} options={[['', t('all')], ...channels.map((c) => [c, word('channel', c)] as const)]} />
        <span class="chip"><label for="inbox-find">{t('find')}</label><input id="inbox-find" value={sought} autocomplete="off" onInput={(x) => seek(x.currentTarget.value)} /></span>
      </div>
      {!data && !fault && <Card><Loading /></Card>}
      {data && list.length === 0 && <Card><Empty><p>{t('inbox.none')}</p><A class="button main" href="/send">{t('nav.send')}</A></Empty></Card>}
      {data && e && (
        <div class="inbox">
          <Card class="flush" title={t('inbox.arrived', { n: number(list.length) })}>
            <ul class="letters">
              {list.slice(0, 100).map((x) => (
                <li key={x.id}>
                  <button type="button" aria-current={x === e ? 'true' : undefined} onClick={() => setParams({ m: x.id })}>
                    <span class="line"><Tag>{word('channel', x.channel)}</Tag><Raw class="who">{x.to}</Raw><span class="faint"><When at={new Date(x.time).toISOString()} /></span></span>
                    <span class="gist" translate={false}>{gist(x.content)}</span>
                  </button>
                </li>
              ))}
            </ul>
          </Card>
          <Shown key={e.id} e={e} status={data.states.get(e.id)} reload={reload} />
        </div>
      )}
    </Page>
  );
}

const receipts = ['delivered', 'undelivered', 'bounced', 'complained'] as const;

function Shown({ e, status, reload }: { e: Entry; status?: string; reload: () => void }) {
  const [after, setAfter] = useState('0');
  const [text, setText] = useState('');
  const action = useAction();
  const say = (state: string): Promise<void> => action.run(async () => {
    await post(`/dev/inbox/${e.id}/${state}` + query({ after: after === '0' ? undefined : after }));
    toast(t('inbox.told'));
    reload();
  });
  const answer = (): Promise<void> => action.run(async () => {
    await post(`/dev/inbox/${e.id}/reply`, { text });
    setText('');
    toast(t('inbox.replied'));
  });
  return (
    <div data-shown={e.id}>
      <Card title={<Raw>{e.to}</Raw>} extra={<span class="line">{status && <Status of={status} />}<A class="button small" href={to('messages', e.id)}>{t('open_message')}</A></span>}>
        <AsSeen channel={e.channel} content={e.content} />
        <dl class="rows meta">
          <Row label={t('tenant')}><A href={to('tenants', e.tenant)}><Raw>{e.tenant}</Raw></A></Row>
          <Row label={t('template')}>{e.template ? <Raw>{e.template}</Raw> : t('free_content')} <span class="faint">{word('class', e.class)}</span></Row>
          <Row label={t('account')}><A href={to('providers', e.account)}><Raw>{e.account}</Raw></A></Row>
          <Row label="ID"><Code>{e.id}</Code></Row>
        </dl>
      </Card>
      <Card title={t('inbox.provider')}>
        <p class="faint lead">{t('inbox.provider.text')}</p>
        <Trouble fault={action.fault} />
        <div class="line lead">
          {receipts.map((r) => <Button key={r} disabled={action.busy} onClick={() => void say(r)}>{word('receipt', r)}</Button>)}
        </div>
        <div class="form lead"><Select label={t('inbox.when')} value={after} set={setAfter} options={['0', '5', '30', '120'].map((s) => [s, s === '0' ? t('inbox.now') : t('inbox.after', { n: s })] as const)} /></div>
        <form class="line" onSubmit={(x) => { x.preventDefault(); void answer(); }}>
          <Text label={t('inbox.reply')} value={text} set={setText} placeholder="STOP" autocomplete="off" maxLength={500} required />
          <Button type="submit" disabled={action.busy || !text.trim()}>{t('inbox.answer')}</Button>
        </form>
        <small>{t('inbox.reply.help')}</small>
      </Card>
    </div>
  );
}
