/** What "backbone tap" and "backbone import" print of a network's values. */
import type { BackboneManifest } from '../contract/manifest.ts';
import { tapShape } from '../contract/taps.ts';
import type { TapCandidate } from '../onnx/tap-candidates.ts';
import { oneLine } from './terminal.ts';

/** One line each. */
export function candidatesText(candidates: readonly TapCandidate[]): string {
  const width = Math.max(0, ...candidates.map(({ value }) => value.length));
  const lines = candidates.map(({ value, shape, op, reason }) => {
    return `${oneLine(value).padEnd(width)}  [${shape.join(', ')}]  ${oneLine(op)}, ${reason}\n`;
  });
  return lines.join('');
}

export const tapsText = ({ taps }: BackboneManifest): string =>
  [...taps.visual, ...taps.audio]
    .map((tap) => `${oneLine(tap.name)}  ${tap.layout} [${tapShape(tap).join(', ')}]\n`)
    .join('');
