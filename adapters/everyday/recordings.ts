/** Every recording that clips may be made of, from the folders of the data and of Debian's packages, with its credit, its series and, of ESC-10, its fold. Only names and tables are read. */
import { existsSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { blanketCredits, type Credit, modSoundsCredits, readTable, sonicPiCredits, tableCredits } from './credits.ts';
import { listTakes, readSoundCredits } from './esc10.ts';

export type Recording = Credit & {
  /** `source/name.extension`. */
  name: string;
  path: string;
  /** Of ESC-10: fold 3 must not be learned from. */
  fold: number | null;
};

/** Their licence, Sampling+ 1.0, forbids what an adapter may be used for. */
export const leftOut: readonly string[] = ['009 - Rooster/1-40730-A.ogg', '009 - Rooster/2-96460-A.ogg'];

const sonicPi = '/usr/share/sonic-pi/samples';
const asterisk = '/usr/share/asterisk/sounds';

/** `sounds` is the folder of collections, `made` one of melodies and sentences (`made.ts`). In the order of their names. Throws `not-found` or `invalid-file`. */
export async function listRecordings(sounds: string, made: string): Promise<Recording[]> {
  const lists = await Promise.all([
    esc10(join(sounds, 'esc10')),
    modSounds(join(sounds, 'mod-sounds')),
    collections(sounds),
    blanket(join(sounds, 'blanket')),
    samples(),
    announcements(),
    madeHere(made),
  ]);
  return lists.flat().sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function esc10(folder: string): Promise<Recording[]> {
  const [{ takes }, credits] = [await listTakes(folder), await readSoundCredits(folder)];
  return takes
    .filter(({ name }) => !leftOut.includes(name))
    .map(({ name, path, fold, recording }) => {
      const { author = 'unknown', source = 'ESC-10', licence = 'CC BY 3.0' } = credits.get(name) ?? {};
      return { name: `esc10/${name}`, path, fold, author, source, licence, series: recording };
    });
}

const soundFile = /\.(ogg|flac|wav)$/;
const stem = (file: string): string => file.replace(soundFile, '');
const filesIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder).catch(() => [])).filter((file) => soundFile.test(file)).sort();

async function modSounds(folder: string): Promise<Recording[]> {
  const creditOf = modSoundsCredits(await readTable(join(folder, 'sources.md')));
  return (await filesIn(folder)).flatMap((file) => {
    const credit = creditOf(stem(file));
    // What nobody can be credited for is not used.
    return credit ? [{ ...pick(credit), name: `mod-sounds/${file}`, path: join(folder, file), fold: null }] : [];
  });
}

const pick = ({ author, licence, source, series }: Credit): Credit => ({ author, licence, source, series });

async function collections(sounds: string): Promise<Recording[]> {
  const credits = tableCredits(await readTable(join(sounds, 'README.md')));
  const list: Recording[] = [];
  for (const source of ['max', 'librosa']) {
    for (const file of await filesIn(join(sounds, source))) {
      const credit = credits.get(file);
      if (credit) list.push({ ...credit, name: `${source}/${file}`, path: join(sounds, source, file), fold: null });
    }
  }
  return list;
}

async function blanket(folder: string): Promise<Recording[]> {
  const credits = blanketCredits(await readTable(join(folder, 'sources.md')));
  return (await filesIn(folder)).flatMap((file) => {
    const credit = credits.get(stem(file));
    return credit ? [{ ...credit, name: `blanket/${file}`, path: join(folder, file), fold: null }] : [];
  });
}

async function samples(): Promise<Recording[]> {
  if (!existsSync(sonicPi)) return [];
  const credits = sonicPiCredits(await readTable(join(sonicPi, 'README.md')));
  const unlisted = (name: string): Credit => {
    const source = 'freesound.org, by way of Sonic Pi';
    return { author: 'not named', licence: 'CC0', source, series: name.replace(/[\d_]+$/, '') };
  };
  return (await filesIn(sonicPi)).map((file) => ({
    ...(credits.get(stem(file)) ?? unlisted(stem(file))),
    ...{ name: `sonic-pi/${file}`, path: join(sonicPi, file), fold: null },
  }));
}

/** Allison Smith speaks both English and Spanish. */
const speakers: Readonly<Record<string, { author: string; licence: string }>> = {
  en_US_f_Allison: { author: 'Allison Smith', licence: 'CC BY-SA 3.0' },
  es_MX_f_Allison: { author: 'Allison Smith', licence: 'CC BY-SA 3.0' },
  fr_CA_f_June: { author: 'June Wallack', licence: 'CC BY-SA 3.0' },
  it_IT_m_Carlo: { author: 'Carlo', licence: 'CC BY-SA 3.0' },
  ru_RU_f_IvrvoiceRU: { author: 'IVRvoice.ru, Maxim Topal', licence: 'CC BY 3.0' },
};
/** Announcements of three seconds or more, and so many of each speaker and language. */
const leastBytes = 48_000;
const perLanguage = 24;

async function announcements(): Promise<Recording[]> {
  const list: Recording[] = [];
  for (const [folder, credit] of Object.entries(speakers)) {
    let count = 0;
    for (const file of await filesIn(join(asterisk, folder))) {
      const path = join(asterisk, folder, file);
      if (count >= perLanguage || (await stat(path)).size < leastBytes || /beep|silence/.test(file)) continue;
      const source = 'asterisk-core-sounds';
      list.push({ ...credit, source, series: credit.author, name: `asterisk/${folder}/${file}`, path, fold: null });
      count++;
    }
  }
  return list;
}

/** A melody is a series of its own; all sentences of a voice are one. */
async function madeHere(folder: string): Promise<Recording[]> {
  return (await filesIn(folder)).map((file) => {
    const isSpoken = file.startsWith('espeak-');
    const voice = /-([^-]+)\.wav$/.exec(file)?.[1];
    return {
      ...{ author: 'made here', licence: isSpoken ? 'none asked for' : 'sound font: MIT', fold: null },
      source: isSpoken ? 'eSpeak NG' : 'FluidR3 GM, by FluidSynth',
      series: isSpoken ? `eSpeak ${voice}` : stem(basename(file)),
      name: isSpoken ? `espeak/${file}` : `made/${file}`,
      path: join(folder, file),
    };
  });
}
