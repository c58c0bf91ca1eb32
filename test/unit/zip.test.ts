/** Zipped adapters of strangers: what is no zip, holds no manifest, or states more than it may. */
import { zipSync } from 'fflate';
import { expect, test } from 'vitest';
import { limits } from '../../sdk/contract/limits.ts';
import { unzipFiles, zipFiles } from '../../sdk/hub/zip.ts';

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text);
const zipOf = (files: Record<string, Uint8Array>): Blob => new Blob([zipSync(files) as Uint8Array<ArrayBuffer>]);

test('files come back by their path in the folder, whether the folder itself was zipped or what is in it', async () => {
  const files = { 'manifest.json': bytes('{}'), 'graphs/a.onnx': bytes('abc') };
  expect(await unzipFiles(zipFiles(files), 'Zip')).toEqual(files);
  const folder = Object.fromEntries(Object.entries(files).map(([path, data]) => [`kettle/${path}`, data]));
  expect(await unzipFiles(zipOf({ ...folder, 'other.txt': bytes('x') }), 'Zip')).toEqual(files);
});

test('the same files make the same zip', async () => {
  const zip = async () => new Uint8Array(await zipFiles({ a: bytes('1') }).arrayBuffer());
  expect(await zip()).toEqual(await zip());
});

test('what is none is refused before it is unpacked', async () => {
  await expect(unzipFiles(new Blob([bytes('no zip')]), 'Zip')).rejects.toMatchObject({
    code: 'invalid-file',
    message: expect.stringMatching(/^Zip: no zip file that can be read/),
  });
  await expect(unzipFiles(zipOf({ a: bytes('1') }), 'Zip')).rejects.toMatchObject({
    message: 'Zip: holds no manifest.json.',
  });
  const many = Object.fromEntries(Array.from({ length: 1001 }, (_, i) => [String(i), bytes('')]));
  await expect(unzipFiles(zipOf(many), 'Zip')).rejects.toMatchObject({ message: 'Zip: more than 1000 files.' });

  // An entry that states a gigabyte: its size stands in the central directory, 24 bytes after the mark of its record.
  const honest = new Uint8Array(await zipOf({ 'manifest.json': bytes('{}') }).arrayBuffer());
  const record = honest.findIndex((_, i) => honest[i] === 0x50 && honest[i + 1] === 0x4b && honest[i + 2] === 1);
  new DataView(honest.buffer).setUint32(record + 24, limits.zipBytes + 1, true);
  await expect(unzipFiles(new Blob([honest]), 'Zip')).rejects.toMatchObject({
    message: 'Zip: its files take more than 268.4 MB.',
  });
});
