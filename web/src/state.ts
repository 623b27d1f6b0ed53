// What the whole page shares. Nothing here outlives the tab but language and theme.
import { computed, effect, signal } from '@preact/signals';
import { call, get, onSignedOut } from './api.ts';

export type Lang = 'zh' | 'en';
export type Theme = 'auto' | 'light' | 'dark';
export type Scope = 'send' | 'read' | 'support' | 'reveal' | 'operate' | 'admin';

export interface Session {
  key?: string;
  tenant?: string;
  live: boolean;
  scopes: Scope[];
  inbox?: string;
  /** People may sign in through the company's identity provider. */
  identity?: boolean;
}

const kept = (name: string): string | null => localStorage.getItem(name);

export const lang = signal<Lang>((kept('lang') as Lang | null) ?? (navigator.language.startsWith('zh') ? 'zh' : 'en'));
export const theme = signal<Theme>((kept('theme') as Theme | null) ?? 'auto');

effect(() => {
  document.documentElement.lang = lang.value;
  localStorage.setItem('lang', lang.value);
});
effect(() => {
  if (theme.value === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
  localStorage.setItem('theme', theme.value);
});

/** undefined while it is not known yet. */
export const session = signal<Session | undefined>();
export const signedIn = computed(() => !!session.value?.key);
export const may = (s: Scope): boolean => !!session.value?.scopes.includes(s);

/** What pages keep for the way back, by the entry of the history. */
export const wayBack = new Map<number, unknown>();

/** It may be somebody else who signs in next. */
function forget(): void {
  asked.value = '';
  wayBack.clear();
}

onSignedOut(() => {
  forget();
  if (session.value) session.value = { live: session.value.live, scopes: [], inbox: session.value.inbox, identity: session.value.identity };
});

export async function readSession(): Promise<void> {
  session.value = await get<Session>('/console/session');
}

export async function signIn(how: { key: string } | { token: string }): Promise<void> {
  await call('POST', '/console/login', how);
  await readSession();
}

export async function signOut(): Promise<void> {
  await call('POST', '/console/logout');
  forget();
  await readSession();
}

/** What stands in the search box. It is kept in memory only: a recipient must not get into a URL. */
export const asked = signal('');
/** Counts searches, so that asking the same again searches again. */
export const askedTimes = signal(0);

export interface Toast {
  id: number;
  text: string;
  kind: 'good' | 'bad';
}
export const toasts = signal<Toast[]>([]);
let lastToast = 0;

export function toast(text: string, kind: Toast['kind'] = 'good'): void {
  const id = ++lastToast;
  toasts.value = [...toasts.value, { id, text, kind }];
  setTimeout(() => dismiss(id), kind === 'good' ? 4000 : 10000);
}

export function dismiss(id: number): void {
  toasts.value = toasts.value.filter((t) => t.id !== id);
}
