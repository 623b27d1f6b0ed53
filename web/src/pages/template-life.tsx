// A template's life beside its text: what sends with it, the stop of a version, a real message to try it.
import { useState } from 'preact/hooks';
import type { AccountList, AccountTest, StopAnswer, TemplateVariable, Uses as Used } from '../api.gen.ts';
import { get, post, query, v1 } from '../api.ts';
import { money, number } from '../format.ts';
import { pick, t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, to } from '../route.tsx';
import { may, toast } from '../state.ts';
import { RunState, steers } from '../timed.tsx';
import { Button, Card, Code, Dialog, Empty, Loading, Raw, Select, Table, Tag, Text, Trouble, confirm } from '../ui.tsx';
import { typed } from './send.tsx';

type State = Parameters<typeof RunState>[0]['of'];

/** Schedules, and runs that have not ended, by version; and the stop of the one that is shown. */
export function Uses({ tenant, name, version }: { tenant: string; name: string; version: number }) {
  const used = useLoad(() => get<Used>(v1`templates/${tenant}/${name}/uses`), [tenant, name], 10_000);
  const action = useAction();
  // Each call stops, or counts, a part of the messages.
  const stopAll = async (dry_run: boolean, reason?: string): Promise<{ matched: number; cancelled: number; late: number }> => {
    const sum = { matched: 0, cancelled: 0, late: 0 };
    for (let after: string | undefined = ''; after !== undefined;) {
      const n: StopAnswer = await post<StopAnswer>('/v1/messages/stop', { tenant, template: `${tenant}/${name}`, version, dry_run, reason, after });
      sum.matched += n.matched;
      sum.cancelled += n.cancelled;
      sum.late += n.too_late;
      after = n.next;
    }
    return sum;
  };
  const stop = (): Promise<void> => action.run(async () => {
    const [runs, waiting] = await Promise.all([
      post<Used>(v1`templates/${tenant}/${name}/stop`, { version, dry_run: true }),
      stopAll(true),
    ]);
    if (runs.runs.length === 0 && waiting.matched === 0) return toast(t('press.nothing', { n: version }));
    const counts = t('press.counts', { runs: number(runs.runs.length), messages: number(waiting.matched) });
    const reason = await confirm({ title: t('press.title', { n: version }), text: <><strong data-press>{counts}</strong><br />{t('press.text', { n: version })}</>, confirm: t('press.stop'), danger: true, typed: `${name} v${version}` });
    if (reason === undefined) return;
    // What makes messages is stopped first, then the messages, until none is left.
    const stopped = await post<Used>(v1`templates/${tenant}/${name}/stop`, { version, reason });
    const sum = await stopAll(false, reason);
    toast(t('press.done', { runs: number(stopped.runs.length), messages: number(sum.cancelled), late: number(sum.late) }));
    used.reload();
  });
  const u = used.data;
  return (
    <Card class="flush" title={t('uses.title')} extra={steers() && <Button class="small" kind="danger" disabled={action.busy} onClick={() => void stop()}>{t('press.stop')} v{version}</Button>}>
      <Trouble fault={used.fault ?? action.fault} />
      {!u && !used.fault && <Loading />}
      {u && u.schedules.length + u.runs.length === 0 && <Empty>{t('uses.none')}</Empty>}
      {u && u.schedules.length + u.runs.length > 0 && (
        <Table label={t('uses.title')} head={[t('uses.what'), t('name'), t('tenant'), t('version'), t('uses.state')]}>
          {u.runs.map((r) => <tr key={r.id}><td>{t('uses.run')}</td><td><A href={to('campaigns', r.id)}><Raw>{r.title || r.schedule || r.id}</Raw></A></td><td><Raw>{r.tenant}</Raw></td><td>v{r.template_version}</td><td><RunState of={r.state as State} /></td></tr>)}
          {u.schedules.map((s) => <tr key={s.tenant + s.name}><td>{t('uses.schedule')}</td><td><A href={to('schedules', s.tenant, s.name)}><Raw>{s.name}</Raw></A></td><td><Raw>{s.tenant}</Raw></td><td>{s.template_version ? `v${s.template_version}` : t('uses.published')}</td><td>{s.paused ? <Tag tone="warn">{t('schedule.paused')}</Tag> : <Tag tone="good">{t('schedule.on')}</Tag>}</td></tr>)}
        </Table>
      )}
    </Card>
  );
}

/** One real message with a version, a draft too. */
export function Try({ tenant, name, version, channel, locale, variables, vars }: { tenant: string; name: string; version: number; channel: string; locale: string; variables: TemplateVariable[]; vars: Record<string, string> }) {
  const [open, setOpen] = useState(false);
  const [account, setAccount] = useState('');
  const [address, setAddress] = useState('');
  const [got, setGot] = useState<AccountTest>();
  const accounts = useLoad(() => (open ? get<AccountList>('/v1/accounts') : Promise.resolve(undefined)), [open]);
  const action = useAction();
  const list = (accounts.data?.items ?? []).filter((a) => a.channel === channel);
  const over = account || list.find((a) => !a.off)?.name || '';
  const send = (): Promise<void> => action.run(async () => {
    const values = Object.fromEntries(variables.map((v) => [v, vars[v.name] || v.example || ''] as const).filter(([, x]) => x).map(([v, x]) => [v.name, typed(v, x)]));
    setGot(await post<AccountTest>(v1`accounts/${over}/test`, { tenant, to: address.trim(), template: name, template_version: version, locale, vars: values }));
  });
  const close = (): void => {
    setOpen(false);
    setGot(undefined);
    action.clear();
  };
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('try')}</Button>
      {open && (
        <Dialog title={t('try.title', { n: version })} close={close} foot={<Button kind="main" type="submit" form="try" disabled={action.busy || !over || !address.trim()}>{t('try.send')}</Button>}>
          <p class="faint">{t('try.text')}</p>
          {accounts.data && list.length === 0 && <div class="alert warn">{t('try.no_account')}</div>}
          <Trouble fault={action.fault} />
          {got?.sent && (
            <div class={`alert ${got.ok ? 'good' : 'bad'}`} role="status" data-try={got.ok}>
              <strong>{t(got.ok ? 'try.sent' : 'try.not_sent')}</strong> <A href={to('messages', got.sent.id)}>{t('open_message')}</A>
              <div>{got.sent.code && <Code>{got.sent.code}</Code>} {got.sent.says ? pick(got.sent.says) : <Raw>{got.sent.text}</Raw>} {got.sent.ms !== undefined && <span class="faint">{number(got.sent.ms)} ms</span>}</div>
            </div>
          )}
          <form id="try" class="stack" onSubmit={(e) => { e.preventDefault(); void send(); }}>
            <Select label={t('try.account')} value={over} set={setAccount} required options={list.map((a) => [a.name, `${a.name} (${a.provider})`] as const)} />
            <Text label={t('try.to')} value={address} set={setAddress} required autocomplete="off" error={action.fault?.at('/to')} help={`${word('channel', channel)} ${locale}`} />
          </form>
        </Dialog>
      )}
    </>
  );
}

/** What one message costs over the accounts of its channel: an SMS by its segments. */
export function Cost({ channel, segments }: { channel: string; segments?: number }) {
  const { data } = useLoad(() => (may('operate') ? get<AccountList>('/v1/accounts' + query({})) : Promise.resolve(undefined)), []);
  const list = (data?.items ?? []).filter((a) => a.channel === channel && !a.off && a.price);
  if (list.length === 0) return null;
  return <p class="faint">{list.slice(0, 3).map((a) => t('cost.each', { cost: money((a.price ?? 0) * (channel === 'sms' ? segments ?? 1 : 1), a.currency), account: a.name })).join(' · ')}</p>;
}
