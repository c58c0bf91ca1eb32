/**
 * `npx tsx adapters/nano/material.ts --data DIR --out DIR`: the folder that nano learns from, a folder for each source, as links to the files in DIR and to Debian's
 * sounds, and as recordings that are made here: melodies on the instruments of FluidR3 and sentences of eSpeak. What nano is judged by stays out (`held.ts`).
 * Needs Debian's packages fluidsynth, fluid-soundfont-gm, sonic-pi-samples, asterisk-core-sounds-* and espeak-ng; what is missing is left out and told.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { isHeldRecording, partPhotos } from './held.ts';
import { renderMelodies } from './melodies.ts';
import { speakSentences } from './sentences.ts';

const { values } = parseArgs({ options: { data: { type: 'string' }, out: { type: 'string' } } });
if (!values.data || !values.out) {
  process.stderr.write('Usage: npx tsx adapters/nano/material.ts --data DIR --out DIR\n');
  process.exit(2);
}
const data = resolve(values.data);
const out = resolve(values.out);

/** Every file of these types below a folder, in a fixed order. */
async function filesBelow(folder: string, types: RegExp): Promise<string[]> {
  if (!existsSync(folder)) {
    process.stderr.write(`left out: ${folder} is not there\n`);
    return [];
  }
  const entries = (await readdir(folder, { recursive: true })).sort().map((entry) => join(folder, entry));
  const files: string[] = [];
  for (const entry of entries) if (types.test(extname(entry)) && (await stat(entry)).isFile()) files.push(entry);
  return files;
}

/** Links named by the files' places below `from`. */
async function link(source: string, from: string, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    const place = join(out, source, relative(from, path));
    await mkdir(dirname(place), { recursive: true });
    if (!existsSync(place)) await symlink(path, place);
  }
  process.stdout.write(`${source}: ${paths.length} files\n`);
}

const pictures = /^\.(jpe?g|png)$/i;
const sounds = /^\.(wav|ogg|flac)$/i;
const films = /^\.(mp4|webm|mkv)$/i;

const caltech = join(data, 'photos/caltech101');
await link(
  'pictures/caltech101',
  caltech,
  (await partPhotos(caltech)).flatMap(({ learned }) => learned),
);
const background = join(caltech, 'background_google');
await link('pictures/caltech101', caltech, await filesBelow(background, pictures));
for (const name of ['grocery', 'clothing']) {
  await link(`pictures/${name}`, join(data, 'photos', name), await filesBelow(join(data, 'photos', name), pictures));
}
await link('pictures/coco', join(data, 'pictures/images'), await filesBelow(join(data, 'pictures/images'), pictures));
await link('films', join(data, 'clips'), await filesBelow(join(data, 'clips'), films));

for (const name of ['esc10', 'max', 'librosa', 'blanket', 'mod-sounds']) {
  const folder = join(data, 'sounds', name);
  const heard = (await filesBelow(folder, sounds)).filter((path) => !isHeldRecording(path));
  await link(`sounds/${name}`, folder, heard);
}
const sonic = '/usr/share/sonic-pi/samples';
await link('sounds/sonic-pi', sonic, await filesBelow(sonic, sounds));
const asterisk = '/usr/share/asterisk/sounds';
// Most announcements are single words; of all those of one speaker enough are here.
const spoken = (await filesBelow(asterisk, sounds)).filter(
  (path, i) => i % 8 === 0 && !/silence|beep/.test(basename(path)),
);
await link('sounds/asterisk', asterisk, spoken);
await mkdir(join(out, 'sounds/melodies'), { recursive: true });
await mkdir(join(out, 'sounds/sentences'), { recursive: true });
process.stdout.write(`sounds/melodies: ${await renderMelodies(join(out, 'sounds/melodies'))} files\n`);
process.stdout.write(`sounds/sentences: ${await speakSentences(join(out, 'sounds/sentences'))} files\n`);
await writeFile(
  join(out, 'README.txt'),
  'Links and recordings made by adapters/nano/material.ts. Nothing here is to be passed on.\n',
);
