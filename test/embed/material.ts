/** What every environment is given: a film of the made-up world, made by the package's own command, and what the command finds in it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shellIn } from './processes.ts';

export type Material = {
  /** Path of the film. */
  clip: string;
  /** Lines of events that every environment must show. */
  expected: string[];
};

type Event = { label: string; start: number; end: number };

/** Makes both in `folder`, where the package and its decoder are installed. Throws where the models do not find what the film shows. */
export async function makeMaterial(folder: string): Promise<Material> {
  const shell = shellIn(folder);
  const mettle = 'node node_modules/mettle-edge/dist/cli/mettle.js';
  await shell.run(`${mettle} data toybox --out toy --layouts ave --clips 1 --seed 2 --quiet`);
  const clip = join(folder, 'toy/ave/AVE/toy000000.webm');
  const { results } = JSON.parse(await shell.run(`${mettle} run ${clip} --adapter toybox-ave --json`));
  const events: Event[] = results[0].events;
  const annotations = await readFile(join(folder, 'toy/ave/Annotations.txt'), 'utf8');
  const label = annotations.split('\n')[1]!.split('&')[0]!;
  if (!events.some((event) => event.label === label)) throw new Error(`The ${label} of the film was not found.`);
  return { clip, expected: events.map(({ label, start, end }) => `${label}: ${start} to ${end} s`) };
}
