// A list of recipients out of a file: dropped or chosen, its columns told, its first rows looked at.
import { useEffect, useRef, useState } from 'preact/hooks';
import type { TemplateVariable } from './api.gen.ts';
import { asUTF8, beginning, check, guess, isOwn, looked, type Beginning, type Mapping } from './csv.ts';
import { save } from './download.ts';
import { number } from './format.ts';
import { t, type Key } from './i18n.ts';
import type { Chosen } from './upload.ts';
import { Button, FileButton, Raw, Select, Table } from './ui.tsx';

const size = (bytes: number): string => (bytes < 10_000 ? `${number(bytes)} B` : bytes < 1e6 ? `${number(Math.round(bytes / 1000))} KB` : `${number(Math.round(bytes / 1e5) / 10)} MB`);

/** As much as the API takes: pkg/audience. */
const mostBytes = 256 << 20;

/** Why a file is not even looked at. */
async function unusable(file: File): Promise<Key | undefined> {
  if (file.size > mostBytes) return 'file.large';
  if (file.size === 0) return 'file.empty';
  const [p, k] = new Uint8Array(await file.slice(0, 2).arrayBuffer());
  return p === 0x50 && k === 0x4b ? 'file.excel' : undefined; // PK: a zip, as .xlsx is
}

/** What stands in a file, or why it is of no use. */
async function open(file: File): Promise<[Opened | undefined, Key | undefined]> {
  const fault = await unusable(file);
  if (fault) return [undefined, fault];
  const { body, converted } = await asUTF8(file);
  return [{ name: file.name, body, converted, start: await beginning(body) }, undefined];
}

interface Opened { name: string; body: Blob; converted: boolean; start: Beginning }

/** Tells what was chosen, and the first row that can be read, for a preview. */
export function ListFile({ variables, filled, set }: { variables: TemplateVariable[]; filled: string[]; set: (c: Chosen | undefined, first?: Record<string, string>) => void }) {
  const [opened, setOpened] = useState<Opened>();
  const [map, setMap] = useState<Mapping>({ to: '', vars: {} });
  const [over, setOver] = useState(false);
  const [refused, setRefused] = useState<Key>();
  const chosen = useRef(0);
  const names = variables.map((v) => v.name).join();

  const read = async (file?: File): Promise<void> => {
    if (!file) return;
    const mine = ++chosen.current; // another may be chosen while a large one is read
    const [got, fault] = await open(file).catch((): [undefined, Key] => [undefined, 'file.unreadable']);
    if (mine !== chosen.current) return;
    setRefused(fault);
    setOpened(got);
  };
  useEffect(() => { if (opened) setMap(guess(opened.start.columns, variables)); }, [opened, names]);
  useEffect(() => {
    const row = opened?.start.rows[0];
    if (!opened || !row || !map.to) return set(undefined);
    const at = (column?: string): string => (column ? row[opened.start.columns.indexOf(column)] ?? '' : '').trim();
    const first = Object.fromEntries(variables.filter((v) => map.vars[v.name]).map((v) => [v.name, at(map.vars[v.name])]));
    // Without a word the service takes a column of a variable's name; none is "".
    const vars = Object.fromEntries(variables.map((v) => [v.name, map.vars[v.name] ?? '']));
    set({ file: opened.body, audience: { format: 'csv', columns: { to: map.to, vars } } }, first);
  }, [opened, map]);

  const example = (): void => save(['手机号', ...variables.map((v) => v.name)].join(',') + '\n' + ['+8613800138001', ...variables.map((v) => v.example ?? '')].map(quoted).join(',') + '\n', 'example.csv');
  const chooser = <FileButton label={opened ? t('file.other') : t('file.choose')} accept=".csv,text/csv" chosen={(file) => void read(file)} />;
  const dropped = { onDragOver: (e: DragEvent) => { e.preventDefault(); setOver(true); }, onDragLeave: () => setOver(false), onDrop: (e: DragEvent) => { e.preventDefault(); setOver(false); void read(e.dataTransfer?.files[0]); } };
  if (!opened) return <div class={`drop ${over ? 'over' : ''}`} {...dropped}>{refused && <div class="alert bad" role="alert">{t(refused)}</div>}<p>{t('file.drop')}</p><div class="actions">{chooser}<Button kind="link" onClick={example}>{t('file.example')}</Button></div></div>;
  const { start } = opened;
  const own = start.columns.filter(isOwn);
  const unused = start.columns.filter((c) => c && c !== map.to && !own.includes(c) && !Object.values(map.vars).includes(c));
  return (
    <div class="stack" {...dropped}>
      <div class="line"><strong><Raw>{t(start.whole ? 'file.rows' : 'file.rows.more', { name: opened.name, size: size(opened.body.size), rows: number(start.rows.length) })}</Raw></strong>{chooser}</div>
      {opened.converted && <div class="alert warn">{t('file.converted')}</div>}
      {start.rows.length === 0 ? <div class="alert bad" role="alert">{t('file.empty')}</div> : <>
        <h3>{t('columns.map')}</h3>
        <div class="form">
          <Select label={t('columns.to')} required value={map.to} set={(to) => setMap({ ...map, to })} options={[['', t('columns.none')], ...start.columns.map((c) => [c, c] as const)]} />
          {variables.map((v) => (
            <Select key={v.name} label={<Raw>{v.name}</Raw>} required={!v.optional && !filled.includes(v.name)} value={map.vars[v.name] ?? ''}
              set={(c) => setMap({ ...map, vars: c ? { ...map.vars, [v.name]: c } : Object.fromEntries(Object.entries(map.vars).filter(([n]) => n !== v.name)) })}
              options={[['', t('columns.same')], ...start.columns.map((c) => [c, c] as const)]} />
          ))}
        </div>
        {own.length > 0 && <p class="faint">{t('columns.own')}<Raw>{own.join(', ')}</Raw></p>}
        {unused.length > 0 && <p class="faint">{t('columns.unused', { names: '' })}<Raw>{unused.join(', ')}</Raw></p>}
        <Rows start={start} map={map} variables={variables.filter((v) => !filled.includes(v.name) || map.vars[v.name])} />
      </>}
    </div>
  );
}

const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** How many of the rows that were looked at are shown; those that are wrong go first. */
const shown = 8;

function Rows({ start, map, variables }: { start: Beginning; map: Mapping; variables: TemplateVariable[] }) {
  const rows = start.rows.slice(0, looked).map((cells, i) => ({ n: i + 1, cells, wrong: check(start, cells, map, variables) }));
  const bad = rows.filter((r) => r.wrong.size > 0);
  const list = [...bad, ...rows.filter((r) => r.wrong.size === 0)].slice(0, shown).sort((a, b) => a.n - b.n);
  return (
    <>
      <p class={bad.length > 0 ? 'wrong-note' : 'good-note'} role="status">{bad.length > 0 ? t('cells.bad', { n: rows.length, bad: bad.length }) : t('cells.good', { n: rows.length })}</p>
      <Table label={t('new.check')} head={[t('bad_rows.row'), ...start.columns.map((c) => <Raw key={c}>{c}</Raw>)]}>
        {list.map((r) => (
          <tr key={r.n}>
            <td class="faint">{r.n}</td>
            {start.columns.map((c, i) => {
              const fault = r.wrong.get(c);
              return <td key={i} class={fault ? 'cell bad' : 'cell'}><Raw>{r.cells[i]}</Raw>{fault && <small> {t(`cell.${fault}`)}</small>}</td>;
            })}
          </tr>
        ))}
      </Table>
    </>
  );
}
