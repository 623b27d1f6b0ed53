// Files of the API as downloads. One that does not fit into an answer comes in several: Link says where it goes on.
import { Fault } from './api.ts';

const mark = '\ufeff'; // spreadsheets read a file as UTF-8 only when it begins so

export async function downloadCSV(path: string, name: string): Promise<void> {
  const parts: string[] = [];
  for (let next: string | undefined = path; next;) {
    const answer: Response = await fetch(next);
    if (!answer.ok) throw new Fault(answer.status, await answer.json().catch(() => ({})));
    parts.push(await answer.text());
    next = /<([^>]+)>; *rel="next"/.exec(answer.headers.get('Link') ?? '')?.[1];
  }
  const text = parts.join('');
  save(text.startsWith(mark) ? text : mark + text, name);
}

/** Gives a text to the browser as a file. */
export function save(text: string, name: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv;charset=utf-8' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
