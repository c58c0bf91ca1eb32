/** What an import tells about a checkpoint: what the file is, and what becomes of each tensor. */
import { spacedLine } from '../contract/plain-text.ts';
import { type Accounting, misshapenText } from '../models/checkpoints/account.ts';
import { sizesText } from '../models/checkpoints/sizes.ts';
import type { Checkpoint } from '../onnx/checkpoint/types.ts';

export type AccountReport = {
  where: string;
  /** Of the file. */
  bytes: number;
  checkpoint: Checkpoint;
  accounting: Accounting;
  presetName: string;
  /** Also the names of all tensors that are left out. */
  verbose?: boolean;
};

/** Several lines, each ended. Names of tensors that stop the import are all there; the first few, where the network is of another size anyway. */
export function accountText({ where, bytes, checkpoint, accounting, presetName, verbose }: AccountReport): string {
  const { style, prefix, sizes, fitting, sources, ignored, problems } = accounting;
  const used = [...sources.values()].flat().filter((name) => name !== '');
  const numbers = used.reduce((sum, name) => sum + count(checkpoint.tensors.get(name)!.shape), 0);
  const types = [...new Set(used.map((name) => checkpoint.tensors.get(name)!.dtype))].sort().join(', ');
  const nested = checkpoint.nested === null ? '' : `, weights under "${checkpoint.nested}"`;
  const lines = [
    `${where}: ${checkpoint.container}, ${(bytes / 1e6).toFixed(1)} MB${nested}`,
    `  names     ${style.title}${prefix ? `, prefix "${prefix}"` : ''}`,
    `  network   ${sizesText(sizes)}`,
    `  used      ${used.length} tensors, ${(numbers / 1e6).toFixed(1)} M numbers, ${types}`,
    ...ignored.map(({ reason, names }) => `  left out  ${namesText(names, verbose === true)}: ${reason}`),
  ];
  if (checkpoint.others.length > 0) {
    lines.push(`  left out  ${namesText(checkpoint.others, verbose === true)}: not weights of the network`);
  }
  const others = fitting.filter((name) => name !== presetName);
  if (others.length > 0 && fitting.length > others.length) {
    lines.push(`  note      the file does not tell its window; it would fit ${others.join(', ')} too: go by its name`);
  }
  if (style.caveat) lines.push(`  note      ${style.caveat}`);
  const most = problems.sizes.length > 0 && !verbose ? 4 : Number.POSITIVE_INFINITY;
  const listed = (what: string, names: readonly string[]): string[] => {
    const shown = names.slice(0, most).map((name) => `  ${what.padEnd(8)}  ${name}`);
    return names.length > most
      ? [...shown, `  ${what.padEnd(8)}  and ${names.length - most} more: see --verbose`]
      : shown;
  };
  lines.push(
    ...listed('unknown', problems.unknown),
    ...listed('missing', problems.missing),
    ...listed('differs', problems.frontEnd),
    ...listed('shape', problems.misshapen.map(misshapenText)),
  );
  return lines.map((line) => `${spacedLine(line)}\n`).join('');
}

const namesText = (names: readonly string[], all: boolean): string =>
  all || names.length <= 3 ? names.join(', ') : `${names.length} tensors such as ${names[0]}`;

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
