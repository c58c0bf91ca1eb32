/**
 * Which files a page loads by itself, and where they lie on this machine: scripts of this package, the runtime of the installed onnxruntime-web, and models. The layout is
 * the one that `sdk/page/places.ts` expects of a folder.
 */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { registryText } from '../../compile/package.ts';
import type { Registry } from '../../contract/registry.ts';
import { runtimeVersion, sdkVersion } from '../../contract/version.ts';
import { didYouMean } from '../../did-you-mean.ts';
import { MettleError } from '../../errors.ts';
import { accessFor } from '../../hub/access.ts';
import { openModel } from '../../hub/hub.ts';
import { readRegistry, registryUrl } from '../../hub/registry.ts';
import { bytesFor } from '../bytes.ts';
import { exists } from '../files/file-store.ts';
import { packageRoot } from '../package-root.ts';

/** A file of the folder: `path` in it, with `/` between names; its bytes lie in `file`, or are `text`. */
export type AssetFile = { path: string } & ({ file: string } | { text: string });

export type AssetsChoice = {
  /** Ids of shipped models; the backbone of an adapter comes along. Default: all. */
  models?: readonly string[];
  signal?: AbortSignal;
};

/** The front is there for pages without a bundler. */
const scripts = ['index.js', 'decode-worker.js', 'engine-worker.js', 'in-thread.js'];

/** A page takes one of three builds: WASM, or WebGPU with or without suspended WebAssembly. */
const runtimeFiles = [
  ['ort.wasm.min.mjs', 'ort-wasm-simd-threaded'],
  ['ort.jspi.min.mjs', 'ort-wasm-simd-threaded.jspi'],
  ['ort.webgpu.min.mjs', 'ort-wasm-simd-threaded.asyncify'],
].flatMap(([script, wasm]) => [script!, `${wasm}.mjs`, `${wasm}.wasm`]);

/**
 * The files of the folder, all but the list of them. Nothing is read but registry and manifests.
 * Throws `not-found` for an id that does not ship, `missing-package` or `incompatible` without the right onnxruntime-web, `not-found` in a checkout that was not built.
 */
export async function listAssets({ models, signal }: AssetsChoice = {}): Promise<AssetFile[]> {
  const parts = [await scriptFiles(), await runtimeAssets(), await modelFiles(models, signal)];
  return parts.flat().sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Throws `not-found` where the file has gone since. */
export async function readAsset(asset: AssetFile): Promise<Uint8Array> {
  if ('text' in asset) return new TextEncoder().encode(asset.text);
  try {
    return await readFile(asset.file);
  } catch (cause) {
    throw new MettleError('not-found', `${asset.file} cannot be read: ${(cause as Error).message}.`, {
      hint: 'Install the packages again.',
      cause,
    });
  }
}

async function scriptFiles(): Promise<AssetFile[]> {
  const folder = fileURLToPath(new URL('dist/page/', packageRoot));
  const files = scripts.map((path) => ({ path, file: join(folder, path) }));
  for (const { file } of files) {
    if (await exists(file)) continue;
    throw new MettleError('not-found', `${file} is missing.`, {
      hint: 'Install mettle-edge again; in a checkout of it, run "npm run build" first.',
    });
  }
  return files;
}

async function runtimeAssets(): Promise<AssetFile[]> {
  const folder = await runtimeFolder();
  return runtimeFiles.map((name) => ({ path: `runtime/${name}`, file: join(folder, name) }));
}

/** `dist` of onnxruntime-web, as this package finds it. */
async function runtimeFolder(): Promise<string> {
  const install = `Install it: npm install onnxruntime-web@${runtimeVersion}`;
  let folder: string;
  try {
    folder = dirname(createRequire(new URL('package.json', packageRoot)).resolve('onnxruntime-web'));
  } catch (cause) {
    throw new MettleError('missing-package', 'onnxruntime-web, whose files a page needs, is not installed.', {
      hint: install,
      cause,
    });
  }
  const { version } = JSON.parse(await readFile(join(folder, '..', 'package.json'), 'utf8'));
  if (version === runtimeVersion) return folder;
  throw new MettleError(
    'incompatible',
    `mettle-edge ${sdkVersion} needs onnxruntime-web ${runtimeVersion}, but ${version} is installed at ${dirname(folder)}.`,
    { hint: `${install}, and take away what asks for another version ("overrides" or "resolutions" in package.json).` },
  );
}

async function modelFiles(wanted: readonly string[] | undefined, signal?: AbortSignal): Promise<AssetFile[]> {
  const platform = bytesFor();
  const registry = await readRegistry(accessFor({ platform }), signal);
  const chosen: Registry = {};
  const files: AssetFile[] = [];
  const take = async (id: string): Promise<void> => {
    if (id in chosen) return;
    const entry = registry[id]!;
    chosen[id] = entry;
    const { manifest } = await openModel(id, entry.kind, { signal, platform });
    const folder = dirname(entry.manifest);
    for (const path of [entry.manifest, ...manifest.files.map((file) => `${folder}/${file.path}`)]) {
      files.push({ path: `models/${path}`, file: fileURLToPath(new URL(path, registryUrl(platform))) });
    }
    if (manifest.kind === 'adapter') await take(manifest.base.id);
  };
  for (const id of wanted ?? Object.keys(registry)) await take(known(id, registry));
  return [...files, { path: 'models/registry.json', text: registryText(chosen) }];
}

function known(id: string, registry: Registry): string {
  if (Object.hasOwn(registry, id)) return id;
  const ids = Object.keys(registry);
  throw new MettleError('not-found', `No model "${id}" ships with mettle-edge.${didYouMean(id, ids)}`, {
    hint: `Shipped are: ${ids.join(', ')}.`,
  });
}
