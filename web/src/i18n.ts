// Texts of the console. Chinese has the keys; an English one that is missing does not compile.
import { en } from './en.ts';
import { lang } from './state.ts';
import { running as runningEn } from './running.en.ts';
import { running as runningZh } from './running.zh.ts';
import { steering as steeringEn } from './steering.en.ts';
import { steering as steeringZh } from './steering.zh.ts';
import { timed as timedEn } from './timed.en.ts';
import { timed as timedZh } from './timed.zh.ts';
import { words as wordsEn } from './words.en.ts';
import { words as wordsZh } from './words.zh.ts';
import { zh } from './zh.ts';

export type Key = keyof typeof zh | keyof typeof runningZh | keyof typeof steeringZh | keyof typeof timedZh | keyof typeof wordsZh;

type None<T extends never> = T;
/** Keys of two dictionaries, of which one would hide the other: with any, this does not compile. */
export type Twice = None<
  | (keyof typeof zh & (keyof typeof runningZh | keyof typeof steeringZh | keyof typeof timedZh | keyof typeof wordsZh)) | (keyof typeof runningZh & (keyof typeof steeringZh | keyof typeof timedZh | keyof typeof wordsZh))
  | (keyof typeof steeringZh & (keyof typeof timedZh | keyof typeof wordsZh)) | (keyof typeof timedZh & keyof typeof wordsZh)
>;

const texts: Record<'zh' | 'en', Record<Key, string>> = { zh: { ...zh, ...runningZh, ...steeringZh, ...timedZh, ...wordsZh }, en: { ...en, ...runningEn, ...steeringEn, ...timedEn, ...wordsEn } };

/** The text of a key; {name} is filled from values, and {name:one|more} is the word that goes with it. */
export function t(key: Key, values?: Record<string, string | number>): string {
  const text = texts[lang.value][key];
  return values ? text.replace(/\{(\w+)(?::([^|}]*)\|([^}]*))?\}/g, (_, name: string, one?: string, more?: string) => {
    const value = String(values[name] ?? '');
    return one === undefined ? value : (value === '1' ? one : more) ?? '';
  }) : text;
}

/** The word for a code of the API, such as a status; the code itself where there is none. */
export function word(group: 'status' | 'channel' | 'class' | 'event' | 'outcome' | 'reason' | 'receipt' | 'problem' | 'scope' | 'strategy' | 'suppression' | 'mode' | 'counter' | 'role' | 'role.help' | 'job' | 'run' | 'deed' | 'kind' | 'doubt' | 'approval' | 'endpoint', code: string): string {
  return texts[lang.value][`${group}.${code}` as Key] ?? code;
}

/** Which of a text in both languages. */
export const pick = <T>(both: { zh: T; en: T }): T => both[lang.value];
