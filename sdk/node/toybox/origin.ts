/** Where a toybox data set says what it is: the first line of `toybox.jsonl` in its folder. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ALL_TOYBOX_LAYOUTS, type ToyboxLayout } from '../../toybox/index.ts';

export const toyboxLog = 'toybox.jsonl';

/** Raised when the same seed gives other clips than before. */
const version = 3;

export type ToyboxOrigin = { seed: number; layout: ToyboxLayout };

/** The first line. */
export const toyboxHeader = ({ seed, layout }: ToyboxOrigin): string =>
  JSON.stringify({ toybox: version, seed, layout });

/** What the data set in a folder was made from; null where it is no toybox of this version. */
export async function toyboxOrigin(folder: string): Promise<ToyboxOrigin | null> {
  const text = await readFile(join(folder, toyboxLog), 'utf8').catch(() => '');
  const [, seed, layout] = /^\{"toybox":\d+,"seed":(\d+),"layout":"([a-z0-9-]+)"\}\n/.exec(text) ?? [];
  const origin = { seed: Number(seed), layout: ALL_TOYBOX_LAYOUTS.find((name) => name === layout)! };
  return text.startsWith(`${toyboxHeader(origin)}\n`) ? origin : null;
}
