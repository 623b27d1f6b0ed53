// Reading from the API in a component: again every few seconds while somebody looks.
import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import { Fault } from './api.ts';

export interface Loaded<T> {
  data?: T;
  fault?: Fault;
  reload: () => void;
}

export const fault = (e: unknown): Fault => (e instanceof Fault ? e : new Fault(-1, { detail: String(e) }));

/** What is read once is read again while the service cannot be reached. */
const retry = 5000;
const down = (f?: Fault): boolean => !!f && (f.status === 0 || f.status >= 500);

/**
 * Reads once per change of deps, and every few milliseconds while every is set and the tab is seen; how often may depend on what was read.
 * While an answer is awaited it is not asked again: of a service that is slower than that nothing would ever be seen.
 */
export function useLoad<T>(read: () => Promise<T>, deps: unknown[], every: number | ((data?: T) => number) = 0): Loaded<T> {
  const [state, set] = useState<{ data?: T; fault?: Fault }>({});
  const [round, again] = useState(0);
  const current = useRef(0), awaited = useRef(false);
  const run = async (): Promise<void> => {
    const mine = ++current.current;
    awaited.current = true;
    try {
      const data = await read();
      if (mine === current.current) set({ data });
    } catch (e) {
      if (mine === current.current) set((s) => ({ data: s.data, fault: fault(e) }));
    }
    if (mine === current.current) awaited.current = false;
  };
  useEffect(() => {
    set({});
    void run();
    return () => { current.current++; };
  }, deps);
  useEffect(() => {
    if (round > 0) void run();
  }, [round]);
  const wait = (typeof every === 'number' ? every : every(state.data)) || (down(state.fault) ? retry : 0);
  useEffect(() => {
    if (!wait) return;
    const tick = setInterval(() => {
      if (!document.hidden && !awaited.current) again((n) => n + 1);
    }, wait);
    return () => clearInterval(tick);
  }, [wait]);
  return { ...state, reload: useCallback(() => again((n) => n + 1), []) };
}

/** An action under way: no second click, and its fault stays beside the form until it is cleared. */
export function useAction(): { busy: boolean; fault?: Fault; run: (fn: () => Promise<void>) => Promise<void>; clear: () => void } {
  const [state, set] = useState<{ busy: boolean; fault?: Fault }>({ busy: false });
  const run = async (fn: () => Promise<void>): Promise<void> => {
    set({ busy: true });
    try {
      await fn();
      set({ busy: false });
    } catch (e) {
      set({ busy: false, fault: fault(e) });
    }
  };
  return { ...state, run, clear: () => set((s) => ({ busy: s.busy })) };
}
