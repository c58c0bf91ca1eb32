/** Features of the clips of a dataset: each clip runs through the frozen backbone once, in pieces, and what it gave is kept where there is room. */
import type { Segment, SegmentFormat } from '../../contract/clip.ts';
import type { DeviceRequest } from '../../contract/device.ts';
import { contractOf } from '../../contract/fits.ts';
import { sha256Integrity } from '../../contract/integrity.ts';
import type { BackboneManifest, Tap } from '../../contract/manifest.ts';
import type { ModelPackage } from '../../contract/model.ts';
import type { Runtime } from '../../contract/runtime.ts';
import type { Engine } from '../../engine/types.ts';
import { MettleError } from '../../errors.ts';
import type { Dataset, DatasetItem } from '../data/types.ts';
import { keepingMasks, type MaskImage } from './masks.ts';
import { cutIntoPieces, type Piece } from './pieces.ts';
import { type CachePolicy, type ClipTaps, choosePolicy, type FileStore, TapCache } from './tap-cache.ts';
import { readTaps, tapReader } from './tap-reader.ts';

/** How an item's bytes are reached. */
export type ItemAccess = {
  /** Decodes an item second by second; throws a MettleError for a broken one. */
  segments(item: DatasetItem, format: SegmentFormat, signal?: AbortSignal): AsyncIterable<Segment>;
  /** Text that changes whenever the item's bytes do. */
  fingerprint(item: DatasetItem): Promise<string>;
  /** The mask at a path that the labels name; throws a MettleError for a broken one. */
  readMask(path: string): Promise<MaskImage>;
};

/** Clips, and what sees them. */
export type FeatureSource = {
  dataset: Dataset;
  access: ItemAccess;
  backbone: ModelPackage<BackboneManifest>;
  /** The tap reader is loaded into it. */
  engine: Engine;
  device: DeviceRequest;
  runtime: Runtime;
  runtimePath?: string;
  cache: { store: FileStore; budget: number };
  signal?: AbortSignal;
  onProgress?: (progress: FeatureProgress) => void;
};

/** How far the reading of clips is. */
export type FeatureProgress =
  | {
      /** Before all: what will be kept. */
      phase: 'cache';
      /** Which features are kept, and why. */
      policy: CachePolicy;
    }
  | {
      /** Clips run through the backbone. */
      phase: 'features';
      /** Clips, of `total`. */
      done: number;
      /** Clips. */
      total: number;
      /** Clips that could not be decoded. */
      skipped: number;
    };

export type ClipFeatures = {
  policy: CachePolicy;
  pieces: readonly Piece[];
  /** Why pieces cannot be used, by id. */
  failed: ReadonlyMap<string, string>;
  /** One name per piece of everything that its features depend on. */
  keys: ReadonlyMap<Piece, string>;
  /** By the place that `indexOf` tells. */
  taps: TapCache;
  indexOf(piece: Piece): number;
  readMask: ItemAccess['readMask'];
};

/** Taps of these names, of pieces of at most so many seconds. Where features are kept makes them all now, so that a broken clip is known before work begins. */
export async function openClipFeatures(
  source: FeatureSource,
  { names, segments }: { names: readonly string[]; segments: number },
): Promise<ClipFeatures> {
  const { dataset, backbone, engine, runtime, cache, signal, onProgress } = source;
  const { manifest } = backbone;
  const pieces = cutIntoPieces(dataset.items, segments);
  const all = [...manifest.taps.visual, ...manifest.taps.audio];
  const read = all.filter((tap) => names.includes(tap.name));
  const seconds = pieces.reduce((sum, piece) => sum + piece.seconds, 0);
  const policy = choosePolicy(all, read, seconds, cache.budget);
  onProgress?.({ phase: 'cache', policy });
  const kept = policy.keep === 'all' ? all : read;
  const keptNames = kept.map((tap) => tap.name);
  const adapters = [await tapReader(manifest, kept)];
  const { device, runtimePath } = source;
  await engine.load({ backbone, adapters, device, threads: runtime.threads, runtimePath });

  const keys = await keysOf(source, pieces, keptNames);
  const compute = (index: number): Promise<ClipTaps> => tapsOf(source, kept, pieces[index]!);
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
  const places = new Map(pieces.map((piece, index) => [piece, index]));
  return {
    policy,
    pieces,
    failed,
    keys: new Map(pieces.map((piece, index) => [piece, keys[index]!])),
    taps,
    indexOf: (piece) => places.get(piece)!,
    readMask: keepingMasks((path) => source.access.readMask(path)),
  };
}

/** Whether an error is one clip's own fault, so that the others can go on without it. */
export const isClipFault = ({ code }: MettleError): boolean =>
  ['not-media', 'empty-media', 'unsupported-codec', 'not-found', 'invalid-file'].includes(code);

/** One name per piece, made of everything that its features depend on. */
async function keysOf(
  { access, backbone }: FeatureSource,
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
  { access, backbone, engine, signal }: FeatureSource,
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
