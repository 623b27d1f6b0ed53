// The beginning of a list of recipients, read in the browser: enough to map columns and to see what is wrong
// before anything is uploaded. The server reads the whole file, and its word counts.
import type { TemplateVariable } from './api.gen.ts';

export interface Beginning {
  columns: string[];
  rows: string[][];
  /** All rows are here. */
  whole: boolean;
}

/** How many rows are looked at. */
export const looked = 50;
const startBytes = 256 << 10;

/** Reads text as CSV: quotes, line ends of any system, and comma, semicolon or tab, as the header has most of. */
export function parse(text: string, most: number): { cells: string[][]; rest: boolean } {
  const head = text.slice(0, text.search(/[\r\n]|$/));
  const comma = [',', ';', '\t'].map((c) => [c, head.split(c).length] as const).sort((a, b) => b[1] - a[1])[0]?.[0] ?? ',';
  const cells: string[][] = [];
  let row: string[] = [], cell = '', quoted = false;
  const endRow = (): void => {
    row.push(cell);
    if (row.length > 1 || cell.trim() !== '') cells.push(row);
    row = [];
    cell = '';
  };
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[++i];
      else quoted = false;
    } else if (c === '"' && cell === '') quoted = true;
    else if (c === comma) {
      row.push(cell);
      cell = '';
    } else if (c === '\n' || c === '\r') {
      if (c === '\r' && text[i + 1] === '\n') i++;
      endRow();
      if (cells.length > most) return { cells, rest: i + 1 < text.length };
    } else cell += c;
  }
  endRow();
  return { cells, rest: false };
}

/** A file as UTF-8. Spreadsheets in Chinese often write GB18030, which is converted; others are taken as they are. */
export async function asUTF8(file: File): Promise<{ body: Blob; converted: boolean }> {
  if (await decodes(file)) return { body: file, converted: false };
  const body = await new Response(file.stream().pipeThrough(new TextDecoderStream('gb18030')).pipeThrough(new TextEncoderStream())).blob();
  return { body, converted: true };
}

/** All of it is UTF-8: the first name in Chinese may stand far down. */
async function decodes(file: File): Promise<boolean> {
  const all = file.stream().getReader(), text = new TextDecoder('utf-8', { fatal: true });
  for (;;) {
    const { done, value } = await all.read(); // a file that cannot be read is no question of its letters
    try {
      text.decode(value, { stream: !done });
    } catch {
      await all.cancel();
      return false;
    }
    if (done) return true;
  }
}

/** A cell without the quote that keeps spreadsheets from computing it; pkg/audience puts it there, and takes it away. */
function unescape(cell: string): string {
  const bare = cell.replace(/^'+/, '');
  return cell.startsWith("'") && /^[=+\-@\t\r]/.test(bare) && !/^.[\d .]+$/s.test(bare) ? cell.slice(1) : cell;
}

/** The header and the first rows. */
export async function beginning(body: Blob): Promise<Beginning> {
  const cut = body.size > startBytes;
  const { cells, rest } = parse(new TextDecoder().decode(await body.slice(0, startBytes).arrayBuffer()), looked);
  if (cut && !rest && cells.length > 2) cells.pop(); // it may be half a row
  const [columns = [], ...rows] = cells;
  return { columns: columns.map((c) => unescape(c.trim())), rows: rows.slice(0, looked).map((row) => row.map(unescape)), whole: !cut && !rest && rows.length <= looked };
}

// The names by which the server knows columns without being told: pkg/audience.
const known = ['to', 'recipient', 'phone', 'mobile', 'email', 'mail', 'address', '手机号', '手机号码', '手机', '电话', '邮箱', '收件人'];
const own = ['channel', '渠道', 'locale', 'language', '语言'];

/** The service reads a row's own channel or language there. */
export const isOwn = (column: string): boolean => own.includes(column.toLowerCase());

export interface Mapping {
  to: string;
  vars: Record<string, string>;
}

/** Which column is what, by their names. */
export function guess(columns: string[], variables: TemplateVariable[]): Mapping {
  const vars: Record<string, string> = {};
  for (const v of variables) if (columns.includes(v.name)) vars[v.name] = v.name;
  return { to: columns.find((c) => known.includes(c.toLowerCase())) ?? '', vars };
}

export type CellFault = 'empty' | 'number' | 'long' | 'address';

/** What is wrong with a row, by column. An address is only looked at from afar: the server knows numbering plans. */
export function check(b: Beginning, row: string[], m: Mapping, variables: TemplateVariable[]): Map<string, CellFault> {
  const out = new Map<string, CellFault>();
  const at = (column: string): string => (row[b.columns.indexOf(column)] ?? '').trim();
  if (m.to && !at(m.to)) out.set(m.to, 'empty');
  else if (m.to && /^\+?[\d\s().-]+$/.test(at(m.to)) && at(m.to).replace(/\D/g, '').length < 7) out.set(m.to, 'address');
  for (const v of variables) {
    const column = m.vars[v.name];
    if (!column) continue;
    const text = at(column);
    if (!text && !v.optional) out.set(column, 'empty');
    else if (text && v.type === 'number' && !Number.isFinite(Number(text))) out.set(column, 'number');
    else if (v.max_length && [...text].length > v.max_length) out.set(column, 'long');
  }
  return out;
}
