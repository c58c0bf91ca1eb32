/** What strangers' files may ask for: refused by the figure that they state, before memory is taken, and abortable meanwhile. */
import { execFileSync } from 'node:child_process';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finishManifest, manifestText } from '../../sdk/compile/package.ts';
import { limits } from '../../sdk/contract/limits.ts';
import { loadModel, openModel } from '../../sdk/hub/hub.ts';
import { openFolder, readPicture } from '../../sdk/node/data/index.ts';
import { readDataset } from '../../sdk/train/data/index.ts';
import { mettle } from '../helpers/mettle-command.ts';
import { pngFile } from '../helpers/png-file.ts';
import { adapterDraft, adapterFiles, adapterManifest } from '../unit/hub-fixtures.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'mettle-limits-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function serve<T>(answer: RequestListener, use: (address: string) => Promise<T>): Promise<T> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Bytes that this process holds more after `work` than before, at the most. */
async function peakOf(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss;
  let peak = before;
  const timer = setInterval(() => {
    peak = Math.max(peak, process.memoryUsage().rss);
  }, 5);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return Math.max(peak, process.memoryUsage().rss) - before;
}

describe('a manifest', () => {
  test('of 50 GB is refused by its size', async () => {
    const path = join(folder, 'manifest.json');
    await using file = await open(path, 'w');
    await file.truncate(50e9);
    await expect(openModel(folder, 'adapter')).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining('larger than 1048576 bytes (50000000000 or more)'),
    });
    await rm(path);
  });

  test('that is a pipe is refused, where a read would wait for ever', async () => {
    const pipes = await mkdtemp(join(folder, 'pipe-'));
    execFileSync('mkfifo', [join(pipes, 'manifest.json')]);
    await expect(openModel(pipes, 'adapter')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('is a pipe, socket or device'),
    });
  });

  test('without end from a server is read to its limit, by its stated length not at all', async () => {
    let sent = 0;
    const endless: RequestListener = (request, response) => {
      if (request.url!.startsWith('/stated')) response.setHeader('content-length', 1e12);
      const more = (): void => {
        sent += 65_536;
        if (!response.destroyed && response.write(Buffer.alloc(65_536, 32))) setImmediate(more);
        else response.once('drain', more);
      };
      more();
    };
    await serve(endless, async (address) => {
      for (const [path, found] of [
        ['stated', '1000000000000 or more'],
        ['unstated', 'larger than 1048576 bytes'],
      ]) {
        await expect(openModel(`${address}/${path}`, 'adapter')).rejects.toMatchObject({
          code: 'invalid-file',
          message: expect.stringContaining(found!),
        });
      }
    });
    expect(sent).toBeLessThan(64 << 20);
  });
});

describe('a file of a model', () => {
  const size = 96 << 20;
  const weights = new Uint8Array(size).fill(7);
  const withWeights = async () =>
    finishManifest(await adapterDraft(), { ...adapterFiles, 'adapter_model.safetensors': weights });

  test('is held once while it is read and checked', async () => {
    const manifest = await withWeights();
    const answer: RequestListener = (request, response) => {
      const path = request.url!.slice(1);
      if (path === 'manifest.json') response.end(manifestText(manifest));
      else if (path !== 'adapter_model.safetensors') response.end(adapterFiles[path as keyof typeof adapterFiles]);
      else {
        response.setHeader('content-length', size);
        let at = 0;
        const more = (): void => {
          for (; at < size; at += 1 << 20) {
            if (response.write(weights.subarray(at, at + (1 << 20)))) continue;
            at += 1 << 20;
            return void response.once('drain', more);
          }
          response.end();
        };
        more();
      }
    };
    await serve(answer, async (address) => {
      const opened = await openModel(address, 'adapter');
      const peak = await peakOf(() => opened.download('wasm'));
      // Twice, with room for what else goes on; four times it was.
      expect(peak).toBeLessThan(2 * size);
    });
  });

  test('that is longer than the manifest says ends the read, by its stated length', async () => {
    const manifest = await adapterManifest();
    const answer: RequestListener = (request, response) => {
      if (request.url!.endsWith('manifest.json')) response.end(manifestText(manifest));
      else {
        response.setHeader('content-length', 4e9);
        response.write('x');
      }
    };
    await serve(answer, async (address) => {
      await expect(loadModel(address, 'adapter', 'wasm')).rejects.toMatchObject({ code: 'integrity' });
    });
  });

  test('that never comes can be aborted', async () => {
    const manifest = await withWeights();
    const answer: RequestListener = (request, response) => {
      if (request.url!.endsWith('manifest.json')) response.end(manifestText(manifest));
      else response.write('x');
    };
    await serve(answer, async (address) => {
      const opened = await openModel(address, 'adapter');
      const controller = new AbortController();
      const reason = new Error('enough');
      const download = opened.download('wasm', { signal: controller.signal });
      setTimeout(() => controller.abort(reason), 50);
      await expect(download).rejects.toBe(reason);
    });
  });
});

describe('a picture', () => {
  test('of 67 million pixels in half a megabyte is refused by its size', async () => {
    const row = new Uint8Array(1 + 8192 * 8);
    const bytes = pngFile({ width: 8192, height: 8192, depth: 16, colorType: 6 }, deflateSync(row, { level: 9 }));
    const peak = await peakOf(async () => {
      await expect(readPicture(bytes, 'big.png')).rejects.toMatchObject({
        code: 'invalid-file',
        message: 'big.png: 8192 x 8192 pixels take 536.9 MB, expected at most 134.2 MB.',
      });
    });
    expect(peak).toBeLessThan(64e6);
  });

  test('whose pixels go on beyond its size is not unpacked to their end', async () => {
    const compressed = deflateSync(new Uint8Array(300e6), { level: 9 });
    const bytes = pngFile({ width: 10, height: 10, depth: 8, colorType: 0 }, compressed);
    const peak = await peakOf(async () => {
      await expect(readPicture(bytes, 'bomb.png')).rejects.toMatchObject({ code: 'invalid-file' });
    });
    expect(peak).toBeLessThan(64e6);
  });
});

describe('a table', () => {
  test.each([
    [
      'rows',
      `file,onset,offset,label,modality\n${'a\n'.repeat(1_000_001)}`,
      /line 1000001: the table has more than 1000000 rows/,
    ],
    [
      'fields',
      `file,onset,offset,label,modality\n${','.repeat(20e6)}`,
      /line 2: the table has more than 4000000 fields/,
    ],
    [
      'fields in quotes',
      `file,onset,offset,label,modality\n""${','.repeat(20e6)}`,
      /line 2: the table has more than 4000000 fields/,
    ],
  ])('with too many %s is refused within bounded memory', async (_, text, message) => {
    const data = await mkdtemp(join(folder, 'table-'));
    await writeFile(join(data, 'events.csv'), text);
    const peak = await peakOf(async () => {
      await expect(readDataset(await openFolder(data))).rejects.toMatchObject({
        code: 'invalid-file',
        message: expect.stringMatching(message),
      });
    });
    expect(peak).toBeLessThan(900e6);
  });

  test('that is larger than a data set has is refused by its size', async () => {
    const data = await mkdtemp(join(folder, 'large-'));
    await using file = await open(join(data, 'events.csv'), 'w');
    await file.truncate(limits.dataFileBytes + 1);
    await expect(readDataset(await openFolder(data))).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining('536.9 MB, expected at most 536.9 MB of a file of a data set'),
    });
  });
});

test('a pipe given to the command line is refused with exit code 2', async () => {
  const pipe = join(folder, 'model.onnx');
  execFileSync('mkfifo', [pipe]);
  const { code, err } = await mettle(['backbone', 'tap', pipe, '--list']);
  expect(err).toContain('is a pipe, socket or device');
  expect(code).toBe(2);
});
