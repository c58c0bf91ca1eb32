/** The options of every command that loads models: where names lead, whether the network may be asked, and whom to trust. */
import type { HubOptions } from '../hub/access.ts';
import { readPublicKey } from '../node/publish/keys.ts';
import { usageError } from './options.ts';

/** Of commands that keep nothing. */
export const SOURCE_OPTIONS = {
  host: { type: 'string', multiple: true },
  key: { type: 'string', multiple: true },
} as const;

export const HUB_OPTIONS = {
  ...SOURCE_OPTIONS,
  offline: { type: 'boolean' },
  refresh: { type: 'boolean' },
} as const;

/** What they say in a help text. A digest or a key for one model is a part of its name and needs no option. */
export const SOURCE_HELP = `  --host NAME=URL     host that hf: or npm: stands for, e.g. hf=https://huggingface.co; may be repeated
  --key KEY           public key of a publisher, ed25519-... or a PEM file; may be repeated. Models that do not ship must
                      then be signed by one of them, or be pinned: ID#sha256-... to the digest of a manifest, which
                      "mettle verify" prints, or ID#ed25519-... to a key`;

export const HUB_HELP = `${SOURCE_HELP}
  --offline           what is not on this machine is not fetched
  --refresh           ask again what addresses lead to`;

export type HubFlags = { host?: string[]; key?: string[]; offline?: boolean; refresh?: boolean };

/** Throws `invalid-argument`, or what reading a key throws. */
export async function readHub(command: string, flags: HubFlags): Promise<HubOptions> {
  const hosts: HubOptions['hosts'] = {};
  for (const host of flags.host ?? []) {
    const [, name, url] = /^(hf|npm)=(https?:\/\/.+)$/.exec(host) ?? [];
    if (!name) throw usageError(`--host takes hf=URL or npm=URL, got "${host}".`, command);
    hosts[name as 'hf' | 'npm'] = url;
  }
  const publishers = flags.key && (await Promise.all(flags.key.map(readPublicKey)));
  return { hosts, publishers, offline: flags.offline, refresh: flags.refresh };
}
