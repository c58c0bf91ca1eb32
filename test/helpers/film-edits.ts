/** Byte edits of small MP4 files whose index is at their end, so that it may grow. */

export type Edit = { duration: number; media: number | null };

type Box = { at: number; size: number };

const read32 = (bytes: Uint8Array, at: number) => new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
const write32 = (bytes: Uint8Array, at: number, value: number) =>
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, value);

/** Boxes of one type, wherever their names are. */
export function boxesOf(bytes: Uint8Array, type: string): Box[] {
  const text = new TextDecoder('latin1').decode(bytes);
  const boxes: Box[] = [];
  for (let at = text.indexOf(type); at >= 0; at = text.indexOf(type, at + 1)) {
    boxes.push({ at: at - 4, size: read32(bytes, at - 4) });
  }
  return boxes;
}

/** A copy with four bytes of the content of each box of `type` set, or of the one that is number `which`. */
export function withField(bytes: Uint8Array, type: string, offset: number, value: number, which?: number): Uint8Array {
  const copy = bytes.slice();
  for (const [index, { at }] of boxesOf(copy, type).entries()) {
    if (which === undefined || which === index) write32(copy, at + 8 + offset, value);
  }
  return copy;
}

/** A copy in which every track has these edits; times of media count from where its own edit list, which has one entry, begins. */
export function withEdits(film: Uint8Array, edits: readonly Edit[]): Uint8Array<ArrayBuffer> {
  let bytes = new Uint8Array(film);
  const movieScale = read32(bytes, boxesOf(bytes, 'mvhd')[0]!.at + 20);
  for (let track = 0; track < boxesOf(bytes, 'trak').length; track++) {
    const list = boxesOf(bytes, 'elst')[track]!;
    const mediaScale = read32(bytes, boxesOf(bytes, 'mdhd')[track]!.at + 20);
    const first = read32(bytes, list.at + 20);
    const entries = new Uint8Array(edits.length * 12);
    edits.forEach(({ duration, media }, i) => {
      write32(entries, i * 12, Math.round(duration * movieScale));
      write32(entries, i * 12 + 4, media === null ? 0xffffffff : first + Math.round(media * mediaScale));
      write32(entries, i * 12 + 8, 0x10000);
    });
    const more = entries.length - 12;
    for (const type of ['moov', 'trak', 'edts', 'elst']) {
      const box = boxesOf(bytes, type)[type === 'moov' ? 0 : track]!;
      write32(bytes, box.at, box.size + more);
    }
    write32(bytes, list.at + 12, edits.length);
    const [head, tail] = [bytes.subarray(0, list.at + 16), bytes.subarray(list.at + 28)];
    bytes = new Uint8Array([...head, ...entries, ...tail]);
  }
  return bytes;
}

/** A copy with a box of `size` bytes that means nothing before the index. */
export function withGap(film: Uint8Array, size: number): Uint8Array<ArrayBuffer> {
  const movie = boxesOf(film, 'moov')[0]!.at;
  const bytes = new Uint8Array(film.length + size);
  bytes.set(film.subarray(0, movie));
  write32(bytes, movie, size);
  bytes.set(new TextEncoder().encode('free'), movie + 4);
  bytes.set(film.subarray(movie), movie + size);
  return bytes;
}
