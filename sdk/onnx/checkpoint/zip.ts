/**
 * The index of a ZIP archive whose entries are stored as they are, which is how PyTorch writes checkpoints (ZIP64 included).
 * Everything else that the format allows is refused: compression, encryption, several disks, entries that overlap, names that climb out of the archive.
 */
import { type ByteSource, type Fail, quote, readPart } from './byte-source.ts';

/** Where an entry's bytes lie in the file. */
export type ZipEntry = { offset: number; length: number };

const signature = {
  local: 0x04034b50,
  central: 0x02014b50,
  end: 0x06054b50,
  end64: 0x06064b50,
  locator64: 0x07064b50,
};
const maxCommentBytes = 0xffff;
const maxDirectoryBytes = 64 << 20;
const maxEntries = 200_000;

/** All entries by name. Throws through `fail`. */
export async function readZip(source: ByteSource, fail: Fail): Promise<Map<string, ZipEntry>> {
  const directory = await findDirectory(source, fail);
  const headers = await readDirectory(source, directory, fail);
  const entries = new Map<string, ZipEntry>();
  let end = 0;
  let previous = '';
  for (const header of headers.sort((a, b) => a.offset - b.offset)) {
    const name = quote(header.name);
    if (header.offset < end) fail(`entry ${name} overlaps ${previous ? quote(previous) : 'the beginning'}`);
    const offset = await dataOffset(source, header, fail);
    end = offset + header.length;
    previous = header.name;
    if (end > directory.offset) fail(`entry ${name} overlaps the directory`, 'The file is damaged: get it again.');
    if (entries.has(header.name)) fail(`two entries are called ${name}`);
    entries.set(header.name, { offset, length: header.length });
  }
  return entries;
}

type Directory = { offset: number; length: number; count: number };

/** From the records at the end of the file. */
async function findDirectory(source: ByteSource, fail: Fail): Promise<Directory> {
  const tailBytes = Math.min(source.size, 22 + maxCommentBytes);
  const tailStart = source.size - tailBytes;
  const tail = await readPart(source, tailStart, tailBytes, 'the end of the archive', fail);
  const view = viewOf(tail);
  let at = tailBytes - 22;
  while (
    at >= 0 &&
    !(view.getUint32(at, true) === signature.end && view.getUint16(at + 20, true) === tailBytes - at - 22)
  )
    at--;
  if (at < 0) return fail('the archive has no directory at its end', 'The file is cut short: get it again.');
  const position = tailStart + at;
  const narrow = {
    disks: view.getUint16(at + 4, true) + view.getUint16(at + 6, true),
    count: view.getUint16(at + 10, true),
    length: view.getUint32(at + 12, true),
    offset: view.getUint32(at + 16, true),
  };
  const wide = position >= 20 ? await findDirectory64(source, position - 20, fail) : null;
  const directory = wide ?? { ...narrow, end: position };
  if (directory.disks !== 0) fail('the archive is one part of several');
  if (directory.offset + directory.length !== directory.end)
    fail('the directory of the archive is not where it should be');
  if (directory.length > maxDirectoryBytes || directory.count > maxEntries)
    fail('the directory of the archive is too large');
  return directory;
}

async function findDirectory64(
  source: ByteSource,
  locatorAt: number,
  fail: Fail,
): Promise<(Directory & { disks: number; end: number }) | null> {
  const locator = viewOf(await readPart(source, locatorAt, 20, 'the end of the archive', fail));
  if (locator.getUint32(0, true) !== signature.locator64) return null;
  const at = wideNumber(locator, 8, fail);
  const record = viewOf(await readPart(source, at, 56, 'the directory record', fail));
  if (record.getUint32(0, true) !== signature.end64) fail('the directory record of the archive is damaged');
  return {
    disks: record.getUint32(16, true) + record.getUint32(20, true),
    count: wideNumber(record, 32, fail),
    length: wideNumber(record, 40, fail),
    offset: wideNumber(record, 48, fail),
    end: at,
  };
}

type Header = { name: string; offset: number; length: number };

async function readDirectory(source: ByteSource, directory: Directory, fail: Fail): Promise<Header[]> {
  const bytes = await readPart(source, directory.offset, directory.length, 'the directory of the archive', fail);
  const view = viewOf(bytes);
  const headers: Header[] = [];
  let at = 0;
  for (let index = 0; index < directory.count; index++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== signature.central)
      fail(`directory entry ${index} is damaged`);
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => view.getUint16(at + field, true)) as [
      number,
      number,
      number,
    ];
    const next = at + 46 + nameBytes + extraBytes + commentBytes;
    if (next > bytes.length) fail(`directory entry ${index} is cut short`);
    const name = entryName(bytes.subarray(at + 46, at + 46 + nameBytes), fail);
    if (view.getUint16(at + 8, true) & 1) fail(`entry ${quote(name)} is encrypted`);
    if (view.getUint16(at + 10, true) !== 0) {
      fail(
        `entry ${quote(name)} is compressed, but PyTorch stores entries as they are`,
        'Save the weights with torch.save; those of a TorchScript program are its state_dict().',
      );
    }
    const extra = viewOf(bytes.subarray(at + 46 + nameBytes, at + 46 + nameBytes + extraBytes));
    const [length, stored, offset] = wideFields(
      extra,
      [24, 20, 42].map((field) => view.getUint32(at + field, true)) as [number, number, number],
      fail,
    );
    if (length !== stored) fail(`entry ${quote(name)} has two sizes, ${stored} and ${length} bytes`);
    headers.push({ name, offset, length });
    at = next;
  }
  if (at !== bytes.length) fail('the directory of the archive holds more than its entries');
  return headers;
}

/** Of the three fields, those that are full stand in the ZIP64 record instead, in this order. */
function wideFields(extra: DataView, fields: [number, number, number], fail: Fail): [number, number, number] {
  if (fields.every((field) => field !== 0xffffffff)) return fields;
  for (let at = 0; at + 4 <= extra.byteLength; at += 4 + extra.getUint16(at + 2, true)) {
    if (extra.getUint16(at, true) !== 1) continue;
    const end = at + 4 + extra.getUint16(at + 2, true);
    let from = at + 4;
    return fields.map((field) => {
      if (field !== 0xffffffff) return field;
      if (from + 8 > Math.min(end, extra.byteLength)) return fail('a ZIP64 record is cut short');
      from += 8;
      return wideNumber(extra, from - 8, fail);
    }) as [number, number, number];
  }
  return fail('a ZIP64 record is missing');
}

/** Where the data of an entry begins: behind its local header, whose length only it tells. */
async function dataOffset(source: ByteSource, { name, offset }: Header, fail: Fail): Promise<number> {
  const bytes = await readPart(source, offset, 30, `entry ${quote(name)}`, fail);
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== signature.local) fail(`entry ${quote(name)} has no header of its own`);
  const nameBytes = view.getUint16(26, true);
  const own = await readPart(source, offset + 30, nameBytes, `entry ${quote(name)}`, fail);
  if (view.getUint16(8, true) !== 0 || entryName(own, fail) !== name) {
    fail(`entry ${quote(name)} and its header say different things`);
  }
  return offset + 30 + nameBytes + view.getUint16(28, true);
}

function entryName(bytes: Uint8Array, fail: Fail): string {
  let name: string;
  try {
    name = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return fail('an entry of the archive has a name that is not UTF-8');
  }
  const parts = name.split('/');
  if (/[\p{Cc}\\:]/u.test(name) || parts.some((part) => part === '' || part === '.' || part === '..')) {
    return fail(`entry ${quote(name)} has a name that does not belong in a checkpoint`);
  }
  return name;
}

function wideNumber(view: DataView, at: number, fail: Fail): number {
  const value = view.getBigUint64(at, true);
  return value <= Number.MAX_SAFE_INTEGER ? Number(value) : fail('a size in the archive is impossible');
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
