/**
 * The boxes of MP4 and QuickTime that mediabunny 1.61 reads in part or trusts: edit lists with more than one edit, and counts of tables, which it turns into loops.
 * It reads no samples.
 */
import { MettleError } from '../errors.ts';

/** `duration` seconds of the track from `media` seconds on; without `media` nothing is shown. A duration of 0 means the rest. */
export type Edit = { duration: number; media: number | null };

export type Movie = {
  /** By track id; tracks without an edit list are left out. */
  edits: Map<number, Edit[]>;
};

type Box = { type: string; start: number; end: number };

/** Samples that are listed one by one, each an object of its own: a day of film at 48 pictures a second. */
const mostListed = 2 ** 22;
/** Samples of one run of a fragment whose sizes are not even written down. */
const mostUnwritten = 2 ** 20;

/** Reads the content of a `moov` box. Throws `not-media` where a table claims more than the file can hold. */
export function readMovie(bytes: Uint8Array): Movie {
  const view = viewOf(bytes);
  const whole = { type: 'moov', start: 0, end: bytes.byteLength };
  const header = child(view, whole, 'mvhd');
  const timescale = header ? timescaleOf(view, header) : 0;
  const isFragmented = child(view, whole, 'mvex') !== null;
  const edits = new Map<number, Edit[]>();
  for (const track of children(view, whole)) {
    if (track.type !== 'trak') continue;
    checkTables(view, track);
    const list = readEdits(view, track, timescale, isFragmented);
    const id = child(view, track, 'tkhd');
    if (list && id) edits.set(view.getUint32(id.start + (isLong(view, id) ? 20 : 12)), list);
  }
  return { edits };
}

/** Checks a whole `moof` box. Throws `not-media` where a run claims more samples than it can hold. */
export function checkFragment(bytes: Uint8Array): void {
  const view = viewOf(bytes);
  const whole = { type: 'moof', start: 8, end: bytes.byteLength };
  for (const fragment of children(view, whole)) {
    if (fragment.type !== 'traf') continue;
    for (const run of children(view, fragment)) {
      if (run.type === 'trun' && run.end - run.start >= 8) {
        const count = view.getUint32(run.start + 4);
        demand(count <= Math.max(mostUnwritten, (run.end - run.start) / 4), 'A run of samples', count);
      }
    }
  }
}

function readEdits(view: DataView, track: Box, timescale: number, isFragmented: boolean): Edit[] | null {
  const list = child(view, track, 'edts', 'elst');
  const mediaHeader = child(view, track, 'mdia', 'mdhd');
  if (!list || !mediaHeader || timescale === 0 || list.end - list.start < 8) return null;
  const mediaScale = timescaleOf(view, mediaHeader);
  if (mediaScale === 0) return null;
  const long = isLong(view, list);
  const size = long ? 20 : 12;
  const count = Math.min(view.getUint32(list.start + 4), Math.floor((list.end - list.start - 8) / size));
  const edits: Edit[] = [];
  for (let i = 0; i < count; i++) {
    const at = list.start + 8 + i * size;
    const duration = long ? Number(view.getBigUint64(at)) : view.getUint32(at);
    const media = long ? Number(view.getBigInt64(at + 8)) : view.getInt32(at + 4);
    // A pause on one picture, or another speed: mediabunny leaves such a list out, and so do we.
    if (media !== -1 && view.getInt32(at + (long ? 16 : 8)) !== 0x10000) return null;
    edits.push({ duration: duration / timescale, media: media === -1 ? null : media / mediaScale });
  }
  const last = edits.at(-1);
  // Written before the film was: how long it lasts is told by its fragments.
  if (isFragmented && last) last.duration = 0;
  return edits.some(({ media }) => media !== null) ? edits : null;
}

/** Tables of counts become loops: how often they may turn is known from the table of sizes, whose entries are really there. */
function checkTables(view: DataView, track: Box): void {
  const tables = child(view, track, 'mdia', 'minf', 'stbl');
  if (!tables) return;
  const samples = countSamples(view, tables);
  const chunks = Math.max(...['stco', 'co64'].map((type) => entries(view, child(view, tables, type)).count));
  const [times, offsets] = ['stts', 'ctts'].map((type) => sumOfCounts(view, child(view, tables, type)));
  // Some writers count a little more than there is.
  const most = 2 * samples + 1000;
  demand(times! <= most, 'The table of times', times!);
  demand(offsets! <= most, 'The table of composition times', offsets!);
  if (offsets! > 0) demand(times! <= mostListed, 'The table of times', times!);
  const runs = entries(view, child(view, tables, 'stsc'));
  let previous = 0;
  for (let i = 0; i < runs.count; i++) {
    const [first, perChunk] = [view.getUint32(runs.start + i * 12), view.getUint32(runs.start + i * 12 + 4)];
    demand(first > previous && first <= chunks + 1000, 'The table of chunks', first);
    demand(perChunk <= most, 'The table of chunks', perChunk);
    previous = first;
  }
}

function countSamples(view: DataView, tables: Box): number {
  const sizes = child(view, tables, 'stsz');
  if (sizes && sizes.end - sizes.start >= 12) {
    const count = view.getUint32(sizes.start + 8);
    const isUniform = view.getUint32(sizes.start + 4) !== 0;
    return isUniform ? count : Math.min(count, Math.floor((sizes.end - sizes.start - 12) / 4));
  }
  const compact = child(view, tables, 'stz2');
  return compact && compact.end - compact.start >= 12
    ? Math.min(view.getUint32(compact.start + 8), (compact.end - compact.start - 12) * 2)
    : 0;
}

function sumOfCounts(view: DataView, table: Box | null): number {
  const { count, start } = entries(view, table);
  let sum = 0;
  for (let i = 0; i < count && start + i * 8 + 8 <= table!.end; i++) sum += view.getUint32(start + i * 8);
  return sum;
}

/** Number of entries and where they begin, in a table whose content is four bytes of version and flags, a count, entries. Runs are cut to what is there. */
function entries(view: DataView, table: Box | null): { count: number; start: number } {
  if (!table || table.end - table.start < 8) return { count: 0, start: 0 };
  const size = table.type === 'stsc' ? 12 : 4;
  const there = Math.floor((table.end - table.start - 8) / size);
  return { count: Math.min(view.getUint32(table.start + 4), there), start: table.start + 8 };
}

function demand(holds: boolean, table: string, count: number): void {
  if (holds) return;
  throw new MettleError(
    'not-media',
    `${table} of the file is damaged: it counts ${count}, more than the file can hold.`,
    {
      hint: 'Fetch the file again, or re-encode it, for example with: ffmpeg -i clip.mp4 -c copy repaired.mp4',
    },
  );
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const isLong = (view: DataView, { start }: Box): boolean => view.getUint8(start) === 1;

function timescaleOf(view: DataView, header: Box): number {
  const at = header.start + (isLong(view, header) ? 20 : 12);
  return at + 4 <= header.end ? view.getUint32(at) : 0;
}

/** The box at the end of a path of types, or null. */
function child(view: DataView, parent: Box, ...path: string[]): Box | null {
  let found: Box | null = parent;
  for (const type of path) {
    if (!found) return null;
    found = [...children(view, found)].find((box) => box.type === type) ?? null;
  }
  return found;
}

/** The boxes inside, as far as they are whole. */
function* children(view: DataView, parent: Box): Generator<Box> {
  for (let at = parent.start; at + 8 <= parent.end; ) {
    const size = view.getUint32(at);
    const type = String.fromCharCode(...[4, 5, 6, 7].map((i) => view.getUint8(at + i)));
    const isWide = size === 1 && at + 16 <= parent.end;
    const header = isWide ? 16 : 8;
    const length = isWide ? Number(view.getBigUint64(at + 8)) : size === 0 ? parent.end - at : size;
    if (length < header || at + length > parent.end) return;
    yield { type, start: at + header, end: at + length };
    at += length;
  }
}
