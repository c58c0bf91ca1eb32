/** Damaged copies of a film, the same in every run: what broken disks, cut downloads and ill will make of it. */
import { randomNumbers } from '../unit/fuzz.ts';

/** Names whose neighbourhood holds counts, times and sizes. */
const boxes = [
  ...['mvhd', 'tkhd', 'mdhd', 'elst', 'stsd', 'stts', 'ctts', 'stsc', 'stsz', 'stco', 'stss', 'avcC', 'hvcC', 'vpcC'],
  ...['esds', 'trex', 'tfhd', 'tfdt', 'trun', 'sidx', 'mfra', 'fmt ', 'data', 'OggS', 'Xing', 'Info', 'fLaC', 'ID3'],
];
/** Matroska: segment, info, tracks, cluster, cues, simple block, sizes and counts by their identifiers. */
const elements = ['18538067', '1549a966', '1654ae6b', '1f43b675', '1c53bb6b', '2ad7b1', '4489', '23e383', 'a3', 'e7'];

type Damage = (bytes: Uint8Array, below: (limit: number) => number) => Uint8Array;

const kinds: Record<string, Damage> = {
  bits(bytes, below) {
    for (let flips = 1 + below(6); flips > 0; flips--) bytes[below(bytes.length)]! ^= 1 << below(8);
    return bytes;
  },
  head(bytes, below) {
    for (let flips = 1 + below(4); flips > 0; flips--) bytes[below(Math.min(2048, bytes.length))] = below(256);
    return bytes;
  },
  tail(bytes, below) {
    for (let flips = 1 + below(4); flips > 0; flips--) {
      bytes[bytes.length - 1 - below(Math.min(4096, bytes.length))] = below(256);
    }
    return bytes;
  },
  cut: (bytes, below) => bytes.slice(0, 1 + below(bytes.length)),
  zeros(bytes, below) {
    const start = below(bytes.length);
    return bytes.fill(0, start, start + below(bytes.length));
  },
  'zero tail': (bytes, below) => bytes.fill(0, Math.floor(bytes.length * (0.2 + below(80) / 100))),
  noise(bytes, below) {
    const start = below(bytes.length);
    for (let i = start; i < Math.min(bytes.length, start + 1 + below(2000)); i++) bytes[i] = below(256);
    return bytes;
  },
  grown(bytes, below) {
    const longer = new Uint8Array(bytes.length + 1 + below(300_000));
    longer.set(bytes);
    return longer;
  },
  moved(bytes, below) {
    const start = below(bytes.length);
    return bytes.copyWithin(below(bytes.length), start, start + 1 + below(5000));
  },
  dropped(bytes, below) {
    const start = below(bytes.length);
    const end = Math.min(bytes.length, start + 1 + below(600));
    return Uint8Array.from([...bytes.subarray(0, start), ...bytes.subarray(end)]);
  },
  counts(bytes, below) {
    const places = placesOf(bytes);
    const at = places.length > 0 ? places[below(places.length)]! : below(bytes.length);
    const field = at + 4 * below(8);
    const value = [0, 1, 0x7f, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xfffffff0, 0xffffffff][below(9)]!;
    for (let i = 0; i < 4 && field + i < bytes.length; i++) bytes[field + i] = value >>> (24 - 8 * i);
    return bytes;
  },
  'bytes of headers'(bytes, below) {
    const places = placesOf(bytes);
    for (let times = 1 + below(3); times > 0; times--) {
      const at = places.length > 0 ? places[below(places.length)]! : 0;
      bytes[Math.min(bytes.length - 1, at + below(40))] = [0, 0xff, 0x80, below(256)][below(4)]!;
    }
    return bytes;
  },
};

export const damageKinds = Object.keys(kinds);

/** Copy `index` of `good`: its kind of damage, and its bytes. */
export function damage(good: Uint8Array, index: number, seed: number): { kind: string; bytes: Uint8Array } {
  const random = randomNumbers(seed * 7919 + index * 104_729 + 1);
  for (let i = 0; i < 8; i++) random();
  const kind = damageKinds[index % damageKinds.length]!;
  return { kind, bytes: kinds[kind]!(new Uint8Array(good), (limit) => Math.floor(random() * limit)) };
}

/** Where the content of a known box or element begins. */
function placesOf(bytes: Uint8Array): number[] {
  const text = new TextDecoder('latin1').decode(bytes.subarray(0, 60_000));
  const ids = elements.map((id) => String.fromCharCode(...id.match(/../g)!.map((pair) => Number.parseInt(pair, 16))));
  const names = bytes[0] === 0x1a && bytes[1] === 0x45 ? ids : boxes;
  const places: number[] = [];
  for (const name of names) {
    for (let at = text.indexOf(name), found = 0; at >= 0 && found < 40; at = text.indexOf(name, at + 1), found++) {
      places.push(at + name.length);
    }
  }
  return places.sort((a, b) => a - b);
}
