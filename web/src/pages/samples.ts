// How an operation is called from a shell, Go and Python.
export interface Schema {
  $ref?: string; type?: string | string[]; description?: string; enum?: string[]; example?: unknown; examples?: unknown[]; items?: Schema;
  properties?: Record<string, Schema>; required?: string[]; oneOf?: Schema[]; anyOf?: Schema[]; additionalProperties?: Schema | boolean; format?: string;
}

export interface Operation {
  method: string; path: string; operationId: string; summary: string; description?: string; tags?: string[]; security?: Record<string, string[]>[];
  parameters?: { name?: string; in: string; required?: boolean; description?: string; schema?: Schema; example?: unknown }[];
  requestBody?: { content: Record<string, { schema: Schema }> };
  responses: Record<string, { content?: Record<string, { schema: Schema }> }>;
}

/** A small value of a schema: what is required, and what has an example. */
export function sample(s: Schema, schemas: Record<string, Schema>, depth = 0): unknown {
  const known = s.example ?? s.examples?.[0];
  if (known !== undefined) return known;
  if (s.$ref) return depth > 3 ? {} : sample(schemas[s.$ref.split('/').at(-1) ?? ''] ?? {}, schemas, depth + 1);
  if (s.enum) return s.enum[0];
  const first = s.oneOf?.[0] ?? s.anyOf?.[0];
  if (first) return sample(first, schemas, depth + 1);
  switch ([s.type].flat()[0]) {
    case 'array': return s.items ? [sample(s.items, schemas, depth + 1)] : [];
    case 'integer': case 'number': return 1;
    case 'boolean': return true;
    case 'object': return s.properties ? members(s, schemas, depth) : {};
  }
  return s.format === 'date-time' ? '2026-01-02T15:04:05Z' : '…';
}

const people: Record<string, unknown> = { to: '+8613800138000', vars: { code: '482913' }, template: 'login-code', text: '【演示商城】您的验证码是482913', recipient: '+8613800138000' };

function members(s: Schema, schemas: Record<string, Schema>, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {};
  for (const [name, x] of Object.entries(s.properties ?? {})) {
    const wanted = s.required?.includes(name) || (depth <= 1 && name in people);
    if (wanted) out[name] = depth <= 1 && name in people && [x.type].flat()[0] !== 'array' ? people[name] : sample(x, schemas, depth + 1);
  }
  return out;
}

const url = (o: Operation): string => location.origin + o.path;
const keyed = (o: Operation): boolean => !!o.security?.length;

export function curl(o: Operation, body?: string): string {
  const lines = [`curl -sS${o.method === 'GET' ? '' : ` -X ${o.method}`} '${url(o)}'`];
  if (keyed(o)) lines.push(`-H "Authorization: Bearer $NOTIFY_KEY"`);
  if (body) lines.push(`-H 'Content-Type: application/json'`, `-d '${body.replaceAll("'", "'\\''")}'`);
  return lines.join(' \\\n  ');
}

export function go(o: Operation, body?: string): string {
  return [
    body ? `body := strings.NewReader(\`${body}\`)` : '',
    `req, err := http.NewRequestWithContext(ctx, "${o.method}", "${url(o)}", ${body ? 'body' : 'nil'})`,
    'if err != nil {\n\treturn err\n}',
    keyed(o) ? 'req.Header.Set("Authorization", "Bearer "+os.Getenv("NOTIFY_KEY"))' : '',
    body ? 'req.Header.Set("Content-Type", "application/json")' : '',
    'res, err := http.DefaultClient.Do(req)',
  ].filter(Boolean).join('\n');
}

export function python(o: Operation, body?: string): string {
  return [
    'import json, os, urllib.request', '',
    body ? `body = json.dumps(${body.replace(/\btrue\b/g, 'True').replace(/\bfalse\b/g, 'False').replace(/\bnull\b/g, 'None')}).encode()` : '',
    `req = urllib.request.Request("${url(o)}", method="${o.method}"${body ? ', data=body' : ''})`,
    keyed(o) ? 'req.add_header("Authorization", "Bearer " + os.environ["NOTIFY_KEY"])' : '',
    body ? 'req.add_header("Content-Type", "application/json")' : '',
    'print(urllib.request.urlopen(req).read().decode())',
  ].filter((l, i) => l || i === 1).join('\n');
}
