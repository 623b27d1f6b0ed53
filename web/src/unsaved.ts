// What was typed and is not saved is not lost by a step aside.
import { useEffect, useRef } from 'preact/hooks';
import { t } from './i18n.ts';
import { hold } from './route.tsx';
import { confirm } from './ui.tsx';

/** Whether what is not saved may go. */
const drop = async (): Promise<boolean> => (await confirm({ title: t('unsaved'), text: t('unsaved.text'), confirm: t('draft.lose'), danger: true, reason: false })) !== undefined;

/** Asks before the page is left while what was typed is not what it was at first. */
export function useUnsaved(...typed: unknown[]): void {
  const now = JSON.stringify(typed), first = useRef(now);
  const changed = now !== first.current;
  useEffect(() => (changed ? hold(drop) : undefined), [changed]);
}
