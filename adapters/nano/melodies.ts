/** Melodies, chords and rhythms on every instrument of a General MIDI sound font, by fluidsynth. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dice, diceOf } from '../../sdk/toybox/dice.ts';

const font = '/usr/share/sounds/sf2/FluidR3_GM.sf2';
const perInstrument = 2;
const instruments = 128;
const drumKits = 16;
const seconds = 12;
/** Ticks of a quarter note, and of a second at 120 quarters a minute. */
const [quarter, second] = [480, 960];

/** Whether fluidsynth and the sound font are there. */
export const canRender = (): boolean => existsSync(font) && spawnSync('fluidsynth', ['--version']).status === 0;

/** Writes `PROGRAM-N.wav` and `drums-N.wav` and returns how many there are; those that are there already stay. 0 without fluidsynth or the sound font. */
export async function renderMelodies(folder: string): Promise<number> {
  if (!canRender()) {
    process.stderr.write('left out: melodies need fluidsynth and fluid-soundfont-gm\n');
    return 0;
  }
  const jobs: { name: string; midi: (dice: Dice) => Uint8Array }[] = [];
  for (let program = 0; program < instruments; program++) {
    for (let n = 0; n < perInstrument; n++)
      jobs.push({ name: `${program}-${n}`, midi: (dice) => melody(program, dice) });
  }
  for (let n = 0; n < drumKits; n++) jobs.push({ name: `drums-${n}`, midi: rhythm });
  for (const { name, midi } of jobs) {
    await renderMidi(join(folder, `${name}.wav`), midi(diceOf(`melody ${name}`)));
  }
  return jobs.length;
}

/** Plays a MIDI file into a WAV file, unless that is there. Throws where fluidsynth fails. */
export async function renderMidi(wav: string, midi: Uint8Array): Promise<void> {
  if (existsSync(wav)) return;
  const [file, part] = [`${wav}.mid`, `${wav}.part.wav`];
  await writeFile(file, midi);
  const { status, stderr } = spawnSync('fluidsynth', ['-ni', '-q', '-g', '0.8', '-r', '32000', '-F', part, font, file]);
  await rm(file);
  if (status !== 0) throw new Error(`fluidsynth cannot render ${wav}: ${stderr}`);
  await rename(part, wav);
}

type Note = { at: number; length: number; key: number; strength: number };

/** Notes of a scale that wander, in some of which others sound along. */
export function melody(program: number, dice: Dice, bank = 0): Uint8Array {
  const scale = dice.pick([
    [0, 2, 4, 5, 7, 9, 11],
    [0, 2, 3, 5, 7, 8, 10],
    [0, 2, 4, 7, 9],
  ]);
  const ground = dice.whole(36, 72);
  const beat = quarter * dice.pick([0.25, 0.5, 0.5, 1, 2]);
  const notes: Note[] = [];
  let step = 0;
  for (let at = 0; at < (seconds - 2) * second; at += beat * dice.whole(1, 2)) {
    step = Math.max(-4, Math.min(10, step + dice.whole(-3, 3)));
    if (dice.chance(0.15)) continue;
    const length = beat * dice.between(0.6, 1.6);
    const strength = dice.whole(50, 120);
    const key = (degree: number): number =>
      ground + 12 * Math.floor(degree / scale.length) + scale[((degree % scale.length) + scale.length) % scale.length]!;
    for (const above of dice.chance(0.3) ? [0, 2, 4] : [0])
      notes.push({ at, length, key: key(step + above), strength });
  }
  return midiFile(0, program, notes, bank);
}

/** Drums on a grid of eighths, each with a chance of its own. */
export function rhythm(dice: Dice): Uint8Array {
  const beat = quarter * dice.pick([0.25, 0.5]);
  const drums = Array.from({ length: 6 }, () => ({ key: dice.whole(35, 81), chance: dice.between(0.1, 0.7) }));
  const notes: Note[] = [];
  for (let at = 0; at < (seconds - 2) * second; at += beat) {
    for (const { key, chance } of drums) {
      if (dice.chance(chance)) notes.push({ at, length: beat, key, strength: dice.whole(50, 120) });
    }
  }
  return midiFile(9, dice.pick([0, 8, 16, 25, 32, 40]), notes);
}

/** A standard MIDI file of one track. */
function midiFile(channel: number, program: number, notes: readonly Note[], bank = 0): Uint8Array {
  const events = notes.flatMap(({ at, length, key, strength }) => [
    { at: Math.round(at), bytes: [0x90 + channel, key, strength] },
    { at: Math.round(at + length), bytes: [0x80 + channel, key, 0] },
  ]);
  events.sort((a, b) => a.at - b.at || a.bytes[0]! - b.bytes[0]!);
  const select = bank > 0 ? [0, 0xb0 + channel, 0, bank] : [];
  const track: number[] = [...select, 0, 0xc0 + channel, program];
  let now = 0;
  for (const { at, bytes } of events) {
    track.push(...variableLength(at - now), ...bytes);
    now = at;
  }
  track.push(0, 0xff, 0x2f, 0);
  const text = (word: string): number[] => [...word].map((letter) => letter.charCodeAt(0));
  const four = (value: number): number[] => [24, 16, 8, 0].map((shift) => (value >> shift) & 255);
  const head = [...text('MThd'), ...four(6), 0, 0, 0, 1, quarter >> 8, quarter & 255];
  return Uint8Array.from([...head, ...text('MTrk'), ...four(track.length), ...track]);
}

function variableLength(value: number): number[] {
  const bytes = [value & 127];
  for (let rest = value >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 127) | 128);
  return bytes;
}
