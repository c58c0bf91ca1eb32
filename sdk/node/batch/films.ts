/** Which films a batch is asked for: the lines of a list, or what lies in a folder. */
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { limits } from '../../contract/limits.ts';
import { MettleError } from '../../errors.ts';

/** How files of films and sounds end. */
export const filmEndings = /\.(mp4|m4v|mov|webm|mkv|ts|mts|m2ts|mp3|m4a|aac|ogg|oga|opus|flac|wav)$/i;

/** A file as it is named; of a folder its films and those of folders in it, by name. Names that begin with a dot are passed over. */
export async function filmsIn(place: string): Promise<string[]> {
  const isFolder = await stat(place).then(
    (found) => found.isDirectory(),
    () => false,
  );
  if (!isFolder) return [place];
  const entries = await readdir(place, { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && filmEndings.test(entry.name) && !entry.name.startsWith('.'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort();
}

/**
 * The films of `list`: a folder, a text file with a path or an address on each line, or `-` for such lines from `input`. Empty lines and those that begin
 * with `#` are passed over.
 * @throws MettleError `not-found` where there is no such list, `invalid-argument` for a film in the place of a list, `invalid-file` for one beyond the limits
 */
export async function readList(list: string, input: AsyncIterable<string | Uint8Array>): Promise<string[]> {
  if (list === '-') return await readLines(Readable.from(input), 'the list');
  const facts = await stat(list).catch((cause: unknown) => {
    throw new MettleError('not-found', `There is no list "${list}".`, { hint: 'Check the path.', cause });
  });
  if (facts.isDirectory()) return await filmsIn(list);
  if (filmEndings.test(list)) {
    throw new MettleError('invalid-argument', `${list} is a film, expected a list of films or a folder.`, {
      hint: `Analyze it by itself: mettle run ${list}.`,
    });
  }
  return await readLines(createReadStream(list), list);
}

async function readLines(from: Readable, where: string): Promise<string[]> {
  let bytes = 0;
  from.on('data', (chunk: string | Uint8Array) => {
    bytes += chunk.length;
    if (bytes > limits.listBytes) from.destroy(tooLong(where));
  });
  const films: string[] = [];
  for await (const line of createInterface({ input: from, crlfDelay: Number.POSITIVE_INFINITY })) {
    const film = line.trim();
    if (film === '' || film.startsWith('#')) continue;
    if (film.includes('\0')) throw noList(where);
    films.push(film);
  }
  if (from.errored) throw from.errored;
  return films;
}

const tooLong = (where: string): MettleError =>
  new MettleError('invalid-file', `${where}: longer than ${limits.listBytes} bytes.`, {
    hint: 'Cut it into several lists.',
  });

const noList = (where: string): MettleError =>
  new MettleError('invalid-file', `${where} is no list of films: it holds bytes that no text has.`, {
    hint: 'Write one path or address on each line.',
  });
