/** onnxruntime-web as npm installed it for Node, its files checked against the digests that are built into this SDK before they run. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Ort } from '../contract/runtime.ts';
import { MettleError } from '../errors.ts';
import type { RuntimeFile } from '../page/runtime-digests.ts';
import { checkRuntimeFile } from '../page/runtime-files.ts';
import { readDisk } from './disk.ts';

const binary = 'ort-wasm-simd-threaded.wasm';
/** What runs in Node: the entry, and the module and bytes of WebAssembly that it loads. */
export const nodeRuntimeFiles: readonly RuntimeFile[] = ['ort.node.min.mjs', 'ort-wasm-simd-threaded.mjs', binary];

/** Folder of the installed runtime. Throws `missing-package` where there is none. */
export function runtimeFolder(): string {
  try {
    return dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));
  } catch (cause) {
    throw new MettleError('missing-package', 'onnxruntime-web, a dependency of mettle-edge, is not installed here.', {
      hint: 'Install mettle-edge again; a bundler for servers must leave both packages out of its bundle.',
      cause,
    });
  }
}

/** What is wrong with the installed files, in sentences; none where all is well. */
export async function checkInstalledRuntime(): Promise<string[]> {
  const failures: string[] = [];
  for (const name of nodeRuntimeFiles) {
    try {
      await readChecked(runtimeFolder(), name);
    } catch (error) {
      if (!(error instanceof MettleError)) throw error;
      failures.push(error.message);
    }
  }
  return failures;
}

async function readChecked(folder: string, name: RuntimeFile): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await readDisk(join(folder, name));
  await checkRuntimeFile(join(folder, name), name, bytes);
  return bytes;
}

let loading: Promise<Ort> | null = null;

/** The runtime of this thread, which takes its bytes once. Throws `integrity` where a file is not what this SDK was made with. */
export function checkedRuntime(): Promise<Ort> {
  loading ??= load();
  loading.catch(() => {
    loading = null;
  });
  return loading;
}

async function load(): Promise<Ort> {
  const folder = runtimeFolder();
  const files = await Promise.all(
    nodeRuntimeFiles.map(async (name) => [name, await readChecked(folder, name)] as const),
  );
  // In Node, and only there, the bare entry is the WASM build, and the only one of the package that can start threads here.
  const ort: Ort = await import('onnxruntime-web');
  ort.env.wasm.wasmBinary = new Map(files).get(binary)!.buffer;
  return ort;
}
