/** Nothing that is run or shown is other than it was: pins of manifests, `mettle verify`, and the runtime's own files. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openModel } from '../../sdk/hub/hub.ts';
import { createMettle } from '../../sdk/mettle.ts';
import { runtimeDigests } from '../../sdk/page/runtime-digests.ts';
import { fetchRuntimeFile } from '../../sdk/page/runtime-files.ts';
import { mettle } from '../helpers/mettle-command.ts';

const shipped = fileURLToPath(new URL('../../adapters/', import.meta.url));
const installed = new URL('../../node_modules/onnxruntime-web/dist/', import.meta.url);

let copy = '';
beforeEach(async () => {
  copy = await mkdtemp(join(tmpdir(), 'mettle-verify-'));
  await cp(join(shipped, 'adapters/toybox-ave'), copy, { recursive: true });
});
afterEach(() => rm(copy, { recursive: true }));

/** Turns one byte of a file into another. */
async function damage(name: string, at: number): Promise<void> {
  const bytes = await readFile(join(copy, name));
  bytes[at]! ^= 1;
  await writeFile(join(copy, name), bytes);
}

const pinOf = async (location: string): Promise<string> => {
  const { models } = JSON.parse((await mettle(['verify', location, '--json'])).out);
  return `${location}#${models[0].integrity}`;
};

describe('a pin', () => {
  test('lets the manifest pass that it was made of, by path, by id and in createMettle', async () => {
    const pin = await pinOf(copy);
    expect((await openModel(pin, 'adapter')).manifest.id).toBe('toybox-ave');
    const nano = await pinOf('nano');
    await using session = await createMettle({ backbone: nano, adapters: [pin], device: 'cpu' });
    expect(session.info().adapters).toMatchObject([{ id: 'toybox-ave' }]);
    expect((await mettle(['verify', pin])).out).toContain('as pinned');
  });

  test('refuses another manifest, in createMettle and on the command line', async () => {
    const pin = await pinOf(copy);
    const text = await readFile(join(copy, 'manifest.json'), 'utf8');
    await writeFile(join(copy, 'manifest.json'), text.replace('"version": "1.0.0"', '"version": "1.0.1"'));
    const wanted = { code: 'integrity', message: expect.stringContaining('expected a manifest with sha256-') };
    await expect(createMettle({ adapters: [pin], device: 'cpu' })).rejects.toMatchObject(wanted);
    const run = await mettle(['run', 'none.mp4', '--adapter', pin, '--device', 'cpu']);
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining('expected a manifest with sha256-') });
    const check = await mettle(['verify', pin]);
    expect(check).toMatchObject({ code: 2, err: expect.stringContaining('expected a manifest with sha256-') });
  });

  test('of a shipped model holds beside the registry', async () => {
    await expect(openModel(`nano#sha256-${'A'.repeat(43)}=`, 'backbone')).rejects.toMatchObject({ code: 'integrity' });
  });

  test.each(['sha256-short', 'sha384-AAAA', `sha256-${'A'.repeat(43)}`])(
    'that is mistyped (%s) is refused',
    async (pin) => {
      await expect(openModel(`${copy}#${pin}`, 'adapter')).rejects.toMatchObject({
        code: 'invalid-argument',
        message: expect.stringContaining('pins no manifest'),
      });
    },
  );
});

describe('mettle verify', () => {
  test('finds every byte as it should be, and says what that does not cover', async () => {
    const { code, out, err } = await mettle(['verify', 'nano', copy]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('backbone nano 1.0.0: all 7 files are as its manifest says');
    expect(out).toContain('adapter toybox-ave 1.0.0: all 11 files are as its manifest says');
    expect(out).toContain('onnxruntime-web 1.30.0: all 3 files are those that this version was made with');
    expect(out).toContain('Who wrote the manifest of "toybox-ave": nothing vouches for it.');
    expect(out).not.toContain('that it does not list');
  });

  test.each([
    'README.md',
    'report.json',
    'evaluation.json',
    'adapter_config.json',
    'segment.stored8.onnx',
    'canary.safetensors',
    'adapter_model.stored8.safetensors',
  ])('finds one bit of %s', async (name) => {
    await damage(name, 20);
    const { code, err } = await mettle(['verify', copy, '--quiet']);
    expect(code).toBe(2);
    expect(err).toMatch(new RegExp(`^mettle: .*/${name}: expected \\d+ bytes with sha256-.*\nhint: `));
  });

  test('finds a file that is missing, and names those that nobody listed', async () => {
    await rm(join(copy, 'report.json'));
    await writeFile(join(copy, 'extra\u001b[31m.js'), 'x');
    const { code, out, err } = await mettle(['verify', copy]);
    expect(code).toBe(2);
    expect(err).toContain('report.json does not exist');
    expect(out).toContain('1 of 11 files are not as its manifest says');
    expect(out).toContain('that it does not list, and that are never read: extra\ufffd[31m.js.');
  });
});

describe('the runtime', () => {
  test('that npm installed has the digests that are built in', async () => {
    for (const [name, { bytes }] of Object.entries(runtimeDigests)) {
      const file = await readFile(new URL(name, installed));
      expect(file.byteLength, name).toBe(bytes);
    }
    const served: RequestListener = async (request, response) => {
      response.setHeader('content-type', request.url!.endsWith('.mjs') ? 'text/javascript' : 'application/wasm');
      response.end(await readFile(new URL(`.${request.url}`, installed)));
    };
    await serve(served, async (folder) => {
      for (const name of Object.keys(runtimeDigests) as (keyof typeof runtimeDigests)[]) {
        expect((await fetchRuntimeFile(folder, name)).byteLength).toBe(runtimeDigests[name].bytes);
      }
    });
  });

  const name = 'ort-wasm-simd-threaded.mjs';
  test.each<[string, (file: Buffer) => { type?: string; body: Uint8Array | string }, object]>([
    [
      'with one byte changed',
      (file) => ({ body: changed(file) }),
      { code: 'integrity', message: expect.stringContaining(`is not ${name} of onnxruntime-web 1.30.0`) },
    ],
    [
      'that is longer',
      (file) => ({ body: Buffer.concat([file, Buffer.from('\nfetch("https://evil.example")')]) }),
      { code: 'integrity', message: expect.stringContaining('got more than 24381 bytes') },
    ],
    [
      'that is a page',
      () => ({ type: 'text/html', body: '<!doctype html><title>App</title>' }),
      {
        code: 'integrity',
        message: expect.stringContaining('got an HTML page'),
        hint: expect.stringContaining('npx mettle assets'),
      },
    ],
    [
      'of a type that no browser runs',
      (file) => ({ type: 'application/octet-stream', body: file }),
      {
        code: 'network',
        message: expect.stringContaining('is served as application/octet-stream'),
        hint: expect.stringContaining('text/javascript'),
      },
    ],
  ])('%s is refused', async (_, answer, error) => {
    const file = await readFile(new URL(name, installed));
    const { type = 'text/javascript', body } = answer(file);
    const served: RequestListener = (_, response) => void response.setHeader('content-type', type).end(body);
    await serve(served, async (folder) => {
      await expect(fetchRuntimeFile(folder, name)).rejects.toMatchObject(error);
    });
  });
});

const changed = (file: Buffer): Buffer => {
  const copy = Buffer.from(file);
  copy[100]! ^= 1;
  return copy;
};

async function serve(answer: RequestListener, use: (folder: URL) => Promise<void>): Promise<void> {
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`));
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
