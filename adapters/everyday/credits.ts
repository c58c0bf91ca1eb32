/** Who is to be credited for the recordings that come with a table or a page of their own. */
import { readFile } from 'node:fs/promises';
import { MettleError } from '../../sdk/errors.ts';

/** `source` is an address or says where it comes from. Two recordings with the same `series` are takes of one, or from one hand. */
export type Credit = { author: string; licence: string; source: string; series: string };

/** A name in brackets is the one that an author goes by everywhere. */
const handOf = (author: string): string => /\((.+)\)/.exec(author)?.[1] ?? author;

export async function readTable(path: string): Promise<string> {
  return await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new MettleError('not-found', `${path} is not there; without it nobody can be credited.`, {
      hint: 'Name the folder that holds photos/, sounds/ and their tables.',
      cause,
    });
  });
}

/** Cells of the rows of a page's tables, those of headers and rules among them. */
const rowsOf = (page: string): string[][] =>
  page
    .split('\n')
    .filter((line) => line.startsWith('|'))
    .map((line) =>
      line
        .replace(/^\||\|\s*$/g, '')
        .split('|')
        .map((cell) => cell.trim()),
    );

/** A name of a page as a pattern: `*` stands for anything, `[1-2]` for a number, whose range the collection keeps to. */
const patternOf = (name: string): RegExp => {
  const parts = name.split(/(\*|\[\d+-\d+\])/).map((part, i) => {
    if (i % 2 === 0) return part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`);
    return part === '*' ? '.*' : String.raw`\d+`;
  });
  return new RegExp(`^${parts.join('')}$`);
};

/** Finds the row for a recording of `mod-sounds` (name without extension); the page is its `sources.md`. */
export function modSoundsCredits(page: string): (name: string) => Credit | null {
  const addresses = new Map([...page.matchAll(/^\[(.+?)\]: (\S+)$/gm)].map(([, key, url]) => [key!, url!]));
  const authors = laterAuthors(page);
  const rows: (Credit & { pattern: RegExp; name: string })[] = [];
  let prefix = '';
  for (const [title = '', author = '', licence = ''] of rowsOf(page)) {
    if (title.startsWith('Filename')) prefix = title.includes('node_') ? 'node_' : '';
    const match = /^(?:\[(?<linked>.+?)\]\[(?<key>.*?)\](?<star>\*?)|(?<plain>[\w.]+))$/.exec(title)?.groups;
    if (!match) continue;
    const own = match.linked ?? match.plain ?? '';
    const name = `${prefix}${own}${match.star ?? ''}`;
    const source = addresses.get(match.key || own) ?? 'sources.md of the collection';
    const known = author.startsWith('[') ? (authors.get(own.replace(/[*_\d[\]-]+$/, '')) ?? authors.get(own)) : author;
    rows.push({
      name,
      pattern: patternOf(name),
      author: known ?? 'unknown',
      licence,
      source,
      series: handOf(known ?? source),
    });
  }
  rows.sort((a, b) => Number(a.name.includes('*')) - Number(b.name.includes('*')) || b.name.length - a.name.length);
  return (name) =>
    rows.find(({ pattern }) => pattern.test(name)) ?? rows.find(({ pattern }) => pattern.test(`${name}.`)) ?? null;
}

/** Authors that the page lists under its tables, by the names that they are for. */
function laterAuthors(page: string): Map<string, string> {
  const authors = new Map<string, string>();
  let group = '';
  for (const line of page.split('\n')) {
    const [, own, names] = /^- \*\*(\w+):\*\* (.+)$/.exec(line) ?? [];
    if (own && names) authors.set(own, names);
    else if (/^- .+:$/.test(line)) group = line.slice(2, -1);
    const [, member] = /^\s+- \*\*(\w+)\*\*$/.exec(line) ?? [];
    if (member) authors.set(member, group);
  }
  return authors;
}

/** Credits of `max` and `librosa`, whose files the page of all sounds lists in tables with the named columns; by the files' names. */
export function tableCredits(page: string): Map<string, Credit> {
  const credits = new Map<string, Credit>();
  let header: string[] = [];
  for (const cells of rowsOf(page)) {
    if (cells[0] === 'file') header = cells;
    const at = (name: string): string => cells[header.indexOf(name)] ?? '';
    if (header.length === 0 || !/\.(ogg|flac)$/.test(cells[0]!)) continue;
    const id = at('Freesound id');
    const source = id ? `https://freesound.org/s/${id}/` : 'librosa example recordings';
    credits.set(cells[0]!, { author: at('author'), licence: at('licence'), source, series: handOf(at('author')) });
  }
  return credits;
}

/** Credits of `blanket` by name without extension, lower case with hyphens. */
export function blanketCredits(page: string): Map<string, Credit> {
  const credits = new Map<string, Credit>();
  for (const [title = '', author = '', , licence = ''] of rowsOf(page)) {
    const [, name, source] = /^\[(.+?)\]\((.+?)\)$/.exec(title) ?? [];
    if (!name || !source) continue;
    credits.set(name.toLowerCase().replaceAll(' ', '-'), { author, licence, source, series: handOf(author) });
  }
  return credits;
}

/** Addresses of `sonic-pi` by name; all are CC0. */
export function sonicPiCredits(page: string): Map<string, Credit> {
  return new Map(
    [...page.matchAll(/`:(\w+)` - (\S+)/g)].map(([, name, source]) => {
      const author = /people\/([^/]+)/.exec(source!)?.[1] ?? 'unknown';
      return [name!, { author, licence: 'CC0', source: source!, series: author === 'unknown' ? name! : author }];
    }),
  );
}
