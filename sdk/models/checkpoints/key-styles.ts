/**
 * The ways in which projects name the tensors of one and the same network, as rules from their names to ours (which are Microsoft's for Swin-V2 and those of the
 * original HTS-AT). Nothing is read here.
 */

import type { LogMelFrontEnd } from '../../contract/manifest.ts';
import { MettleError } from '../../errors.ts';
import { clapRules, htsAtRules, outsideOfClap } from './hts-at.ts';
import type { Rule } from './rules.ts';
import { huggingFaceRules, microsoftRules, outsideOfHuggingFace, timmRules } from './swin-v2.ts';

export type Network = 'swin-v2' | 'hts-at';

export type KeyStyle = {
  id:
    | 'swin-v2-microsoft'
    | 'swin-v2-timm-0'
    | 'swin-v2-timm-1'
    | 'swin-v2-hugging-face'
    | 'hts-at'
    | 'clap-hugging-face';
  title: string;
  network: Network;
  rules: readonly Rule[];
  /** Whether names that no rule knows are ours already. */
  own: boolean;
  /** For names that do not stand under the network's prefix. */
  outside: readonly Rule[];
  /** What who uses these weights must know. */
  caveat?: string;
  /** Where these weights were trained on sound brought to them in another way than the preset says. */
  frontEnd?: Partial<LogMelFrontEnd>;
};

const swin = { network: 'swin-v2', own: true, outside: [] } as const;

const styles = {
  microsoft: { ...swin, id: 'swin-v2-microsoft', title: 'Microsoft Swin-V2', rules: microsoftRules },
  timm0: { ...swin, id: 'swin-v2-timm-0', title: 'timm Swin-V2, before 0.9', rules: microsoftRules },
  timm1: { ...swin, id: 'swin-v2-timm-1', title: 'timm Swin-V2, 0.9 and later', rules: timmRules },
  huggingFace: {
    network: 'swin-v2',
    own: false,
    id: 'swin-v2-hugging-face',
    title: 'Hugging Face Swinv2',
    rules: huggingFaceRules,
    outside: outsideOfHuggingFace,
  },
  htsAt: { network: 'hts-at', own: true, id: 'hts-at', title: 'HTS-AT', rules: htsAtRules, outside: [] },
  clap: {
    network: 'hts-at',
    own: false,
    id: 'clap-hugging-face',
    title: 'Hugging Face CLAP audio',
    rules: clapRules,
    outside: outsideOfClap,
    caveat:
      'CLAP was trained on sound at 48 kHz and against text: a substitute for HTS-AT of AudioSet, not the same backbone. The package asks for 48 kHz.',
    frontEnd: { sampleRate: 48000, hop: 480 },
  },
} satisfies Record<string, KeyStyle>;

export type Detected = { style: KeyStyle /** Stands before every name of the network. */; prefix: string };

/** The style of a file with these names. Throws `incompatible` that says what it is instead, where that can be told. */
export function detectStyle(names: Iterable<string>, where: string): Detected {
  const all = new Set(names);
  const before = (mark: RegExp): string | undefined => {
    for (const name of all) {
      const at = name.search(mark);
      if (at >= 0) return name.slice(0, at);
    }
    return undefined;
  };
  const has = (name: string): boolean => all.has(name);

  const hf = before(/encoder\.layers\.0\.blocks\.0\.attention\.self\.continuous_position_bias_mlp\.0\.weight$/);
  if (hf !== undefined) return { style: styles.huggingFace, prefix: hf };
  const swinPrefix = before(/layers\.0\.blocks\.0\.attn\.cpb_mlp\.0\.weight$/);
  if (swinPrefix !== undefined) return { style: swinStyle(all, swinPrefix), prefix: swinPrefix };
  const clap = before(/layers\.0\.blocks\.0\.attention\.self\.relative_position_bias_table$/);
  if (clap !== undefined && has(`${clap}batch_norm.running_mean`)) return { style: styles.clap, prefix: clap };
  const htsAt = before(/layers\.0\.blocks\.0\.attn\.relative_position_bias_table$/);
  if (htsAt !== undefined && has(`${htsAt}bn0.running_mean`)) return { style: styles.htsAt, prefix: htsAt };
  throw unknownStyle(all, where, clap !== undefined || htsAt !== undefined);
}

/** Microsoft's files carry tables; timm moved the patch merging to the beginning of the next stage. */
function swinStyle(names: ReadonlySet<string>, prefix: string): KeyStyle {
  const merges = [...names].filter((name) => name.startsWith(prefix) && name.includes('.downsample.'));
  if (merges.length > 0 && !merges.some((name) => name.startsWith(`${prefix}layers.0.`))) return styles.timm1;
  return names.has(`${prefix}layers.0.blocks.0.attn.relative_position_index`) ? styles.microsoft : styles.timm0;
}

function unknownStyle(names: ReadonlySet<string>, where: string, isSwin: boolean): MettleError {
  const known = Object.values(styles).map(({ title }) => title);
  const hint = `Known are: ${known.join('; ')}. Any other network can become a backbone as ONNX: mettle backbone tap.`;
  const shown = [...names].slice(0, 4).join(', ') || 'nothing';
  if (names.has('features.1.0.attn.cpb_mlp.0.weight')) {
    const message = `${where}: these are the names of torchvision, whose Swin-V2 computes something else where a map is smaller than its window.`;
    return new MettleError('incompatible', message, {
      hint: 'Take the checkpoint of Microsoft, timm or Hugging Face.',
    });
  }
  const what = isSwin
    ? 'this is Swin of the first generation, not Swin-V2 or HTS-AT'
    : 'its names are in no known style';
  return new MettleError('incompatible', `${where}: ${what}; it holds ${shown} ...`, { hint });
}
