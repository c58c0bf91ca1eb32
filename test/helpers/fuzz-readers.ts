/**
 * Broken copies of files of every kind but media, the same in every run, for the readers of what strangers made. Each must give a result or an error that names the file,
 * soon and within memory.
 */
import process from 'node:process';
import { manifestText } from '../../sdk/compile/package.ts';
import { parseJson } from '../../sdk/contract/parse-json.ts';
import { parseManifest } from '../../sdk/contract/parse-manifest.ts';
import { MettleError } from '../../sdk/errors.ts';
import { readMask } from '../../sdk/node/data/mask.ts';
import { decodePng } from '../../sdk/node/data/png-reader.ts';
import { encodePng } from '../../sdk/node/output/png.ts';
import { memorySource } from '../../sdk/onnx/checkpoint/byte-source.ts';
import { openCheckpoint } from '../../sdk/onnx/checkpoint/checkpoint.ts';
import { unpickle } from '../../sdk/onnx/checkpoint/pickle.ts';
import { torchWorld } from '../../sdk/onnx/checkpoint/torch-world.ts';
import { checkNetwork } from '../../sdk/onnx/network-check.ts';
import { readSafetensors, writeSafetensors } from '../../sdk/onnx/safetensors.ts';
import { convertTflite } from '../../sdk/tflite/convert.ts';
import { parseOwnEvents } from '../../sdk/train/data/own-tables.ts';
import { brokenCopies } from '../unit/fuzz.ts';
import { adapterManifest } from '../unit/hub-fixtures.ts';
import { pickleOf, tensorPickle, torchFileOf } from './checkpoint-files.ts';
import { tinyModels } from './tiny-models.ts';
import { tinyPictureNet } from './tiny-tflite.ts';

/** A reader, and a good file for it. */
type Target = { name: string; good: Uint8Array; read: (bytes: Uint8Array) => unknown };
export type FuzzRow = {
  name: string;
  files: number;
  read: number;
  refused: number;
  slowestMs: number;
  peakMb: number;
  faults: string[];
};

const fail = (problem: string): never => {
  throw new MettleError('invalid-file', problem);
};

export async function fuzzTargets(): Promise<Target[]> {
  const encode = (text: string) => new TextEncoder().encode(text);
  const pixels = Uint8Array.from({ length: 3 * 64 }, (_, i) => (i * 37) & 255);
  const { backbone } = tinyModels(['wasm']);
  const outside = { path: 'visual.wasm.safetensors', data: backbone.files['visual.wasm.safetensors']! };
  const weights = { 'a.weight': { shape: [4, 3], data: Float32Array.from({ length: 12 }, (_, i) => i) } };
  const table = 'file,onset,offset,label,modality,split\n"a, b.mp4",0,1.5,"dog ""x""",audio,train\nc.mp4,,,,,\n';
  return [
    {
      name: 'safetensors',
      good: writeSafetensors({ a: { dtype: 'F32', ...weights['a.weight'] } }),
      read: (bytes) => readSafetensors(bytes, 'x'),
    },
    {
      name: 'ONNX, checked',
      good: backbone.files['visual.wasm.onnx']!,
      read: (bytes) => checkNetwork({ label: 'x', graph: bytes, weights: outside }),
    },
    {
      name: 'manifest',
      good: encode(manifestText(await adapterManifest())),
      read: (bytes) => parseManifest(parseJson(bytes, 'x'), 'x'),
    },
    { name: 'table', good: encode(table), read: (bytes) => parseOwnEvents(new TextDecoder().decode(bytes), 'x') },
    { name: 'PNG', good: encodePng({ width: 8, height: 8, data: pixels }), read: (bytes) => decodePng(bytes, 'x') },
    { name: 'mask', good: encodePng({ width: 8, height: 24, data: pixels }), read: (bytes) => readMask(bytes, 'x') },
    { name: 'TensorFlow Lite', good: tinyPictureNet(), read: (bytes) => convertTflite(bytes, 'x') },
    { name: 'ZIP of PyTorch', good: torchFileOf(weights), read: (bytes) => openCheckpoint(memorySource(bytes), 'x') },
    {
      name: 'pickle',
      good: pickleOf(tensorPickle(0, 12, { shape: [4, 3], strides: [3, 1] })),
      read: (bytes) => unpickle(bytes, torchWorld, fail),
    },
  ];
}

/** Codes that a broken file may give: what it is, what it lacks, or what it asks for. */
const expected = new Set(['invalid-file', 'incompatible']);

/** Reads `count` broken copies of each good file. */
export async function fuzzReaders(count: number, seed = 1): Promise<FuzzRow[]> {
  const rows: FuzzRow[] = [];
  for (const { name, good, read } of await fuzzTargets()) {
    await read(good);
    const row: FuzzRow = { name, files: 0, read: 0, refused: 0, slowestMs: 0, peakMb: 0, faults: [] };
    for (const bytes of brokenCopies(good, count, seed)) {
      const begin = performance.now();
      row.files++;
      try {
        await read(bytes);
        row.read++;
      } catch (error) {
        if (error instanceof MettleError && expected.has(error.code) && error.message.length < 1500) row.refused++;
        else
          row.faults.push(`${row.files}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
      }
      row.slowestMs = Math.max(row.slowestMs, performance.now() - begin);
      row.peakMb = Math.max(row.peakMb, process.memoryUsage.rss() / 1e6);
    }
    rows.push(row);
  }
  return rows;
}

export function fuzzTable(rows: readonly FuzzRow[]): string {
  const lines = rows.map(({ name, files, read, refused, faults, slowestMs, peakMb }) =>
    [name.padEnd(16), files, read, refused, faults.length, slowestMs.toFixed(0), peakMb.toFixed(0)]
      .map((cell) => String(cell).padStart(9))
      .join(''),
  );
  const heads = ['reader'.padEnd(16), 'files', 'read', 'refused', 'faults', 'worst ms', 'peak MB'];
  return [heads.map((head) => head.padStart(9)).join(''), ...lines].join('\n');
}
