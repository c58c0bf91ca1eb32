/**
 * Opens a source for mediabunny 1.61 with guards where its readers go round in circles on damaged files (see sdk/docs/media.md, "Known causes upstream"). The guards sit on its
 * reader, which every format reads through: so they see what it sees, at no further request.
 */
import {
  ADTS,
  FLAC,
  Input,
  IsobmffInputFormat,
  MATROSKA,
  MatroskaInputFormat,
  MP3,
  MP4,
  MPEG_TS,
  OGG,
  QTFF,
  type Source,
  WAVE,
  WEBM,
} from 'mediabunny';
import type { Warning } from '../errors.ts';
import { bytesOf, changed, type MaybePromise, type Reader, type Slice } from './file-slice.ts';
import { checkFragment, type Movie, readMovie } from './isobmff-boxes.ts';
import { type MatroskaDemuxer, readAroundDamage } from './matroska-damage.ts';
import { knownCause } from './media-error.ts';

/** Files only: a playlist would make requests to hosts that the caller did not name. */
const containerFormats = [MP4, QTFF, WEBM, MATROSKA, WAVE, OGG, FLAC, MP3, ADTS, MPEG_TS];

export type GuardedInput = {
  input: Input;
  /** What MP4 and QuickTime say of edits; null for other containers. */
  movie: Movie | null;
  /** Of the clip. Reading adds to them whenever it meets damage. */
  warnings: Warning[];
};

/** The search for the next element of a damaged Matroska file, which asks for anything from 0 bytes on, never ends once this many are left: it moves on by what is beyond them. */
const stuckBytes = 8;
/** What the reader of ADTS asks for when it looks for a frame's header. */
const adtsHeader = { least: 7, most: 9 };
/** Other work gets its turn this often, in milliseconds. */
const turn = 20;
const largestMovie = 2 ** 28;

/** The input owns `source`. Throws what mediabunny throws, and `not-media` where an index cannot be. */
export async function openGuarded(source: Source): Promise<GuardedInput> {
  const input = new Input({ source, formats: containerFormats });
  const warnings: Warning[] = [];
  let reader: Reader | undefined;
  Object.defineProperty(input, '_reader', {
    get: () => reader,
    set(plain: Reader) {
      reader = guard(plain);
    },
  });
  try {
    const format = await input.getFormat();
    if (format instanceof MatroskaInputFormat) readMatroska(reader!, await demuxerOf(input), warnings);
    return { input, movie: format instanceof IsobmffInputFormat ? await findMovie(reader!) : null, warnings };
  } catch (error) {
    input.dispose();
    throw error;
  }
}

/** A film's demuxer; that of WebM is the same. */
const demuxerOf = (input: Input): Promise<MatroskaDemuxer> =>
  (input as unknown as { _getDemuxer(): Promise<MatroskaDemuxer> })._getDemuxer();

function readMatroska(reader: Reader, demuxer: MatroskaDemuxer, warnings: Warning[]): void {
  let isTold = false;
  const onDamage = () => {
    if (!isTold)
      warnings.push({ code: 'truncated', message: 'The file is damaged within; what lies around is analysed.' });
    isTold = true;
  };
  const { requestSliceRange } = reader;
  reader.requestSliceRange = (start, least, most) => {
    // Only the search for the next element behind damage asks so.
    if (least === 0) onDamage();
    return requestSliceRange(start, least, most);
  };
  readAroundDamage(demuxer, onDamage);
}

function guard(reader: Reader): Reader {
  const { requestSlice, requestSliceRange } = reader;
  let last = performance.now();
  /** A reader whose bytes are at hand waits for nothing: nobody else would ever run, not even an abort. */
  const inTurn = <T>(read: () => MaybePromise<T>): MaybePromise<T> => {
    if (performance.now() - last < turn) return read();
    return new Promise((resolve) => setTimeout(resolve)).then(() => {
      last = performance.now();
      return read();
    });
  };
  reader.requestSlice = (start, length) =>
    inTurn(() => {
      const slice = requestSlice.call(reader, start, length);
      return slice instanceof Promise ? slice.then(checked, fail) : checked(slice);
    });
  let lastHeader = -1;
  reader.requestSliceRange = (start, least, most) => {
    const slice = requestSliceRange.call(reader, start, least, most);
    if (least > 0) lastHeader = start;
    if (least === 0 && start === lastHeader) return changed(slice, beyondBroken);
    const guardOf = least === 0 ? unstuck : least === adtsHeader.least && most === adtsHeader.most ? movingOn : null;
    return guardOf ? changed(slice, guardOf) : slice;
  };
  return reader;
}

const unstuck = (slice: Slice | null): Slice | null => (slice && slice.end - slice.start > stuckBytes ? slice : null);

/** Identifiers of the elements of Matroska's first level: what the search for the next element looks for. */
const levelOne = [0x114d9b74, 0x1549a966, 0x1654ae6b, 0x1f43b675, 0x1c53bb6b, 0x1941a469, 0x1043a770, 0x1254c367];

/** A search that begins at an element whose header was just found broken would end where it began, and begin again: the file ends there. */
function beyondBroken(slice: Slice | null): Slice | null {
  const left = unstuck(slice);
  if (!left) return null;
  const id = bytesOf(left)
    .subarray(0, 4)
    .reduce((number, byte) => number * 256 + byte, 0);
  return levelOne.includes(id) ? null : left;
}

/** A frame of ADTS that claims to be shorter than its header would be read again and again: the stream ends before it. */
function movingOn(slice: Slice | null): Slice | null {
  if (!slice) return null;
  const [a = 0, b = 0, , c = 0, d = 0, e = 0] = bytesOf(slice);
  const isFrame = a === 0xff && (b & 0xf6) === 0xf0;
  const length = ((c & 3) << 11) | (d << 3) | (e >> 5);
  return isFrame && length < adtsHeader.least ? null : slice;
}

function checked(slice: Slice | null): Slice | null {
  if (slice && slice.end - slice.start >= 16 && typeAt(slice) === 'moof') checkFragment(bytesOf(slice));
  return slice;
}

/** While decoding, an error that is not known as final is taken for damage, behind which one goes on. */
function fail(error: unknown): never {
  throw knownCause(error) ?? error;
}

function typeAt({ bytes, bufferPos }: Slice): string {
  return String.fromCharCode(...bytes.subarray(bufferPos + 4, bufferPos + 8));
}

/** Goes from box to box of the top level, as the demuxer will. */
async function findMovie(reader: Reader): Promise<Movie | null> {
  for (let at = 0; ; ) {
    const header = await reader.requestSliceRange(at, 8, 16);
    if (!header) return null;
    const bytes = bytesOf(header);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const short = view.getUint32(0);
    const isWide = short === 1 && bytes.length >= 16;
    const headerSize = isWide ? 16 : 8;
    const size = isWide ? Number(view.getBigUint64(8)) : short === 0 ? (reader.fileSize ?? 0) - at : short;
    const type = typeAt(header);
    if (size < headerSize || type === 'moof') return null;
    if (type === 'moov') {
      if (size > largestMovie) return null;
      const content = await reader.requestSlice(at + headerSize, size - headerSize);
      return content && readMovie(bytesOf(content));
    }
    at += size;
  }
}
