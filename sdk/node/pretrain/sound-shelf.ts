/** Sounds, decoded once into files of plain samples; from then on a stretch of a few seconds is read without the rest. */
import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { concatenate } from '../../arrays.ts';
import { MettleError } from '../../errors.ts';
import { openClip } from '../../media/clip.ts';
import type { Dice } from '../../toybox/dice.ts';
import { peakOf } from '../../toybox/synth.ts';
import type { Sound } from '../../train/pretrain/sounds.ts';
import { exists } from '../files/file-store.ts';
import { nameFor } from './files.ts';

/** What is read of a sound at a time; it is longer than what is cut from it. */
const stretchSeconds = 2;
const longestSeconds = 300;
/** A stretch that is softer is not taken while there may be a louder one. */
const quiet = 1e-3;
const tries = 3;
const full = 32767;

export class SoundShelf {
  readonly #folder: string;
  readonly #rate: number;
  readonly #names = new Map<string, string>();

  constructor(folder: string, rate: number) {
    this.#folder = folder;
    this.#rate = rate;
  }

  /** Mono at the shelf's rate, from somewhere in the file's first minutes. Throws what opening and decoding throw, and `empty-media` for silence. */
  async stretch(path: string, dice: Dice): Promise<Sound> {
    const name = this.#names.get(path) ?? (await this.#decoded(path));
    this.#names.set(path, name);
    const file = await open(join(this.#folder, name));
    try {
      const length = (await file.stat()).size / 2;
      const count = Math.min(length, stretchSeconds * this.#rate);
      for (let attempt = 1; ; attempt++) {
        const samples = new Int16Array(count);
        await file.read(samples, 0, 2 * count, 2 * dice.whole(0, length - count));
        const wave = new Float32Array(count);
        for (let i = 0; i < count; i++) wave[i] = samples[i]! / full;
        if (attempt === tries || count === length || peakOf(wave) >= quiet) return { wave };
      }
    } finally {
      await file.close();
    }
  }

  async #decoded(path: string): Promise<string> {
    const name = `${await nameFor(path)}.pcm`;
    if (await exists(join(this.#folder, name))) return name;
    const sound = await decode(path, this.#rate);
    const draft = join(this.#folder, `${name}.${randomUUID()}.part`);
    await mkdir(this.#folder, { recursive: true });
    const samples = new Int16Array(sound.length);
    for (let i = 0; i < sound.length; i++) samples[i] = Math.round(Math.max(-1, Math.min(1, sound[i]!)) * full);
    await writeFile(draft, samples);
    await rename(draft, join(this.#folder, name));
    return name;
  }
}

async function decode(path: string, rate: number): Promise<Float32Array> {
  await using clip = await openClip(path);
  const seconds: Float32Array[] = [];
  for await (const { pcm } of clip.segments({ frame: { width: 1, height: 1 }, sampleRate: rate })) {
    if (pcm) seconds.push(pcm);
    if (!pcm || seconds.length === longestSeconds) break;
  }
  const sound = seconds.length > 0 ? concatenate(seconds) : new Float32Array(0);
  const end = sound.findLastIndex((value) => value !== 0) + 1;
  if (end > 0) return sound.subarray(0, end);
  throw new MettleError('empty-media', 'There is no sound in it, or only silence.', { hint: 'Leave it out.' });
}
