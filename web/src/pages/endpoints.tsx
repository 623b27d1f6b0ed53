// Where tenants are told what became of their messages: all endpoints, and a new one.
import { useState } from 'preact/hooks';
import type { Endpoint, EndpointHealth, EndpointList, EndpointSecret, TenantList } from '../api.gen.ts';
import { get, put, query, v1 } from '../api.ts';
import { Chip, Clear, filterOf } from '../filters.tsx';
import { Needs } from '../frame.tsx';
import { t, word } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, go, to } from '../route.tsx';
import { may, session } from '../state.ts';
import { Button, Card, Copy, Dialog, Empty, Loading, Page, Raw, Select, Table, Tag, Text, Trouble, When } from '../ui.tsx';

/** Who may make endpoints and steer them; whose, the API decides. */
export const steers = (): boolean => may('operate') || (may('read') && may('send'));

interface Line extends Endpoint { health?: EndpointHealth }

async function read(tenant: string): Promise<Line[]> {
  const { items } = await get<EndpointList>('/v1/endpoints' + query({ tenant }));
  return Promise.all(items.map(async (e) => ({ ...e, health: await get<EndpointHealth>(v1`endpoints/${e.tenant}/${e.name}/health`).catch(() => undefined) })));
}

/** How an endpoint does, in a word. */
export function EndpointState({ e, h }: { e: Endpoint; h?: EndpointHealth }) {
  if (e.off) return <Tag tone={e.off_why === 'by_hand' ? 'calm' : 'bad'}><i class="dot" />{word('endpoint', e.off_why ?? 'by_hand')}</Tag>;
  if (h?.failing_since) return <Tag tone="bad"><i class="dot" />{t('endpoint.fails')}</Tag>;
  if (!e.url) return <Tag tone="info"><i class="dot" />{t('endpoint.kept')}</Tag>;
  return h?.last_success_at ? <Tag tone="good"><i class="dot" />{t('account.works')}</Tag> : <Tag><i class="dot" />{t('endpoint.unheard')}</Tag>;
}

export function Endpoints() {
  const tenant = filterOf('tenant');
  const { data, fault, reload } = useLoad(() => read(tenant), [tenant], 15000);
  const tenants = useLoad(() => get<TenantList>('/v1/tenants'), []);
  const [making, make] = useState(false);
  return (
    <Page title={t('nav.endpoints')} note={t('endpoints.note')} actions={steers() ? <Button kind="main" onClick={() => make(true)}>{t('endpoint.new')}</Button> : <Needs scope="operate" />}>
      <div class="chips"><Chip name="tenant" label={t('tenant')} options={(tenants.data?.items ?? []).map((x) => [x.name, x.name])} /><Clear names={['tenant']} /></div>
      <Trouble fault={fault} />
      <Card class="flush">
        {!data && !fault && <Loading />}
        {data?.length === 0 && <Empty><p>{t('endpoints.none')}</p></Empty>}
        {data && data.length > 0 && (
          <Table label={t('nav.endpoints')} head={[t('name'), t('tenant'), 'URL', t('state'), t('endpoint.good'), t('endpoint.bad'), t('endpoint.events')]}>
            {data.map((e) => (
              <tr key={e.tenant + '/' + e.name}>
                <td class="nowrap"><A href={to('endpoints', e.tenant, e.name)}><Raw>{e.name}</Raw></A></td><td class="nowrap"><Raw>{e.tenant}</Raw></td><td class="clip"><Raw class="mono">{e.url || '—'}</Raw></td>
                <td><EndpointState e={e} h={e.health} /></td><td class="nowrap"><When at={e.health?.last_success_at} ago /></td>
                <td class="nowrap">{e.health?.last_failure_at ? <><When at={e.health.last_failure_at} ago /> <Raw class="mono faint">{e.health.last_http_status || e.health.last_code}</Raw></> : '—'}</td>
                <td>{e.events?.length ? e.events.map((s) => word('status', s)).join(t('comma')) : t('endpoint.events.all')}</td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
      {making && <Edit tenants={tenants.data?.items.map((x) => x.name) ?? []} close={() => make(false)} done={() => { make(false); reload(); }} />}
    </Page>
  );
}

const events = ['sent', 'in_doubt', 'delivered', 'undelivered', 'bounced', 'complained', 'failed', 'expired', 'cancelled', 'suppressed', 'dead', 'simulated'] as const;

/** Makes or changes one. The secret of a new one is shown once. */
export function Edit({ e, tenants, close, done }: { e?: Endpoint; tenants: string[]; close: () => void; done: () => void }) {
  const [f, set] = useState({ tenant: e?.tenant ?? session.value?.tenant ?? tenants[0] ?? '', name: e?.name ?? '', url: e?.url ?? '', reason: '' });
  const [chosen, choose] = useState<string[]>(e?.events ?? []);
  const [made, setMade] = useState<EndpointSecret>();
  const action = useAction();
  const save = (): Promise<void> => action.run(async () => {
    const got = await put<EndpointSecret>(v1`endpoints/${f.tenant}/${f.name}`, { url: f.url, events: chosen.length > 0 ? chosen : undefined, off: e?.off, version: e?.version, reason: f.reason || undefined });
    if (got.secret) setMade(got);
    else done();
  });
  if (made) return <Secret e={made} close={() => { done(); go(to('endpoints', made.tenant, made.name)); }} />;
  return (
    <Dialog title={e ? `${e.tenant}/${e.name}` : t('endpoint.new')} close={close} foot={<Button kind="main" type="submit" form="endpoint" disabled={action.busy}>{t('save')}</Button>}>
      <Trouble fault={action.fault} />
      <form id="endpoint" class="stack" onSubmit={(x) => { x.preventDefault(); void save(); }}>
        {!e && <Select label={t('tenant')} value={f.tenant} set={(tenant) => set({ ...f, tenant })} options={tenants.map((x) => [x, x] as const)} />}
        {!e && <Text label={t('name')} value={f.name} set={(name) => set({ ...f, name })} required help={t('name.help')} error={action.fault?.at('path:name')} />}
        <Text label="URL" value={f.url} set={(url) => set({ ...f, url })} required placeholder="https://shop.example.com/notify" help={t('endpoint.url')} error={action.fault?.at('/url')} />
        <fieldset><legend>{t('endpoint.events')}</legend><p class="faint">{t('endpoint.events.help')}</p>
          <div class="checks">{events.map((s) => <label key={s}><input type="checkbox" checked={chosen.includes(s)} onChange={(x) => choose(x.currentTarget.checked ? [...chosen, s] : chosen.filter((y) => y !== s))} /> {word('status', s)}</label>)}</div>
        </fieldset>
        <Text label={t('reason')} value={f.reason} set={(reason) => set({ ...f, reason })} help={t('reason.help')} maxLength={200} />
      </form>
    </Dialog>
  );
}

/** A signing secret, the only time that it is shown. */
export const Secret = ({ e, close }: { e: EndpointSecret; close: () => void }) => (
  <Dialog title={t('endpoint.secret')} close={close} foot={<Copy text={e.secret ?? ''} kind="main" />}>
    <p>{t('endpoint.secret.text')}</p>
    <pre class="block" translate={false} data-secret>{e.secret}</pre>
  </Dialog>
);
