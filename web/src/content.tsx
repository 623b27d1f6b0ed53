// Content as its recipient would see it.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import type { Content, PreviewContent } from './api.gen.ts';
import { t } from './i18n.ts';
import { Raw, Tabs } from './ui.tsx';

/** A stranger's HTML goes to a page of its own that may do nothing. */
function Mail({ html }: { html: string }) {
  const form = useRef<HTMLFormElement>(null);
  const name = 'mail' + useId();
  useEffect(() => {
    const wait = setTimeout(() => form.current?.submit(), 150);
    return () => clearTimeout(wait);
  }, [html]);
  return (
    <>
      <form ref={form} method="post" action="/console/preview" target={name} hidden><input type="hidden" name="html" value={html} /></form>
      <iframe name={name} title={t('mail.frame')} sandbox="" tabIndex={-1} />
    </>
  );
}

export function AsSeen({ channel, content }: { channel: string; content: Content | PreviewContent }) {
  const [part, setPart] = useState('html');
  const { subject, title, text, html } = content;
  const data = content.data;
  if (channel === 'email') {
    const tabs = html && text;
    return (
      <div class="stack">
        {tabs && <Tabs label={t('mail.part')} value={part} set={setPart} options={[['html', 'HTML'], ['text', t('text')]]} />}
        <div class="mail">
          <div class="subject"><Raw>{subject}</Raw></div>
          {html && (part === 'html' || !text) ? <Mail html={html} /> : <pre translate={false}>{text}</pre>}
        </div>
      </div>
    );
  }
  if (channel === 'push') {
    return <div class="phone"><div class="push" translate={false}><i class="app" aria-hidden="true" /><div><strong>{title}</strong><p>{text}</p></div></div></div>;
  }
  if (chats.has(channel) && (title || text)) {
    return (
      <div class={`chat ${channel}`} translate={false}>
        <i class="face" aria-hidden="true">n</i>
        <div class="said">{title && <h3>{title}</h3>}<p><Marked text={text ?? ''} /></p></div>
      </div>
    );
  }
  if (data !== undefined && data !== '') return <pre class="block" translate={false}>{typeof data === 'string' ? pretty(data) : JSON.stringify(data, null, 2)}</pre>;
  return <div class="phone"><div class="bubble" translate={false}>{title && <h3>{title}</h3>}{text}</div></div>;
}

/** Where a bot speaks, in a card of its own. */
const chats = new Set(['feishu', 'dingtalk', 'wecom', 'wechat', 'whatsapp', 'slack', 'telegram', 'discord']);

/** The bold of Markdown, which chats write with one star or two; all else stays as it was written. */
const Marked = ({ text }: { text: string }) => <>{text.split(/(\*{1,2}[^*\n]+\*{1,2})/).map((part, i) => (i % 2 ? <strong key={i}>{part.replace(/\*/g, '')}</strong> : part))}</>;

function pretty(json: string): string {
  try {
    return JSON.stringify(JSON.parse(json), null, 2);
  } catch {
    return json;
  }
}

export function SegmentsLine({ of }: { of?: { count: number; encoding: string; units: number; remaining: number } }) {
  if (!of) return null;
  return <p class="faint">{t('segments', { n: of.count, encoding: of.encoding, units: of.units, left: of.remaining })}</p>;
}
