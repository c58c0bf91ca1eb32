/** Melodies on the instruments that are things, and on some that are none, by FluidSynth, and sentences by eSpeak. Others than those that nano learned from. */
import { spawnSync } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MettleError } from '../../sdk/errors.ts';
import { diceOf } from '../../sdk/toybox/dice.ts';
import { canRender, melody, renderMidi, rhythm } from '../nano/melodies.ts';
import { speak } from '../nano/sentences.ts';
import { type Instrument, otherInstruments, things } from './things.ts';

/** Melodies of each thing, and of each instrument that is none. */
const [perThing, perOther] = [24, 2];
const languages = ['en-us', 'de', 'fr-fr', 'es', 'pl', 'tr'];
const voices = ['m1', 'm3', 'm7', 'f1', 'f3', 'f5'];

/** Makes what is not there yet: `BANK-PROGRAM-N.wav`, `drums-N.wav`, `espeak-LANGUAGE-VOICE.wav`. Throws `missing-package`. */
export async function makeRecordings(folder: string): Promise<void> {
  if (!canRender() || spawnSync('espeak-ng', ['--version']).status !== 0) {
    throw new MettleError('missing-package', 'Melodies and sentences cannot be made here.', {
      hint: 'apt-get install fluidsynth fluid-soundfont-gm espeak-ng',
    });
  }
  await mkdir(folder, { recursive: true });
  for (const { instruments } of things) {
    if (instruments === 'drums') {
      for (let n = 0; n < perThing; n++)
        await renderMidi(join(folder, `drums-${n}.wav`), rhythm(diceOf(`everyday drums ${n}`)));
    } else if (instruments) await play(folder, instruments, perThing / instruments.length);
  }
  await play(folder, otherInstruments, perOther);
  for (const language of languages) {
    for (const voice of voices) {
      const name = `${language}-${voice}`;
      speak(join(folder, `espeak-${name}.wav`), language, voice, diceOf(`everyday sentence ${name}`));
    }
  }
}

async function play(folder: string, instruments: readonly Instrument[], each: number): Promise<void> {
  for (const [bank, program] of instruments) {
    for (let n = 0; n < each; n++) {
      const name = `${bank}-${program}-${n}`;
      await renderMidi(join(folder, `${name}.wav`), melody(program, diceOf(`everyday melody ${name}`), bank));
    }
  }
}
