// The API's own description as a page: operations, fields, errors, and how to call them.
import { useState } from 'preact/hooks';
import { get } from '../api.ts';
import { t } from '../i18n.ts';
import { useLoad } from '../load.ts';
import { params, setParams } from '../route.tsx';
import { Card, Code, Copy, Loading, Page, Table, Tabs, Tag, Trouble } from '../ui.tsx';
import { curl, go, python, sample, type Operation, type Schema } from './samples.ts';

interface Document { paths: Record<string, Record<string, Omit<Operation, 'method' | 'path'>>>; components: { schemas: Record<string, Schema> } }

const operations = (d: Document): Operation[] => Object.entries(d.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, o]) => ({ ...o, method: method.toUpperCase(), path })));
const tag = (o: Operation): string => o.tags?.[0] ?? o.path.split('/')[2] ?? '';

export function Help() {
  const { data, fault } = useLoad(() => get<Document>('/v1/openapi.json'), []);
  if (!data) return <Page title={t('nav.api')}>{fault ? <Trouble fault={fault} /> : <Loading />}</Page>;
  const all = operations(data);
  const chosen = params.value.get('op') ?? 'sendMessage';
  const current = all.find((o) => o.operationId === chosen) ?? all[0];
  const groups = Object.entries(Object.groupBy(all, tag));
  return (
    <Page title={t('nav.api')} note={<>{t('api.note')} <a href="/v1/openapi.json" download>openapi.json</a></>}>
      <div class="api">
        <Card><aside aria-label={t('operations')} tabIndex={0}>
          {groups.map(([g, list]) => <div key={g} translate={false}><h2>{g}</h2>{list?.map((o) => <a key={o.operationId} href={`?op=${o.operationId}`} aria-current={o === current ? 'page' : undefined} title={o.summary} onClick={(e) => { e.preventDefault(); setParams({ op: o.operationId }); }}>{o.operationId}</a>)}</div>)}
        </aside></Card>
        {current && <Shown key={current.operationId} o={current} schemas={data.components.schemas} />}
      </div>
    </Page>
  );
}

function Shown({ o, schemas }: { o: Operation; schemas: Record<string, Schema> }) {
  const [language, setLanguage] = useState('curl');
  const body = o.requestBody?.content['application/json']?.schema;
  const answer = Object.entries(o.responses).find(([status]) => status.startsWith('2'));
  const out = answer?.[1].content?.['application/json']?.schema;
  const example = body && JSON.stringify(sample(body, schemas), null, 2);
  const text = { curl, go, python }[language as 'curl']?.(o, example) ?? '';
  return (
    <div>
      <Card title={<span class="line"><span class="method">{o.method}</span><Code>{o.path}</Code></span>} extra={o.security?.length ? <span class="line">{[...new Set(o.security.flatMap((s) => Object.values(s).flat()))].map((s) => <Tag key={s}>{s}</Tag>)}</span> : <Tag tone="good">{t('api.open')}</Tag>}>
        <div translate={false} lang="en"><strong>{o.summary}</strong><p>{o.description}</p></div>
      </Card>
      <Card title={t('api.example')} extra={<span class="line"><Tabs label={t('api.example')} value={language} set={setLanguage} options={[['curl', 'curl'], ['go', 'Go'], ['python', 'Python']]} /><Copy text={text} /></span>}>
        <pre class="block" translate={false} tabIndex={0}>{text}</pre>
      </Card>
      {(o.parameters ?? []).length > 0 && (
        <Card class="flush" title={t('api.parameters')}>
          <Table label={t('api.parameters')} head={[t('name'), t('api.in'), t('meaning')]}>{o.parameters?.map((p) => p.name && <tr key={p.name} translate={false} lang="en"><td><code>{p.name}</code>{p.required && <b class="star">*</b>}</td><td>{p.in}</td><td>{p.description}</td></tr>)}</Table>
        </Card>
      )}
      {body && <Fields title={t('api.request')} of={body} schemas={schemas} />}
      {out && <Fields title={t('api.answer', { status: answer?.[0] ?? '' })} of={out} schemas={schemas} />}
    </div>
  );
}

const name = (s: Schema): string => s.$ref?.split('/').at(-1) ?? '';

function kind(s: Schema): string {
  if (s.$ref) return name(s);
  if (s.items) return `[${kind(s.items)}]`;
  const several = s.oneOf ?? s.anyOf;
  if (several) return several.map(kind).join(' | ');
  return [s.type ?? 'any'].flat().join(' | ');
}

function Fields({ title, of, schemas }: { title: string; of: Schema; schemas: Record<string, Schema> }) {
  const [path, setPath] = useState<string[]>([]);
  const shown = path.at(-1) ?? name(of);
  const s = schemas[shown] ?? of;
  const inner = (x: Schema): string => name(x) || (x.items ? inner(x.items) : x.additionalProperties && typeof x.additionalProperties === 'object' ? inner(x.additionalProperties) : '');
  return (
    <Card class="flush fields" title={title} extra={<span class="line" translate={false}>{path.length > 0 && <button type="button" class="button small" onClick={() => setPath(path.slice(0, -1))}>←</button>}<code>{shown}</code></span>}>
      <Table label={title} head={[t('name'), t('type'), t('meaning')]}>
        {Object.entries(s.properties ?? {}).map(([field, x]) => {
          const deeper = inner(x);
          return (
            <tr key={field} translate={false} lang="en">
              <td><code>{field}</code>{s.required?.includes(field) && <b class="star">*</b>}</td>
              <td>{schemas[deeper]?.properties ? <button type="button" class="button small" onClick={() => setPath([...path, deeper])}>{kind(x)}</button> : <code>{kind(x)}</code>}</td>
              <td>{x.description}{x.enum && <div class="faint">{x.enum.join(' · ')}</div>}</td>
            </tr>
          );
        })}
      </Table>
    </Card>
  );
}
