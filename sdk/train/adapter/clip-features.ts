/** What the frozen backbone says of every clip of a training, made once, kept where there is room, and read as examples. */
import type { SegmentFormat } from '../../contract/clip.ts';
import { contractOf } from '../../contract/fits.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import type { BackboneManifest, Tap } from '../../contract/manifest.ts';
import { MettleError } from '../../errors.ts';
import { mapsToGuide, tapsRead } from '../../models/adapter.ts';
import { type ExampleOptions, examplesOf } from '../features/examples.ts';
import { keepingMasks } from '../features/masks.ts';
import { cutIntoPieces, type Piece } from '../features/pieces.ts';
import { type CachePolicy, type ClipTaps, choosePolicy, TapCache } from '../features/tap-cache.ts';
import { readTaps, tapReader } from '../features/tap-reader.ts';
import type { BatchSource } from '../loop/batches.ts';
import type { AdapterTraining, ItemAccess } from './training.ts';

export type Features = {
  policy: CachePolicy;
  pieces: readonly Piece[];
  failed: ReadonlyMap<string, string>;
  /** One name per piece of everything that its features depend on. */
  keys: ReadonlyMap<Piece, string>;
  readMask: ItemAccess['readMask'];
  examples(pieces: readonly Piece[], learning?: Pick<ExampleOptions, 'config' | 'supervisedOnly'>): BatchSource;
};

/** Loads the tap reader, and where features are kept makes them all now, so that a broken clip is known before training begins. */
export async function openFeatures(options: AdapterTraining): Promise<Features> {
  const { dataset, config, backbone, engine, runtime, cache, signal, onProgress } = options;
  const { manifest } = backbone;
  const pieces = cutIntoPieces(dataset.items, config.segments);
  const all = [...manifest.taps.visual, ...manifest.taps.audio];
  const names = tapsRead(manifest.taps, config);
  const read = all.filter((tap) => names.includes(tap.name));
  const seconds = pieces.reduce((sum, piece) => sum + piece.seconds, 0);
  const policy = choosePolicy(all, read, seconds, cache.budget);
  onProgress?.({ phase: 'cache', policy });
  const kept = policy.keep === 'all' ? all : read;
  const keptNames = kept.map((tap) => tap.name);
  const adapters = [await tapReader(manifest, kept)];
  const { device, runtimePath } = options;
  await engine.load({ backbone, adapters, device, threads: runtime.threads, runtimePath });

  const keys = await keysOf(options, pieces, keptNames);
  const compute = (index: number): Promise<ClipTaps> => tapsOf(options, kept, pieces[index]!);
  const taps = new TapCache(policy.keep === 'none' ? null : cache.store, (index) => keys[index]!, compute);
  const failed = new Map<string, string>();
  for (const [index, { id }] of policy.keep === 'none' ? [] : pieces.entries()) {
    signal?.throwIfAborted();
    await taps.fill(index, signal).catch((error: unknown) => {
      signal?.throwIfAborted();
      if (!(error instanceof MettleError) || !isClipFault(error)) throw error;
      failed.set(id, error.message);
    });
    onProgress?.({ phase: 'features', done: index + 1, total: pieces.length, skipped: failed.size });
  }
  const sizes = new Map(read.map((tap: Tap) => [tap.name, tap.tokens * tap.width]));
  const places = new Map(pieces.map((piece, index) => [piece, index]));
  const readMask = keepingMasks((path) => options.access.readMask(path));
  return {
    policy,
    pieces,
    failed,
    keys: new Map(pieces.map((piece, index) => [piece, keys[index]!])),
    readMask,
    examples: (items, learning) =>
      examplesOf({
        items,
        config,
        taps: sizes,
        cache: taps,
        indexOf: (piece) => places.get(piece)!,
        maskSize: maskSizeOf(options),
        readMask,
        ...learning,
        signal,
      }),
  };
}

/** Whether an error is one clip's own fault, so that the others can go on without it. */
export const isClipFault = ({ code }: MettleError): boolean =>
  ['not-media', 'empty-media', 'unsupported-codec', 'not-found', 'invalid-file'].includes(code);

/** One name per piece, made of everything that its features depend on. */
async function keysOf(
  { access, backbone }: AdapterTraining,
  pieces: readonly Piece[],
  taps: readonly string[],
): Promise<string[]> {
  const { manifest } = backbone;
  const base = `${manifest.id} ${manifest.version} ${await contractOf(manifest)} ${manifest.files.map((f) => f.integrity)} ${taps}`;
  const keys: string[] = [];
  for (const piece of pieces) {
    const text = `${base} ${await access.fingerprint(piece)} ${piece.start} ${piece.seconds}`;
    const digest = await sha256Integrity(new TextEncoder().encode(text));
    keys.push(digest.slice('sha256-'.length).replaceAll('/', '_').replaceAll('+', '-').replaceAll('=', ''));
  }
  return keys;
}

async function tapsOf(
  { access, backbone, engine, signal }: AdapterTraining,
  kept: readonly Tap[],
  piece: Piece,
): Promise<ClipTaps> {
  const { start, seconds } = piece;
  const segments = access.segments(piece, segmentFormatOf(backbone.manifest), signal);
  const taps = await readTaps(engine, kept, segments, { start, seconds });
  if (taps.seconds > 0) return taps;
  throw new MettleError('empty-media', `The clip ends before second ${start}, which has labels.`);
}

/** What a backbone wants to see and hear. A sense that it lacks is decoded at a size that costs nothing. */
export function segmentFormatOf({ inputs: { visual, audio } }: BackboneManifest): SegmentFormat {
  return {
    frame: { width: visual?.width ?? 1, height: visual?.height ?? 1 },
    sampleRate: audio?.sampleRate ?? 8000,
  };
}

/** Size of the masks that the model predicts; none for other tasks. */
export function maskSizeOf({ config, backbone }: AdapterTraining): { width: number; height: number } | undefined {
  if (config.task !== 'segment') return undefined;
  const [rows, columns] = mapsToGuide(backbone.manifest.taps.visual)[0]!.grid;
  return { width: 4 * columns, height: 4 * rows };
}
