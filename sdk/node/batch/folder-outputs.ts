/** Outputs in a folder: one folder per film, which is there whole or not at all, and says in `batch.json` what it was made from. */
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { jsonText } from '../../contract/plain-text.ts';
import { sdkVersion } from '../../contract/version.ts';
import { MettleError } from '../../errors.ts';
import { DiskStore } from '../files/file-store.ts';
import type { Findings } from '../output/findings.ts';
import { writeResults } from '../output/write.ts';
import type { Film } from './film.ts';

/** What outputs were made from; they are made again when mark or recipe differ. */
export type Origin = {
  /** Path or address, as it was written; the name of the outputs stands for it. */
  film: string;
  mark: string;
  recipe: string;
};

/** Where outputs go. */
export type Outputs = {
  /** For people. */
  place(film: Film): string;
  /** Whether outputs of exactly this origin are there, complete. */
  has(film: Film, origin: Origin, signal?: AbortSignal): Promise<boolean>;
  /** Whole or not at all; what was there before goes. Throws `write`, or the signal's reason. */
  write(film: Film, origin: Origin, made: Made, signal?: AbortSignal): Promise<void>;
};

export type Made = { findings: Findings; captions: string | null };

const stamp = 'batch.json';

/** The texts that go beside what every run writes. */
export function textsOf(origin: Origin, { captions }: Made) {
  return {
    ...(captions === null ? {} : { 'captions.vtt': captions }),
    [stamp]: `${jsonText({ format: 'mettle-edge/batch', version: 1, ...origin, sdk: sdkVersion }, 2)}\n`,
  };
}

/** Whether the bytes of a `batch.json` tell of this origin. */
export function isOf(bytes: Uint8Array | null, { mark, recipe }: Origin): boolean {
  if (bytes === null) return false;
  try {
    const found = JSON.parse(new TextDecoder().decode(bytes));
    return found.mark === mark && found.recipe === recipe;
  } catch {
    return false;
  }
}

/** Throws `write` where `folder` cannot be made. */
export async function openFolder(folder: string): Promise<Outputs> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw new MettleError('write', `${folder} cannot be made: ${(cause as Error).message}.`, {
      hint: 'Name a folder that you may write to.',
      cause,
    });
  });
  const place = ({ name }: Film): string => join(folder, name);
  return {
    place,
    has: async (film, origin) => isOf(await new DiskStore(place(film)).load(stamp), origin),
    async write(film, origin, made, signal) {
      // Before anything is replaced: a folder that is half old and half new must not pass for either.
      await rm(join(place(film), stamp), { force: true });
      await writeResults(place(film), made.findings, { report: false, texts: textsOf(origin, made), signal });
    },
  };
}
