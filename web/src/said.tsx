// What the API says is wrong, in the reader's language: in Chinese where the dictionary has it, else in its own English.
import { faults } from './faults.zh.ts';
import { lang } from './state.ts';

/** A pattern of a sentence, and the order in which it is tried: the more of its own words it has, the sooner. */
const patterns = Object.entries(faults)
  .sort(([a], [b]) => b.replaceAll(/%\d*\w/g, '').length - a.replaceAll(/%\d*\w/g, '').length)
  .map(([said, zh]) => [new RegExp('^' + said.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll(/%\d*[dqsvX]/g, (verb) => (verb === '%d' ? '(-?\\d+)' : verb === '%q' ? '("(?:[^"\\\\]|\\\\.)*")' : '(.+?)')) + '$', 's'), zh] as const);

/** A sentence in Chinese, and what is said in it; undefined for one that is not known. */
export function inChinese(said: string): string | undefined {
  for (const [pattern, zh] of patterns) {
    const found = pattern.exec(said);
    if (found) return zh.replaceAll(/\{(\d)\}/g, (_, n: string) => { const part = found[Number(n)] ?? ''; return inChinese(part) ?? part; });
  }
  const [, place, rest] = /^([\w.[\]-]+): (.+)$/s.exec(said) ?? []; // the place in a recipe
  const zh = rest && inChinese(rest);
  return zh ? `${place}：${zh}` : undefined;
}

export function Said({ text }: { text: string }) {
  const zh = lang.value === 'zh' ? inChinese(text) : undefined;
  return zh ? <span translate={false} lang="zh">{zh}</span> : <span translate={false} lang="en">{text}</span>;
}
