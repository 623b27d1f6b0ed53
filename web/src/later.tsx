// Pages that are loaded when somebody goes there, so that the first load stays small.
import { signal } from '@preact/signals';
import type { ComponentType } from 'preact';
import { t } from './i18n.ts';
import { Button, Card, Empty, Loading, Page } from './ui.tsx';

/** The component that load brings; what stands in its place until then, and when it cannot be had: after an update the old files are gone. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const got = signal<ComponentType<P> | 'missing' | undefined>(undefined);
  let asked = false;
  return (props: P) => {
    const C = got.value;
    if (!asked) {
      asked = true;
      load().then((c) => { got.value = c; }, () => { got.value = 'missing'; });
    }
    if (C === undefined) return <Loading />;
    if (C === 'missing') return <Page title={t('later.missing')}><Card><Empty><p>{t('later.missing.text')}</p><Button kind="main" onClick={() => location.reload()}>{t('reload')}</Button></Empty></Card></Page>;
    return <C {...props} />;
  };
}
