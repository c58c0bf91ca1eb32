import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { manifestText } from '../../sdk/compile/package.ts';
import { sdkVersion } from '../../sdk/contract/version.ts';
import { loadModel, openModel } from '../../sdk/hub/hub.ts';
import { adapterFiles, adapterManifest } from '../unit/hub-fixtures.ts';

test('the version in the code is that of the package', async () => {
  const text = await readFile(new URL('../../package.json', import.meta.url), 'utf8');
  expect(sdkVersion).toBe(JSON.parse(text).version);
});

describe('a folder on disk', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mettle hub ä-'));
    const files = { ...adapterFiles, 'manifest.json': manifestText(await adapterManifest()) };
    for (const [path, bytes] of Object.entries(files)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), bytes);
    }
  });
  afterAll(() => rm(folder, { recursive: true }));

  test.each(['', '/', '/manifest.json'])('is loaded by its path, written with %j at the end', async (ending) => {
    const { files } = await loadModel(folder + ending, 'adapter', 'wasm');
    expect(files['adapter_model.safetensors']).toEqual(adapterFiles['adapter_model.safetensors']);
  });

  test('that is missing is not found', async () => {
    await expect(openModel(join(folder, 'nothing'), 'adapter')).rejects.toMatchObject({ code: 'not-found' });
  });

  test('is loaded over HTTP, and a page sent instead of a file is named', async () => {
    const server = createServer(async (request, response) => {
      const path = decodeURIComponent(request.url!);
      if (path.endsWith('.webgpu.onnx')) response.end('<!doctype html><title>Not here</title>');
      else response.end(await readFile(join(folder, path)));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      const model = await openModel(address, 'adapter');
      const { files } = await model.download('wasm');
      expect(files['graphs/clip.onnx']).toEqual(adapterFiles['graphs/clip.onnx']);
      await expect(model.download('webgpu')).rejects.toMatchObject({
        code: 'integrity',
        message: expect.stringContaining(`${address}/graphs/adapter.webgpu.onnx: expected 24 bytes`),
      });
    } finally {
      server.close();
    }
  });
});
