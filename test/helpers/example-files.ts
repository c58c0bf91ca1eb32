/** Examples to teach with, as files. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeWav } from '../../sdk/node/output/wav.ts';
import { rate, takeOf, taughtEvents } from './taught-examples.ts';

/** As WAV files in `folder`, by event and `nothing`. */
export async function exampleFiles(folder: string, count = 5): Promise<Record<string, string[]>> {
  const files: Record<string, string[]> = {};
  for (const event of [...taughtEvents, 'nothing']) {
    files[event] = [];
    for (let take = 0; take < count; take++) {
      const path = join(folder, `${event}-${take}.wav`);
      await writeFile(path, encodeWav(takeOf(event, take), rate));
      files[event].push(path);
    }
  }
  return files;
}
