// Calls to the API, with the session's cookie. Recipients go in bodies only.
import type { Field, Problem } from './api.gen.ts';

export class Fault extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly fields: Field[];
  readonly request: string;

  constructor(status: number, p: Partial<Problem>) {
    super(p.detail || p.title || String(status));
    this.status = status;
    this.code = p.code ?? (status === 0 ? 'offline' : 'internal');
    this.detail = p.detail ?? '';
    this.fields = p.errors ?? [];
    this.request = p.request_id ?? '';
  }

  /** What is wrong with the value at a JSON pointer. */
  at(pointer: string): Field | undefined {
    return this.fields.find((f) => f.pointer === pointer);
  }
}

let signedOut = (): void => {};
/** onSignedOut is told when the session has ended. */
export function onSignedOut(fn: () => void): void {
  signedOut = fn;
}

export async function call<T>(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<T> {
  const init: RequestInit = { method, headers };
  if (body !== undefined) {
    init.body = JSON.stringify(body);
    init.headers = { ...headers, 'Content-Type': 'application/json' };
  }
  let answer: Response;
  try {
    answer = await fetch(path, init);
  } catch {
    throw new Fault(0, {});
  }
  if (!answer.ok) {
    const problem = (await answer.json().catch(() => ({}))) as Partial<Problem>;
    if (answer.status === 401 && path.startsWith('/v1/')) signedOut();
    throw new Fault(answer.status, problem);
  }
  const text = await answer.text();
  return (text ? JSON.parse(text) : undefined) as T;
}

export const get = <T>(path: string): Promise<T> => call<T>('GET', path);
export const post = <T>(path: string, body?: unknown, headers?: Record<string, string>): Promise<T> => call<T>('POST', path, body, headers);
export const put = <T>(path: string, body: unknown): Promise<T> => call<T>('PUT', path, body);
export const del = <T>(path: string): Promise<T> => call<T>('DELETE', path);

/** A path of the API: its values are escaped. */
export function v1(strings: TemplateStringsArray, ...values: (string | number)[]): string {
  return '/v1/' + String.raw({ raw: strings }, ...values.map((v) => encodeURIComponent(v)));
}

/** A query string of what is set. */
export function query(values: Record<string, string | number | null | undefined>): string {
  const q = new URLSearchParams();
  for (const [name, v] of Object.entries(values)) if (v !== undefined && v !== null && v !== '') q.set(name, String(v));
  const text = q.toString();
  return text && '?' + text;
}
