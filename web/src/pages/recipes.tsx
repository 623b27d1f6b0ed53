// Uploaded recipes: providers in YAML, without a deploy. Each fault is shown at its line.
import { useState } from 'preact/hooks';
import type { Recipe, RecipeList } from '../api.gen.ts';
import { del, get, put, query, v1 } from '../api.ts';
import { Needs } from '../frame.tsx';
import { t } from '../i18n.ts';
import { useAction, useLoad } from '../load.ts';
import { A, mayLeave } from '../route.tsx';
import { Said } from '../said.tsx';
import { may, toast } from '../state.ts';
import { Button, Card, Empty, Field, FileButton, Loading, Page, Raw, Table, Text, Trouble, When, confirm } from '../ui.tsx';
import { useUnsaved } from '../unsaved.ts';

export function Recipes() {
  const { data, fault, reload } = useLoad(() => (may('operate') ? get<RecipeList>('/v1/recipes') : Promise.resolve(undefined)), []);
  const [open, setOpen] = useState<Recipe | 'new'>();
  const action = useAction();
  if (!may('operate')) return <Page title={t('recipes')}><Card><Empty><Needs scope="operate" /></Empty></Card></Page>;
  const turn = async (to?: Recipe | 'new'): Promise<void> => { if (await mayLeave()) setOpen(to); };
  const edit = (name: string): Promise<void> => action.run(async () => turn(await get<Recipe>(v1`recipes/${name}`)));
  const remove = (name: string, version: number): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('delete.title', { name }), text: t('recipe.delete'), confirm: t('delete'), danger: true });
    if (reason === undefined) return;
    await del(v1`recipes/${name}` + query({ version, reason }));
    toast(t('deleted'));
    reload();
  });
  return (
    <Page title={t('recipes')} note={t('recipes.note')} actions={<><A class="button" href="/providers">{t('nav.providers')}</A>{may('admin') ? <Button kind="main" onClick={() => void turn('new')}>{t('recipe.upload')}</Button> : <Needs scope="admin" />}</>}>
      <Trouble fault={fault ?? action.fault} />
      {open && <Upload key={open === 'new' ? '' : open.name} r={open === 'new' ? undefined : open} close={() => void turn()} done={() => { setOpen(undefined); toast(t('saved')); reload(); }} />}
      <Card class="flush" title={t('recipes.list')}>
        {!data && !fault && <Loading />}
        {data?.items.length === 0 && <Empty>{t('recipes.none')}</Empty>}
        {data && data.items.length > 0 && (
          <Table label={t('recipes')} head={[t('name'), t('version'), t('changed'), t('author'), t('reason'), '']}>
            {data.items.map((r) => (
              <tr key={r.name}>
                <td><Raw>{r.name}</Raw></td><td>v{r.version}</td><td class="nowrap"><When at={r.changed_at} /></td><td><Raw>{r.author}</Raw></td><td><Raw>{r.reason || '—'}</Raw></td>
                <td class="end nowrap"><Button disabled={action.busy} onClick={() => void edit(r.name)}>{t('look')}</Button> {may('admin') && <><A class="button" href={'/providers/new' + query({ provider: r.name })}>{t('accounts.new')}</A> <Button kind="danger" disabled={action.busy} onClick={() => void remove(r.name, r.version)}>{t('delete')}</Button></>}</td>
              </tr>
            ))}
          </Table>
        )}
      </Card>
    </Page>
  );
}

function Upload({ r, close, done }: { r?: Recipe; close: () => void; done: () => void }) {
  const [name, setName] = useState(r?.name ?? '');
  const [text, setText] = useState(r?.recipe ?? '');
  useUnsaved(name, text);
  const action = useAction();
  const save = (): Promise<void> => action.run(async () => {
    const reason = await confirm({ title: t('recipe.upload'), confirm: t('save') });
    if (reason === undefined) return;
    await put(v1`recipes/${name}`, { recipe: text, reason, version: r?.version });
    done();
  });
  const take = async (file?: File): Promise<void> => {
    if (!file) return;
    const read = await file.text();
    setText(read);
    if (!r) setName(/^name:\s*([a-z][a-z0-9-]*)/m.exec(read)?.[1] ?? name);
  };
  const lines = text.split('\n');
  const faults = (action.fault?.fields ?? []).map((f) => ({ line: Number(f.pointer.split('line:')[1]) || 0, text: f.detail ?? f.code }));
  return (
    <Card title={r ? <Raw>{r.name}</Raw> : t('recipe.upload')} extra={<Button kind="link" onClick={close}>{t('close')}</Button>}>
      {action.fault && faults.length === 0 && <Trouble fault={action.fault} />}
      {faults.length > 0 && (
        <div class="alert bad" role="alert" data-faults>
          <strong>{t('recipe.faults', { n: faults.length })}</strong>
          <ol>{faults.map((f, i) => <li key={i}>{f.line > 0 && <>{t('recipe.line', { n: f.line })} <code translate={false}>{lines[f.line - 1]?.trim().slice(0, 80)}</code></>} <Said text={f.text} /></li>)}</ol>
        </div>
      )}
      <form class="form" onSubmit={(e) => { e.preventDefault(); void save(); }}>
        <Text label={t('name')} value={name} set={setName} required help={t('recipe.name')} error={action.fault?.at('path:name')} />
        <div class="field"><FileButton label={t('recipe.file')} accept=".yaml,.yml" chosen={(file) => void take(file)} /><small>{t('recipe.file.help')}</small></div>
        <Field wide label="recipe.yaml">{(id, note) => <textarea id={id} aria-describedby={note} class="code" rows={18} spellcheck={false} value={text} required onInput={(e) => setText(e.currentTarget.value)} />}</Field>
        <div class="wide actions">{may('admin') ? <Button kind="main" type="submit" disabled={action.busy || !name || !text}>{t('save')}</Button> : <Needs scope="admin" />}</div>
      </form>
    </Card>
  );
}
