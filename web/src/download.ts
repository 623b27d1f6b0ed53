// Files of the API as downloads. One that does not fit into an answer comes in several: Link says where it goes on.
import { Fault } from './api.ts';

const mark = '\ufeff'; // spreadsheets read a file as UTF-8 only when it begins so

export async function downloadCSV(path: string, name: string): Promise<void> {
  const parts: string[] = [];
  for (let next: string | undefined = path; next;) {
    const answer: Response = await fetch(next);
    if (!answer.ok) throw new Fault(answer.status, await answer.json().catch(() => ({})));
    const text = await answer.text();
    parts.push(parts.length > 0 ? text.slice(head(text).length) : text); // each has the header
    next = /<([^>]+)>; *rel="next"/.exec(answer.headers.get('Link') ?? '')?.[1];
  }
  const text = parts.join('');
  save(text.startsWith(mark) ? text : mark + text, name);
}

/** The first row with its line end; in quotes there may be others. */
function head(text: string): string {
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') quoted = !quoted;
    else if (text[i] === '\n' && !quoted) return text.slice(0, i + 1);
  }
  return text;
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
