/**
 * From what a caller wrote (a shipped id, a path, a URL) to a model whose every byte was checked. The manifest comes first and by itself, because which
 * files are worth downloading depends on it, on the device, and on whether models fit together. Knows bytes only: no runtime, no graphs.
 */
import { bytesFor } from '#bytes';
import type { Bytes } from '../contract/bytes.ts';
import { heldVariant } from '../contract/held-variant.ts';
import type {
  AdapterGraphs,
  AdapterManifest,
  BackboneGraphs,
  BackboneManifest,
  FileEntry,
  GraphFiles,
  Integrity,
  Manifest,
} from '../contract/manifest.ts';
import { idPattern } from '../contract/manifest-form.ts';
import type { ModelPackage, VariantName } from '../contract/model.ts';
import { callback, checkOptions, type Rules, record, signal as signalRule, text } from '../contract/options.ts';
import { parseJson } from '../contract/parse-json.ts';
import { parseManifest } from '../contract/parse-manifest.ts';
import { splitSignatures } from '../contract/signature.ts';
import { Place } from '../contract/strict-json.ts';
import { didYouMean } from '../did-you-mean.ts';
import { throughDoor } from '../door.ts';
import { MettleError, type Warning } from '../errors.ts';
import { type Access, type AccessOptions, accessFor, type HubOptions, hubRules } from './access.ts';
import { besides, checkProtected, manifestUrl, resolveAddress } from './addresses.ts';
import { readDocument } from './documents.ts';
import { readVerified } from './download.ts';
import { type Pinned, splitPin } from './pin.ts';
import { checkSigned } from './publishers.ts';
import { readRegistry, registryUrl } from './registry.ts';
import { shown } from './request.ts';

/** A network that reads clips, or one that answers a task beside it. */
export type ModelKind = 'backbone' | 'adapter';
export type ManifestOf<K extends ModelKind> = K extends 'backbone' ? BackboneManifest : AdapterManifest;

/** How far the download of one model is, in bytes; `total` sums over the files of the chosen variant. Sizes are those of the manifest. */
export type DownloadProgress =
  | { type: 'file'; model: string; path: string; received: number; bytes: number }
  | { type: 'total'; model: string; received: number; bytes: number };

/** How a model is looked for. */
export type OpenOptions = AccessOptions & {
  /** Ends the call: it rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Digest that the manifest must have. Of shipped models it is checked without asking. */
  integrity?: Integrity;
};
export type DownloadOptions = { signal?: AbortSignal; onProgress?: (progress: DownloadProgress) => void };

/** A model of which only the manifest was read. */
export type OpenedModel<M extends Manifest> = {
  manifest: M;
  /** Address of the manifest; files lie beside it. */
  url: URL;
  /** Bytes of the files that one variant needs. */
  bytes(variant: VariantName): number;
  /** Reads the files that one variant needs, each once. Throws `integrity`, `not-found`, `network`; rejects with the signal's reason. */
  download(variant: VariantName, options?: DownloadOptions): Promise<ModelPackage<M>>;
};

const withArticle = { backbone: 'a backbone', adapter: 'an adapter' };

/**
 * Reads and checks the manifest of the model at `location`: the id of a shipped model, or the path or URL of a folder or of its manifest.json.
 * A name without slash, colon or `.json` is an id; a folder beside is written `./name`. After any of them `#sha256-...` pins the manifest to
 * that digest, `#ed25519-...` to that signer.
 * Throws `not-found`, `network`, `invalid-file`, `integrity`, `incompatible` (other SDK version), or `invalid-argument` if it is of the other kind.
 */
export async function openModel<K extends ModelKind>(
  location: string,
  kind: K,
  options: OpenOptions = {},
): Promise<OpenedModel<ManifestOf<K>>> {
  const access = accessFor(options);
  const { manifest, url } = await openManifest(location, kind, access, options);
  const checked = manifest as ManifestOf<K>;
  return {
    manifest: checked,
    url,
    bytes: (variant) => filesOf(checked, variant).reduce((sum, file) => sum + file.bytes, 0),
    download: (variant, more) => downloadFiles(checked, url, variant, access, more),
  };
}

/** What was read of a model so far. `vouched` says by what the manifest itself is known: a digest, a key, the list of shipped models, or nothing. */
export type OpenedManifest = {
  manifest: Manifest;
  url: URL;
  integrity: Integrity;
  vouched: 'pin' | 'key' | 'registry' | null;
};

/** The manifest alone, of any kind where that is null, with its digest and who vouches for it. Throws as `openModel`. */
export async function openManifest(
  location: string,
  kind: ModelKind | null,
  access: Access,
  { signal, integrity: wanted }: Pick<OpenOptions, 'signal' | 'integrity'>,
): Promise<OpenedManifest> {
  const found = await locate(location, kind, access, signal);
  const { url } = found;
  const where = `manifest.json of ${kind ?? 'the model'} at ${shown(url)}`;
  const pins = [found.registered, found.integrity, wanted].filter((pin) => pin !== undefined);
  const keys = found.publisher ? [found.publisher] : pins.length > 0 ? [] : access.publishers;
  if (pins.length === 0 && keys.length === 0) checkProtected(url);
  const parse = async (bytes: Uint8Array): Promise<{ bytes: Uint8Array; manifest: Manifest }> => {
    const json = parseJson(bytes, where);
    const manifest = parseManifest(json, where);
    if (kind !== null && manifest.kind !== kind) throw wrongKind(location, manifest.kind, kind);
    if (keys.length > 0) await checkSigned(splitSignatures(json, new Place(where)), keys, where);
    return { bytes, manifest };
  };
  const { bytes, manifest } = await readDocument(access, url, { pins, parse, signal });
  const vouched = found.integrity ? 'pin' : keys.length > 0 ? 'key' : found.registered ? 'registry' : null;
  return { manifest, url, integrity: await access.digest(bytes), vouched };
}

/** `openModel` and `download` in one, for callers that know their variant already. */
export async function loadModel<K extends ModelKind>(
  location: string,
  kind: K,
  variant: VariantName,
  options: OpenOptions & DownloadOptions = {},
): Promise<ModelPackage<ManifestOf<K>>> {
  const model = await openModel(location, kind, options);
  return await model.download(variant, options);
}

/** A model that ships with the SDK. */
export type ShippedModel = {
  /** What `createMettle` takes. */
  id: string;
  /** What it is. */
  kind: ModelKind;
};

/** What `listShipped` takes; all of it may be left out. */
export type ListOptions = HubOptions & {
  /** Where files come from. Default: the platform that the code runs on. */
  platform?: Bytes;
  /** Called where the cache fails. */
  onWarning?: (warning: Warning) => void;
  /** Page: the folder that `mettle assets` wrote, as for `createMettle`. */
  assets?: string;
  /** Ends the call: it rejects with the signal's reason. */
  signal?: AbortSignal;
};
const listRules: Rules<ListOptions> = {
  ...hubRules,
  assets: text,
  signal: signalRule,
  platform: record,
  onWarning: callback,
};

/** Ids of the models that ship with the SDK. Throws `not-found` where their folder is missing, `network`, `invalid-file`, or `signal.reason`. */
export async function listShipped(options: ListOptions = {}): Promise<ShippedModel[]> {
  checkOptions(options, listRules);
  const { signal, platform = bytesFor(options.assets) } = options;
  const registry = await throughDoor(signal, () => readRegistry(accessFor({ ...options, platform }), signal));
  return Object.entries(registry).map(([id, { kind }]) => ({ id, kind }));
}

type Located = Omit<Pinned, 'location'> & { url: URL; registered?: Integrity };

async function locate(named: string, kind: ModelKind | null, access: Access, signal?: AbortSignal): Promise<Located> {
  const { platform } = access;
  const what = kind ? withArticle[kind] : 'a model';
  if (typeof named !== 'string' || named.trim() === '') {
    throw new MettleError('invalid-argument', `Expected the id, path or URL of ${what}, got nothing.`);
  }
  const { location, ...pins } = splitPin(named);
  if (!idPattern.test(location) || location.endsWith('.json')) {
    return { url: manifestUrl(resolveAddress(location, access)), ...pins };
  }
  const registry = await readRegistry(access, signal);
  const entry = Object.hasOwn(registry, location) ? registry[location] : undefined;
  if (!entry) {
    const ids = Object.keys(registry).filter((id) => kind === null || registry[id]!.kind === kind);
    const meant = didYouMean(location, ids);
    throw new MettleError('not-found', `No shipped ${kind ?? 'model'} has the id "${location}".${meant}`, {
      hint: `Shipped are: ${ids.join(', ') || 'none'}. To load a folder of that name, write "./${location}".`,
    });
  }
  if (kind !== null && entry.kind !== kind) throw wrongKind(location, entry.kind, kind);
  return { url: new URL(entry.manifest, registryUrl(platform)), registered: entry.integrity, ...pins };
}

function wrongKind(location: string, actual: ModelKind, wanted: ModelKind): MettleError {
  return new MettleError(
    'invalid-argument',
    `"${location}" is ${withArticle[actual]}, expected ${withArticle[wanted]}.`,
    { hint: `Name ${withArticle[wanted]} here.` },
  );
}

/** Entries of the files that a variant names, each once, of the canary, and of the measure of familiarity. */
export function filesOf(manifest: Manifest, variant: VariantName): FileEntry[] {
  const graphs = Object.values<GraphFiles | null>(
    heldVariant<BackboneGraphs | AdapterGraphs>(manifest.variants, variant),
  ).filter((graph) => graph !== null);
  const paths = new Set(graphs.flatMap(({ graph, weights }) => [graph, weights]));
  if (manifest.canary) paths.add(manifest.canary.file);
  if (manifest.kind === 'adapter' && manifest.base.likeness) paths.add(manifest.base.likeness.file);
  if (manifest.kind === 'adapter' && manifest.familiarity) paths.add(manifest.familiarity.file);
  return manifest.files.filter((file) => paths.has(file.path));
}

async function downloadFiles<M extends Manifest>(
  manifest: M,
  url: URL,
  variant: VariantName,
  access: Access,
  { signal, onProgress }: DownloadOptions = {},
): Promise<ModelPackage<M>> {
  signal?.throwIfAborted();
  const entries = filesOf(manifest, variant);
  const report = progressReporter(manifest.id, entries, onProgress);
  // One file that fails ends the others.
  const controller = new AbortController();
  const abort = () => controller.abort(signal!.reason);
  signal?.addEventListener('abort', abort, { once: true });
  try {
    const files = await Promise.all(
      entries.map(async (entry) => {
        const bytes = await readVerified(access, besides(url, entry.path), entry, {
          signal: controller.signal,
          onBytes: (received) => report(entry, received),
        });
        report(entry, entry.bytes);
        return [entry.path, bytes] as const;
      }),
    );
    return { manifest, files: Object.fromEntries(files) };
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
  }
}

/** Tells the caller every step forward, as a file's and as the total's, and where it begins. */
function progressReporter(
  model: string,
  entries: readonly FileEntry[],
  onProgress: DownloadOptions['onProgress'],
): (entry: FileEntry, received: number) => void {
  const receivedBy = new Map(entries.map((entry) => [entry.path, 0]));
  const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
  onProgress?.({ type: 'total', model, received: 0, bytes });
  return (entry, received) => {
    if (received <= receivedBy.get(entry.path)!) return;
    receivedBy.set(entry.path, received);
    onProgress?.({ type: 'file', model, path: entry.path, received, bytes: entry.bytes });
    const total = [...receivedBy.values()].reduce((sum, count) => sum + count, 0);
    onProgress?.({ type: 'total', model, received: total, bytes });
  };
}
