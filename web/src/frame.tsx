// What stands around every page: navigation, the one search box, shortcuts.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { t, type Key } from './i18n.ts';
import { A, mayLeave, path, visit } from './route.tsx';
import { asked, askedTimes, dismiss, lang, session, signOut, theme, toasts, type Theme } from './state.ts';
import { Button, Code, Dialog, Questions, Raw, Tag, unask } from './ui.tsx';

interface Entry { href: string; key: Key; letter?: string; also?: string }
const groups: { title: Key; entries: Entry[] }[] = [
  { title: 'nav.look', entries: [
    { href: '/', key: 'nav.overview', letter: 'o' }, { href: '/messages', key: 'nav.messages', letter: 'm' },
    { href: '/traffic', key: 'nav.traffic', letter: 'f' }, { href: '/throttles', key: 'throttles', letter: 'l' }, { href: '/refused', key: 'nav.refused' }, { href: '/dlq', key: 'nav.dlq', letter: 'd' }, { href: '/suppressions', key: 'nav.suppressions', letter: 'u' },
  ] },
  { title: 'nav.sending', entries: [{ href: '/send', key: 'nav.send', letter: 's' }, { href: '/campaigns', key: 'nav.campaigns', letter: 'c', also: '/schedules' }, { href: '/templates', key: 'nav.templates', letter: 't' }] },
  { title: 'nav.settings', entries: [
    { href: '/providers', key: 'nav.providers', letter: 'p' }, { href: '/routes', key: 'nav.routes', letter: 'r' }, { href: '/tenants', key: 'nav.tenants', letter: 'k' }, { href: '/endpoints', key: 'nav.endpoints', letter: 'e' }, { href: '/users', key: 'nav.users' }, { href: '/audit', key: 'nav.audit', letter: 'h' }, { href: '/settings', key: 'nav.settings.page' },
  ] },
  { title: 'nav.developers', entries: [{ href: '/api', key: 'nav.api', letter: 'a' }] },
];

const menu = signal(false);
const keys = signal(false);

const isAt = (href: string): boolean => (href === '/' ? path.value === '/' : path.value === href || path.value.startsWith(href + '/'));

function Nav() {
  return (
    <nav id="nav" class={menu.value ? 'open' : ''} aria-label={t('nav')}>
      <A href="/" class="brand"><Logo /><span>notify</span></A>
      {groups.map((g) => (
        <div key={g.title}>
          <p>{t(g.title)}</p>
          {g.entries.map((e) => <A key={e.href} href={e.href} aria-current={isAt(e.href) || (e.also && isAt(e.also)) ? 'page' : undefined} followed={() => { menu.value = false; }}>{t(e.key)}</A>)}
          {g.title === 'nav.developers' && session.value?.inbox && <A href="/inbox" aria-current={isAt('/inbox') ? 'page' : undefined} followed={() => { menu.value = false; }}>{t('nav.inbox')}</A>}
        </div>
      ))}
    </nav>
  );
}

export const Logo = () => (
  <svg viewBox="0 0 16 16" width="24" height="24" aria-hidden="true"><rect width="16" height="16" rx="4" class="logo" /><path d="M4 5.5h8v6H6.5L4 13z" fill="#fff" /></svg>
);

/** Searches for what was typed or pasted; the text itself stays in memory. */
export async function search(text: string): Promise<void> {
  if (path.value !== '/search' && !(await mayLeave())) return;
  asked.value = text.trim();
  askedTimes.value++;
  if (asked.value) void visit('/search');
}

function SearchBox() {
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => {
    if (box.current) box.current.value = asked.value;
  }, [asked.value]);
  return (
    <form role="search" onSubmit={(e) => { e.preventDefault(); void search(box.current?.value ?? ''); }}>
      <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><circle cx="7" cy="7" r="4.5" fill="none" stroke="currentColor" stroke-width="1.5" /><path d="m10.5 10.5 3.5 3.5" stroke="currentColor" stroke-width="1.5" /></svg>
      <input id="search" ref={box} type="text" enterKeyHint="search" autocomplete="off" spellcheck={false} aria-label={t('search')} placeholder={t('search.hint')} aria-keyshortcuts="/" />
      <kbd aria-hidden="true">/</kbd>
    </form>
  );
}

const themes: Theme[] = ['auto', 'light', 'dark'];

export function Switches() {
  const other = lang.value === 'zh' ? 'en' : 'zh';
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] as Theme;
  return (
    <>
      <Button kind="link" lang={other} translate={false} onClick={() => { lang.value = other; }}>{other === 'zh' ? '中文' : 'English'}</Button>
      <Button kind="link" onClick={() => { theme.value = next; }} title={t('theme')}>{t(`theme.${theme.value}`)}</Button>
    </>
  );
}

function Top() {
  const s = session.value;
  return (
    <header class="top">
      <Button kind="link" class="menu" aria-label={t('nav')} aria-controls="nav" aria-expanded={menu.value} onClick={() => { menu.value = !menu.value; }}>☰</Button>
      <SearchBox />
      <div class="me">
        {s?.live ? <Tag tone="good" title={t('live.help')}>LIVE</Tag> : <Tag tone="warn" title={t('test.help')}>TEST</Tag>}
        <span class="who" title={t('signed_in', { key: s?.key ?? '', scopes: s?.scopes.join(' ') ?? '' })}><Raw>{s?.tenant || s?.key}</Raw></span>
        <Switches />
        <Button kind="link" onClick={() => { keys.value = true; }} aria-label={t('keys')} title={t('keys')}>?</Button>
        <Button kind="link" onClick={() => void mayLeave().then(async (yes) => { if (yes) await signOut(); })}>{t('sign_out')}</Button>
      </div>
    </header>
  );
}

function Shortcuts() {
  if (!keys.value) return null;
  const rows: [string, string][] = [['/', t('search')], ...groups.flatMap((g) => g.entries.filter((e) => e.letter).map((e): [string, string] => [`g ${e.letter}`, t(e.key)])), ['?', t('keys')]];
  return (
    <Dialog title={t('keys')} close={() => { keys.value = false; }}>
      <dl class="rows">{rows.map(([k, text]) => [<dt key={k}><kbd>{k}</kbd></dt>, <dd key={k + 'd'}>{text}</dd>])}</dl>
    </Dialog>
  );
}

const typing = (e: Event): boolean => e.target instanceof Element && !!e.target.closest('input, textarea, select, dialog');

function useShortcuts(): void {
  useEffect(() => {
    let g = 0;
    const press = (e: KeyboardEvent): void => {
      if (e.ctrlKey || e.metaKey || e.altKey || typing(e)) return;
      const entry = groups.flatMap((x) => x.entries).find((x) => x.letter === e.key);
      if (e.key === '/') {
        e.preventDefault();
        const box = document.querySelector<HTMLInputElement>('#search');
        box?.focus();
        box?.select();
      } else if (e.key === '?') keys.value = true;
      else if (entry && e.timeStamp - g < 1500) void visit(entry.href);
      g = e.key === 'g' ? e.timeStamp : 0;
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, []);
}

export const Toasts = () => (
  <div class="toasts" aria-live="polite">
    {toasts.value.map((x) => <div key={x.id} class={`toast ${x.kind}`}>{x.text}<Button kind="link" aria-label={t('close')} onClick={() => dismiss(x.id)}>✕</Button></div>)}
  </div>
);

export function Frame({ children }: { children: ComponentChildren }) {
  useShortcuts();
  useEffect(() => unask, [path.value]);
  return (
    <div class="frame">
      <a class="skip" href="#main">{t('skip')}</a>
      <Nav />
      <Top />
      <main id="main" tabIndex={-1}>{children}</main>
      <Toasts /><Questions /><Shortcuts />
    </div>
  );
}

/** What somebody without the right scope sees in place of a button. */
export const Needs = ({ scope }: { scope: string }) => <span class="faint">{t('needs', { scope: '' })}<Code>{scope}</Code></span>;
