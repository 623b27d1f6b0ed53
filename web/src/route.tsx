// URLs: /console/PAGE/… and a query for filters. Every page but a search can be sent to a colleague.
import { computed, signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';

const base = '/console';
const here = (): string => location.pathname.slice(base.length) + location.search;

export const place = signal(here());
export const path = computed(() => place.value.split('?')[0] || '/');
export const params = computed(() => new URLSearchParams(place.value.split('?')[1] ?? ''));
/** The parts of the path, decoded. */
export const parts = computed(() => path.value.split('/').filter(Boolean).map(decodeURIComponent));

/** Asks whether what is not saved on the page may be lost. */
type Ask = () => Promise<boolean>;
let held: Ask | undefined;

const closing = (e: BeforeUnloadEvent): void => e.preventDefault();

/** Holds the page until it is let go: who leaves it is asked first. */
export function hold(ask: Ask): () => void {
  held = ask;
  addEventListener('beforeunload', closing);
  return () => {
    if (held === ask) letGo();
  };
}

/** Whether something on the page is not saved. */
export const isHeld = (): boolean => held !== undefined;

function letGo(): void {
  held = undefined;
  removeEventListener('beforeunload', closing);
}

/** Whether the page may be left; then it is held no more. */
export async function mayLeave(): Promise<boolean> {
  if (held && !(await held())) return false;
  letGo();
  return true;
}

/** Which entry of the history this is: what a page keeps for the way back, it keeps under it. */
export const entry = (): number => (history.state as { n?: number } | null)?.n ?? 0;
let current = entry(), newest = current;

/** How far down each entry was left. */
const left = new Map<number, number>();
history.scrollRestoration = 'manual'; // the browser would do it before there is anything to scroll

/** Scrolls there as soon as there is enough on the page, unless somebody has gone on, or scrolled himself. */
function scrollBack(y: number, tries = 60): void {
  const of = current;
  if (y === 0 || tries === 0) return;
  setTimeout(() => {
    if (of !== current || scrollY > 0) return;
    if (document.documentElement.scrollHeight >= y + innerHeight) scrollTo(0, y);
    else scrollBack(y, tries - 1);
  }, 50);
}

addEventListener('popstate', () => {
  if (!held) {
    left.set(current, scrollY);
    current = entry();
    place.value = here();
    scrollTo(0, 0);
    scrollBack(left.get(current) ?? 0);
    return;
  }
  history.pushState({ n: current }, '', base + place.value); // the browser has gone already: the page is put on top of where it went
  void mayLeave().then((yes) => { if (yes) history.back(); });
});

/** Goes where somebody wants to go, if the page may be left. */
export async function visit(to: string): Promise<void> {
  if (to !== place.value && await mayLeave()) go(to);
}

export function go(to: string, replace = false): void {
  if (to === place.value) return;
  if (replace) history.replaceState(history.state, '', base + to);
  else {
    left.set(current, scrollY);
    current = newest = Math.max(newest, current) + 1;
    history.pushState({ n: current }, '', base + to);
  }
  place.value = to;
  if (!replace) scrollTo(0, 0);
}

/** Changes the query and keeps the rest. */
export function setParams(change: Record<string, string>): void {
  const q = new URLSearchParams(params.value);
  for (const [name, v] of Object.entries(change)) v ? q.set(name, v) : q.delete(name);
  const text = q.toString();
  go(path.value + (text && '?' + text), true);
}

export const to = (...names: (string | number)[]): string => '/' + names.map((n) => encodeURIComponent(n)).join('/');

const back = 'notify.back';

/** Keeps which page was asked for: an identity provider leads back to the first one only. */
export const keepPlace = (): void => sessionStorage.setItem(back, place.value);

/** Goes to the page that was kept, where a sign-in has led to the first one. */
export function backToPlace(): void {
  const kept = sessionStorage.getItem(back);
  sessionStorage.removeItem(back);
  if (kept && path.value === '/' && !kept.startsWith('/login')) go(kept, true);
}

interface LinkProps {
  href: string;
  class?: string;
  'aria-current'?: 'page';
  /** Told before the page changes. */
  followed?: () => void;
  children?: ComponentChildren;
}

export function A({ href, followed, children, ...rest }: LinkProps) {
  const follow = (e: MouseEvent): void => {
    if (e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey || e.altKey) return;
    e.preventDefault();
    followed?.();
    void visit(href);
  };
  return <a {...rest} href={base + href} onClick={follow}>{children}</a>;
}
