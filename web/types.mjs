// Writes src/api.gen.ts: the API's types, from the document that the service itself serves.
import { readFileSync, writeFileSync } from 'node:fs';

const read = new URL('../docs/openapi.json', import.meta.url);
const written = new URL('src/api.gen.ts', import.meta.url);

const quoted = (name) => (/^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name));

function type(schema) {
  if (!schema || Object.keys(schema).length === 0) return 'unknown';
  if (schema.$ref) return schema.$ref.split('/').at(-1);
  const several = schema.oneOf ?? schema.anyOf;
  if (several) return several.map(type).join(' | ');
  if (schema.enum) return schema.enum.map((v) => JSON.stringify(v)).join(' | ');
  const kinds = [schema.type ?? (schema.properties ? 'object' : 'unknown')].flat();
  return kinds.map((kind) => one(kind, schema)).join(' | ');
}

function one(kind, schema) {
  switch (kind) {
    case 'array': return `(${type(schema.items)})[]`;
    case 'integer': return 'number';
    case 'object':
      if (schema.properties) return members(schema);
      return `Record<string, ${type(typeof schema.additionalProperties === 'object' ? schema.additionalProperties : {})}>`;
    default: return kind;
  }
}

function members(schema) {
  const required = new Set(schema.required ?? []);
  const lines = Object.entries(schema.properties).map(([name, s]) => `  ${quoted(name)}${required.has(name) ? '' : '?'}: ${type(s)};`);
  return `{\n${lines.join('\n')}\n}`;
}

export function writeTypes() {
  const { components } = JSON.parse(readFileSync(read, 'utf8'));
  const out = ['// Made from docs/openapi.json by types.mjs.'];
  for (const [name, schema] of Object.entries(components.schemas)) out.push(`export type ${name} = ${type(schema)};`);
  writeFileSync(written, out.join('\n\n') + '\n');
}
