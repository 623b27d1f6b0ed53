import type { TemplateList } from '../api.gen.ts';
import { get } from '../api.ts';
import { t, word } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { A, params, setParams, to } from '../route.tsx';
import { may } from '../state.ts';
import { Card, Empty, Loading, Page, Raw, Table, Tag, Trouble, When } from '../ui.tsx';

export function Templates() {
  const { data, fault } = useLoad(() => get<TemplateList>('/v1/templates'), []);
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
          <Table label={t('nav.templates')} head={[t('name'), t('tenant'), t('class'), t('published'), t('newest'), t('changed'), t('author'), t('reason')]}>
            {list.map((x) => (
              <tr key={x.tenant + x.name}>
                <td class="nowrap"><A href={to('templates', x.tenant, x.name)}><Raw>{x.name}</Raw></A> {x.shared && <Tag tone="info">{t('shared')}</Tag>}</td>
                <td><Raw>{x.tenant}</Raw></td>
                <td><Tag>{word('class', x.class)}</Tag></td>
                <td>{x.published ? <Tag tone="good">v{x.published}</Tag> : <Tag tone="warn">{t('unpublished')}</Tag>}</td>
                <td>v{x.version} {x.published && x.version > x.published ? <Tag tone="info">{t('draft')}</Tag> : null}</td>
                <td class="nowrap"><When at={x.changed_at} /></td><td><Raw>{x.author}</Raw></td><td class="clip"><Raw>{x.reason}</Raw></td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
    </Page>
  );
}
