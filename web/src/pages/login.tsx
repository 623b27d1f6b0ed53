import { useEffect, useState } from 'preact/hooks';
import { Logo, Switches } from '../frame.tsx';
import { t, type Key } from '../i18n.ts';
import { useAction } from '../load.ts';
import { go, keepPlace, path } from '../route.tsx';
import { readSession, session, signIn } from '../state.ts';
import { Button, Text, Trouble } from '../ui.tsx';

/** Why the identity provider led back here. */
const reasons: Record<string, Key | undefined> = { unknown: 'login.unknown', refused: 'login.refused' };

/** Waits tells that a page with changes is behind it: who signs in elsewhere comes back to it. */
export function Login({ waits }: { waits?: boolean }) {
  const [key, setKey] = useState('');
  const action = useAction();
  const refused = reasons[new URLSearchParams(location.search).get('error') ?? ''];
  const enter = (how: { key: string } | { token: string }): Promise<void> => action.run(async () => {
    await signIn(how);
    if (path.value === '/login') go('/', true);
  });
  useEffect(() => {
    if (!waits) return;
    const look = (): void => void readSession().catch(() => {});
    addEventListener('focus', look);
    return () => removeEventListener('focus', look);
  }, [waits]);
  useEffect(() => {
    const token = path.value === '/login' ? location.hash.slice(1) : '';
    if (!token) return;
    history.replaceState(null, '', location.pathname);
    void enter({ token });
  }, []);
  return (
    <main class="login">
      <div>
        <section class="card">
          <div class="body">
            <h1><Logo />notify</h1>
            <p class="note">{t('login.note')}</p>
            {waits && <p class="alert info" role="status" data-waits>{t('login.waits')}</p>}
            {refused && <p class="alert bad" role="alert">{t(refused)}</p>}
            {session.value?.identity && <p><a class="button main" href="/console/oidc" target={waits ? '_blank' : undefined} onClick={waits ? undefined : keepPlace}>{t('login.identity')}</a></p>}
            <form onSubmit={(e) => { e.preventDefault(); void enter({ key: key.trim() }); }}>
              <Text label={t('login.key')} type="password" autocomplete="current-password" value={key} set={setKey} placeholder="nfy_live_…" required autofocus help={t('login.help')} />
              <Button kind="main" type="submit" disabled={action.busy || !key.trim()}>{t('login.enter')}</Button>
            </form>
            {action.fault && <Trouble fault={action.fault} />}
            {session.value?.inbox && <p class="faint">{t('login.local')}</p>}
          </div>
        </section>
        <div class="foot"><Switches /></div>
      </div>
    </main>
  );
}
