/**
 * `npx tsx test/bench/recordings.ts ADAPTER --backbone DIR [--backbone DIR] [--sounds DIR] [--json]`: what an adapter of `parse` hears in recordings alone, without a picture: fold 3 of
 * ESC-10, from which nothing was learned. The class that is heard most over all seconds must be the recording's. 80 recordings, so a figure is good to a few percent.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { listTakes } from '../../adapters/everyday/esc10.ts';
import { leftOut } from '../../adapters/everyday/recordings.ts';
import { labelOfRecording } from '../../adapters/everyday/splits.ts';
import { createMettle, type Mettle } from '../../sdk/index.ts';

type Tally = { label: string; right: number; recordings: number; mistakenFor: string[] };

async function hearAll(mettle: Mettle, sounds: string): Promise<Tally[]> {
  const { takes } = await listTakes(sounds);
  const tallies = new Map<string, Tally>();
  for (const take of takes.filter(({ fold, name }) => fold === 3 && !leftOut.includes(name))) {
    const label = labelOfRecording({ name: `esc10/${take.name}` });
    if (label === null) throw new Error(`${take.name} is no thing.`);
    const tally = tallies.get(label) ?? { label, right: 0, recordings: 0, mistakenFor: [] };
    const { classes, seconds } = await mettle.parse(take.path);
    const sums = classes.map((_, c) => seconds.reduce((sum, { audio }) => sum + audio[c]!, 0));
    const answer = classes[sums.indexOf(Math.max(...sums))]!;
    tally.recordings++;
    if (answer === label) tally.right++;
    else tally.mistakenFor.push(answer);
    tallies.set(label, tally);
  }
  return [...tallies.values()];
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backbone: { type: 'string', multiple: true },
    sounds: { type: 'string', default: fileURLToPath(new URL('../../../shared/data/sounds/esc10', import.meta.url)) },
    json: { type: 'boolean', default: false },
  },
});
const [adapter] = positionals;
if (adapter === undefined) {
  process.stderr.write('Usage: npx tsx test/bench/recordings.ts ADAPTER [--backbone DIR]... [--sounds DIR] [--json]\n');
  process.exit(2);
}
const [first = 'nano', second] = values.backbone ?? [];
await using mettle = await createMettle({
  backbone: second ? [first, second] : first,
  adapters: [adapter],
  device: 'cpu',
});
const tallies = await hearAll(mettle, values.sounds);
const sum = (key: 'right' | 'recordings'): number => tallies.reduce((total, tally) => total + tally[key], 0);
const percent = (100 * sum('right')) / sum('recordings');
if (values.json) process.stdout.write(`${JSON.stringify({ percent, tallies }, null, 2)}\n`);
else {
  for (const { label, right, recordings, mistakenFor } of tallies) {
    process.stdout.write(`${label.padEnd(12)} ${right}/${recordings}  ${mistakenFor.join(', ')}\n`);
  }
  process.stdout.write(`right ${percent.toFixed(1)} % of ${sum('recordings')}\n`);
}
