import { describe, expect, test } from 'vitest';
import { sha256Integrity } from '../../sdk/contract/integrity.ts';
import { type DownloadProgress, listShipped, loadModel, openModel } from '../../sdk/hub/hub.ts';
import { adapterFiles, backboneFiles, bytesOf, memoryPlatform } from './hub-fixtures.ts';

const ave = 'memory://host/ave/';

/** A promise and what settles it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

/** Lets everything that can go on go on, up to hashing. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 20));

test('a digest is that of SHA-256', async () => {
  // FIPS 180-2, appendix B.1: "abc".
  expect(await sha256Integrity(bytesOf('abc'))).toBe('sha256-ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=');
});

describe('a location', () => {
  test.each([
    ['toybox-ave', 'memory://shipped/adapters/toybox-ave/manifest.json'],
    ['memory://host/ave/', 'memory://host/ave/manifest.json'],
    ['memory://host/ave', 'memory://host/ave/manifest.json'],
    ['memory://host/ave/manifest.json', 'memory://host/ave/manifest.json'],
  ])('%s leads to %s', async (location, url) => {
    const model = await openModel(location, 'adapter', { platform: await memoryPlatform() });
    expect(model.url.href).toBe(url);
    expect(model.manifest.id).toBe('toybox-ave');
  });

  test('relative to the page', async () => {
    const platform = await memoryPlatform();
    await expect(openModel('./models/x', 'adapter', { platform })).rejects.toMatchObject({ code: 'not-found' });
    expect(platform.reads).toEqual(['memory://page/models/x/manifest.json']);
  });

  test('that is no shipped id names those that are', async () => {
    await expect(openModel('nanoo', 'backbone', { platform: await memoryPlatform() })).rejects.toMatchObject({
      code: 'not-found',
      message: 'No shipped backbone has the id "nanoo". Did you mean "nano"?',
      hint: 'Shipped are: nano. To load a folder of that name, write "./nanoo".',
    });
  });

  test('of the other kind is refused, by id and by address', async () => {
    const platform = await memoryPlatform();
    const expected = {
      code: 'invalid-argument',
      message: expect.stringContaining('is an adapter, expected a backbone'),
    };
    await expect(openModel('toybox-ave', 'backbone', { platform })).rejects.toMatchObject(expected);
    await expect(openModel(ave, 'backbone', { platform })).rejects.toMatchObject(expected);
    await expect(openModel('', 'backbone', { platform })).rejects.toMatchObject({ code: 'invalid-argument' });
  });

  test('is one of those that ship', async () => {
    expect(await listShipped({ platform: await memoryPlatform() })).toEqual([
      { id: 'nano', kind: 'backbone' },
      { id: 'toybox-ave', kind: 'adapter' },
    ]);
  });

  test('of shipped models needs their registry', async () => {
    const platform = await memoryPlatform();
    platform.files.delete('memory://shipped/registry.json');
    await expect(openModel('nano', 'backbone', { platform })).rejects.toMatchObject({
      code: 'not-found',
      message: 'There is no list of shipped models at memory://shipped/registry.json.',
    });
  });
});

describe('a download', () => {
  test('brings the files of the chosen variant, each read once', async () => {
    const platform = await memoryPlatform();
    const { manifest, files } = await loadModel('nano', 'backbone', 'wasm', { platform });
    expect(manifest.taps.visual[0]!.name).toBe('v0');
    expect(files).toEqual({
      'visual.wasm.onnx': backboneFiles['visual.wasm.onnx'],
      'audio.wasm.onnx': backboneFiles['audio.wasm.onnx'],
      'model.safetensors': backboneFiles['model.safetensors'],
    });
    const folder = 'memory://shipped/backbones/nano/';
    expect(platform.reads.slice(0, 2)).toEqual(['memory://shipped/registry.json', `${folder}manifest.json`]);
    expect(platform.reads.slice(2).sort()).toEqual(
      Object.keys(files)
        .map((path) => folder + path)
        .sort(),
    );
  });

  test('begins with the manifest alone', async () => {
    const platform = await memoryPlatform();
    const model = await openModel(ave, 'adapter', { platform });
    expect(platform.reads).toEqual([`${ave}manifest.json`]);
    const { files } = await model.download('webgpu');
    expect(Object.keys(files).sort()).toEqual([
      'adapter_model.safetensors',
      'graphs/adapter.webgpu.onnx',
      'graphs/clip.onnx',
    ]);
  });

  test('tells its progress by the sizes of the manifest, never backwards', async () => {
    const events: DownloadProgress[] = [];
    const { files } = await loadModel(ave, 'adapter', 'wasm', {
      platform: await memoryPlatform(),
      onProgress: (event) => events.push(event),
    });
    const bytes = Object.values(files).reduce((sum, file) => sum + file.byteLength, 0);
    const totals = events.filter((event) => event.type === 'total');
    expect(totals[0]).toEqual({ type: 'total', model: 'toybox-ave', received: 0, bytes });
    expect(totals.at(-1)).toEqual({ type: 'total', model: 'toybox-ave', received: bytes, bytes });
    for (let index = 1; index < totals.length; index++) {
      expect(totals[index]!.received).toBeGreaterThan(totals[index - 1]!.received);
    }
    const weights = events.filter((event) => event.type === 'file' && event.path === 'adapter_model.safetensors');
    const size = adapterFiles['adapter_model.safetensors'].byteLength;
    expect(weights.map((event) => event.received)).toEqual([size >> 1, size]);
    expect(weights.every((event) => event.bytes === size && event.model === 'toybox-ave')).toBe(true);
  });

  test('ends with an error of the progress callback', async () => {
    const onProgress = () => {
      throw new Error('from the callback');
    };
    const platform = await memoryPlatform();
    await expect(loadModel(ave, 'adapter', 'wasm', { platform, onProgress })).rejects.toThrow('from the callback');
  });
});

describe('bytes that are not those of the manifest', () => {
  const graph = `${ave}graphs/adapter.wasm.onnx`;

  test.each([
    ['changed', bytesOf('adapter graph FOR wasm'), /got 22 bytes with sha256-/],
    ['cut short', bytesOf('adapter'), /got 7 bytes with sha256-/],
    ['longer', bytesOf('adapter graph for wasm, and more'), /got more than 22 bytes/],
    ['a page', bytesOf('<!DOCTYPE html><p>404'), /got an HTML page with sha256-/],
  ])('%s', async (_name, bytes, got) => {
    const platform = await memoryPlatform();
    platform.files.set(graph, bytes);
    const error = await loadModel(ave, 'adapter', 'wasm', { platform }).catch((reason) => reason);
    expect(error).toMatchObject({ name: 'MettleError', code: 'integrity' });
    expect(error.message).toContain(
      `${graph}: expected 22 bytes with ${await sha256Integrity(adapterFiles['graphs/adapter.wasm.onnx'])}`,
    );
    expect(error.message).toMatch(got);
  });

  test('a file that is missing ends the other reads', async () => {
    const platform = await memoryPlatform();
    const model = await openModel(ave, 'adapter', { platform });
    platform.files.delete(graph);
    platform.gate = new Promise(() => {});
    await expect(model.download('wasm')).rejects.toMatchObject({ code: 'not-found' });
    expect(platform.aborted).toBe(2);
  });

  test('a manifest that is a page says so', async () => {
    const platform = await memoryPlatform();
    platform.files.set(`${ave}manifest.json`, bytesOf('\n<html><title>Sign in</title>'));
    await expect(openModel(ave, 'adapter', { platform })).rejects.toMatchObject({
      code: 'invalid-file',
      message: `manifest.json of adapter at ${ave}manifest.json: expected JSON, got an HTML page.`,
    });
  });

  test('a manifest without end is not read to its end', async () => {
    const platform = await memoryPlatform();
    platform.files.set(`${ave}manifest.json`, new Uint8Array(4 << 20));
    await expect(openModel(ave, 'adapter', { platform })).rejects.toThrow('larger than 1048576 bytes');
  });

  test('a shipped or pinned manifest must have its digest', async () => {
    const platform = await memoryPlatform();
    const url = 'memory://shipped/backbones/nano/manifest.json';
    const integrity = await sha256Integrity(platform.files.get(url)!);
    await expect(openModel(url, 'backbone', { platform, integrity })).resolves.toMatchObject({ url: { href: url } });
    platform.files.set(url, bytesOf(new TextDecoder().decode(platform.files.get(url)).replace('MIT', 'GPL')));
    await expect(openModel(url, 'backbone', { platform, integrity })).rejects.toMatchObject({ code: 'integrity' });
    await expect(openModel('nano', 'backbone', { platform })).rejects.toMatchObject({ code: 'integrity' });
    await expect(openModel(url, 'backbone', { platform })).resolves.toBeDefined();
  });
});

describe('two callers at once', () => {
  test('share each read, and neither owns the bytes of the other', async () => {
    const platform = await memoryPlatform();
    const model = await openModel(ave, 'adapter', { platform });
    const [first, second] = await Promise.all([model.download('wasm'), model.download('wasm')]);
    expect(platform.reads.length).toBe(1 + 3);
    expect(second.files).toEqual(first.files);
    for (const path of Object.keys(first.files)) {
      expect(first.files[path]!.buffer).not.toBe(second.files[path]!.buffer);
    }
    await model.download('wasm');
    expect(platform.reads.length).toBe(1 + 3 + 3);
  });

  test('one gives up, the other gets its model', async () => {
    const platform = await memoryPlatform();
    const model = await openModel(ave, 'adapter', { platform });
    const { opened, open } = gate();
    platform.gate = opened;
    const controller = new AbortController();
    const givenUp = model.download('wasm', { signal: controller.signal });
    const wanted = model.download('wasm');
    await settle();
    controller.abort(new Error('no longer needed'));
    await expect(givenUp).rejects.toThrow('no longer needed');
    open();
    expect(Object.keys((await wanted).files).length).toBe(3);
    expect(platform.aborted).toBe(0);
    expect(platform.reads.length).toBe(1 + 3);
  });

  test('both give up, the reads end, and a third begins anew', async () => {
    const platform = await memoryPlatform();
    const model = await openModel(ave, 'adapter', { platform });
    platform.gate = new Promise(() => {});
    const controller = new AbortController();
    const both = [1, 2].map(() => model.download('wasm', { signal: controller.signal }));
    await settle();
    controller.abort(new Error('gone'));
    for (const download of both) await expect(download).rejects.toThrow('gone');
    expect(platform.aborted).toBe(3);
    platform.gate = Promise.resolve();
    expect(Object.keys((await model.download('wasm')).files).length).toBe(3);
  });
});

describe('an abort', () => {
  test('before anything reads nothing', async () => {
    const platform = await memoryPlatform();
    const signal = AbortSignal.abort(new Error('never mind'));
    await expect(loadModel('nano', 'backbone', 'wasm', { platform, signal })).rejects.toThrow('never mind');
    expect(platform.reads).toEqual([]);
  });

  test('ends the read of a manifest', async () => {
    const platform = await memoryPlatform();
    platform.gate = new Promise(() => {});
    const controller = new AbortController();
    const opening = openModel(ave, 'adapter', { platform, signal: controller.signal });
    await settle();
    controller.abort(new Error('enough'));
    await expect(opening).rejects.toThrow('enough');
    expect(platform.aborted).toBe(1);
  });
});
