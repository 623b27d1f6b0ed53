// The channels that can be chosen: the service's own, and those that recipes declare.
import type { ProviderList } from './api.gen.ts';
import { get } from './api.ts';
import { pick, word } from './i18n.ts';
import { useLoad } from './load.ts';
import { may } from './state.ts';
import type { Options } from './ui.tsx';

const own = ['sms', 'email', 'push', 'feishu', 'dingtalk', 'wecom', 'wechat', 'whatsapp', 'slack', 'telegram', 'discord', 'webhook'] as const;

/** All of them with their names. Recipes are for operators to read: others have the service's own. */
export function useChannels(): Options {
  const { data } = useLoad(() => (may('operate') ? get<ProviderList>('/v1/providers') : Promise.resolve(undefined)), []);
  const declared = new Map((data?.items ?? []).flatMap((p) => (p.channel ? [[p.channel.name, pick(p.channel.title)] as const] : [])));
  return [...own.map((c) => [c, word('channel', c)] as const), ...declared];
}
