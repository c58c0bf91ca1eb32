/** What hubs read at the top of a card, README.md, and what of it is missing there. */
import { join } from 'node:path';
import { limits } from '../../contract/limits.ts';
import type { Manifest } from '../../contract/manifest.ts';
import { readSmall } from '../disk.ts';

/** In sentences; none where a hub finds what it looks for. */
export async function cardNotes(folder: string, { kind, files, license }: Manifest): Promise<string[]> {
  const unknown = license === 'unknown' ? ['Its licence is noted as unknown: nobody may use it then.'] : [];
  if (!files.some(({ path }) => path === 'README.md'))
    return [...unknown, 'There is no README.md: nobody learns what it is for.'];
  const card = new TextDecoder().decode(await readSmall(join(folder, 'README.md'), 'a card', limits.noteBytes));
  const [, head] = /^---\r?\n(.*?)\r?\n---\r?\n/s.exec(card) ?? [];
  if (head === undefined) return [...unknown, 'README.md does not begin with the lines between --- that hubs read.'];
  const wanted = ['license', 'tags', ...(kind === 'adapter' ? ['base_model'] : [])];
  const missing = wanted.filter((field) => !new RegExp(`^${field}:`, 'm').test(head));
  return missing.length > 0 ? [...unknown, `README.md says no ${missing.join(', no ')} to hubs.`] : unknown;
}
