/** Prints `sdk/page/runtime-digests.ts` for the onnxruntime-web that is installed: `node test/tools/runtime-digests.mjs > sdk/page/runtime-digests.ts`. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const folder = new URL('../../node_modules/onnxruntime-web/', import.meta.url);
const { version } = JSON.parse(readFileSync(new URL('package.json', folder), 'utf8'));
const wasm = ['', '.jspi', '.asyncify'].flatMap((build) =>
  ['mjs', 'wasm'].map((end) => `ort-wasm-simd-threaded${build}.${end}`),
);
const files = ['ort.wasm.min.mjs', 'ort.jspi.min.mjs', 'ort.webgpu.min.mjs', 'ort.node.min.mjs', ...wasm];
const lines = files.map((name) => {
  const bytes = readFileSync(new URL(`dist/${name}`, folder));
  const digest = createHash('sha256').update(bytes).digest('base64');
  return `  '${name}': { bytes: ${String(bytes.length).replace(/\B(?=(\d{3})+$)/g, '_')}, integrity: 'sha256-${digest}' },`;
});
process.stdout.write(`/**
 * Sizes and digests of the files of onnxruntime-web ${version} that a page or Node runs, so that they are checked before. Written by
 * test/tools/runtime-digests.mjs; a test holds it against what npm installed.
 */
import type { Integrity } from '../contract/manifest.ts';

export const runtimeDigests = {
${lines.join('\n')}
} satisfies Record<string, { bytes: number; integrity: Integrity }>;

export type RuntimeFile = keyof typeof runtimeDigests;
`);
