/** Sentences without sense in many languages and voices, by eSpeak. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Dice, diceOf } from '../../sdk/toybox/dice.ts';

const languages = [
  'en-us',
  'en-gb',
  'de',
  'fr-fr',
  'es',
  'it',
  'pt',
  'nl',
  'pl',
  'ru',
  'sv',
  'tr',
  'fi',
  'cs',
  'el',
  'hu',
];
const voices = ['m1', 'm3', 'm7', 'f1', 'f3', 'f5', 'croak', 'whisper'];
const syllables = [
  'ka',
  'lo',
  'mi',
  'ter',
  'su',
  'ben',
  'ra',
  'do',
  'vi',
  'shan',
  'pel',
  'to',
  'gri',
  'na',
  'fu',
  'est',
];

/** Writes one file for each language and voice and returns how many there are; 0 without eSpeak. */
export async function speakSentences(folder: string): Promise<number> {
  if (spawnSync('espeak-ng', ['--version']).status !== 0) {
    process.stderr.write('left out: sentences need espeak-ng\n');
    return 0;
  }
  for (const language of languages) {
    for (const voice of voices) {
      speak(join(folder, `${language}-${voice}.wav`), language, voice, diceOf(`sentence ${language} ${voice}`));
    }
  }
  return languages.length * voices.length;
}

/** Lets a voice speak into a WAV file, unless that is there. Throws where eSpeak fails. */
export function speak(wav: string, language: string, voice: string, dice: Dice): void {
  if (existsSync(wav)) return;
  const word = (): string => Array.from({ length: dice.whole(1, 3) }, () => dice.pick(syllables)).join('');
  const text = Array.from({ length: dice.whole(12, 20) }, () => word() + (dice.chance(0.2) ? ',' : '')).join(' ');
  const sound = ['-s', String(dice.whole(110, 200)), '-p', String(dice.whole(20, 80))];
  const { status, stderr } = spawnSync('espeak-ng', ['-v', `${language}+${voice}`, ...sound, '-w', wav, text]);
  if (status !== 0) throw new Error(`espeak-ng cannot say ${language}+${voice}: ${stderr}`);
}
