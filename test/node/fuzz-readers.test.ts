/** A few hundred broken files for every reader of what strangers made; `npm run fuzz` reads thousands. */
import { expect, test } from 'vitest';
import { fuzzReaders } from '../helpers/fuzz-readers.ts';

test('every reader gives a result or an error that names the file', async () => {
  const rows = await fuzzReaders(150, 7);
  expect(rows.map(({ name }) => name)).toEqual([
    'safetensors',
    'ONNX, checked',
    'manifest',
    'table',
    'PNG',
    'mask',
    'TensorFlow Lite',
    'ZIP of PyTorch',
    'pickle',
  ]);
  for (const { name, files, refused, faults } of rows) {
    expect(faults, name).toEqual([]);
    expect(files).toBe(150);
    expect(refused, name).toBeGreaterThan(50);
  }
});
