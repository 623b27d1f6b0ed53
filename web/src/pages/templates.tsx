// The templates, with how much each is used and whom to call.
import type { Figures, TemplateList, TenantList } from '../api.gen.ts';
import { get, query } from '../api.ts';
import { number } from '../format.ts';
import { t, word } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A, params, setParams, to } from '../route.tsx';
import { may } from '../state.ts';
import { Card, Empty, Loading, Page, Raw, Table, Tag, Trouble, When } from '../ui.tsx';

export function Templates() {
  const { data, fault } = useLoad(() => get<TemplateList>('/v1/templates'), []);
  const used = useLoad(() => get<Figures>('/v1/stats' + query({ step: 'day', by: 'template', top: 100, from: new Date(Date.now() - 7 * 86400e3).toISOString() })).catch((): undefined => undefined), [], 60_000);
  const tenants = useLoad(() => get<TenantList>('/v1/tenants').catch((): undefined => undefined), []);
  const uses = (name: string): number => used.data?.groups?.find((g) => g.name === name)?.counts.accepted ?? 0;
  const owner = (tenant: string): string => tenants.data?.items.find((x) => x.name === tenant)?.owner.name ?? '—';
  const wanted = params.value.get('name') ?? '';
  const list = (data?.items ?? []).filter((x) => `${x.tenant}/${x.name}`.includes(wanted));
  return (
    <Page title={t('nav.templates')} note={t('templates.note')} actions={may('operate') && <A class="button main" href="/templates/new">{t('templates.new')}</A>}>
      <div class="chips"><span class={`chip ${wanted ? 'on' : ''}`}><label for="find-template">{t('find')}</label><input id="find-template" value={wanted} placeholder={t('name')} onInput={(e) => setParams({ name: e.currentTarget.value })} /></span></div>
      <Trouble fault={fault} />
      <Card class="flush">
        {!data && !fault && <Loading />}
        {data && list.length === 0 && <Empty>{t('nothing')}</Empty>}
        {list.length > 0 && (
          <Table label={t('nav.templates')} head={[t('name'), t('tenant'), t('owner'), t('class'), t('published'), t('newest'), t('uses.days'), t('changed'), t('reason')]}>
            {list.map((x) => (
              <tr key={x.tenant + x.name}>
                <td class="nowrap"><A href={to('templates', x.tenant, x.name)}><Raw>{x.name}</Raw></A> {x.shared && <Tag tone="info">{t('shared')}</Tag>}</td>
                <td class="nowrap"><Raw>{x.tenant}</Raw></td>
                <td class="nowrap"><Raw>{owner(x.tenant)}</Raw></td>
                <td><Tag>{word('class', x.class)}</Tag></td>
                <td>{x.published ? <Tag tone="good">v{x.published}</Tag> : <Tag tone="warn">{t('unpublished')}</Tag>}</td>
                <td>v{x.version} {x.published && x.version > x.published ? <Tag tone="info">{t('draft')}</Tag> : null}</td>
                <td>{uses(`${x.tenant}/${x.name}`) > 0 ? <A href={'/messages' + query({ template: `${x.tenant}/${x.name}` })}>{number(uses(`${x.tenant}/${x.name}`))}</A> : '0'}</td>
                <td class="nowrap"><When at={x.changed_at} /><div class="faint"><Raw>{x.author}</Raw></div></td><td class="clip"><Raw>{x.reason}</Raw></td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
    </Page>
  );
}
