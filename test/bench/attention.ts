/**
 * How much of the attention of the shipped adapters lies on things in toybox clips of the test split, beside how much of the picture these take up: those that sound, and
 * those that are silent. `npm run bench:attention -- CLIPS` (default 30 of each layout) writes test/bench/results/attention.json.
 */
import { writeFile } from 'node:fs/promises';
import { createMettle } from '../../sdk/index.ts';
import { attentionOnThings } from '../helpers/toybox-attention.ts';

const clips = Array.from({ length: Number(process.argv[2] ?? 30) }, (_, index) => index);
const round = (value: number): number => Number(value.toFixed(4));

await using mettle = await createMettle({
  adapters: ['toybox-ave', 'toybox-llp', 'toybox-s4', 'toybox-ms3'],
  device: 'cpu',
  // Many minutes of other work on one core are no stall.
  stallSeconds: 600,
});
const rows: object[] = [];
for (const layout of ['avs-s4', 'avs-ms3', 'ave'] as const) {
  for (const [adapter, things] of await attentionOnThings(mettle, layout, clips)) {
    for (const [kind, { seconds, attention, area, above }] of Object.entries(things)) {
      if (seconds === 0) continue;
      const times = round(attention / area);
      rows.push({ layout, adapter, kind, seconds, attention: round(attention), area: round(area), times, above });
    }
  }
}
console.table(rows);
const { runtime } = mettle.info();
const document = { clips: clips.length, runtime, rows };
await writeFile(new URL('results/attention.json', import.meta.url), `${JSON.stringify(document, null, 2)}\n`);
