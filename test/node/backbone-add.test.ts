/** `mettle backbone add` against a server on loopback: what it shows, asks, checks and leaves behind; and the downloads below it. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { addedFolder, isAdded, locateAdded } from '../../sdk/cli/added.ts';
import { main } from '../../sdk/cli/main.ts';
import { readBackbone } from '../../sdk/cli/options.ts';
import { hexIntegrity, sha256Integrity } from '../../sdk/contract/integrity.ts';
import { fetchUnverified, fetchVerified } from '../../sdk/hub/file.ts';
import { catalogue } from '../../sdk/models/catalogue.ts';
import { presets } from '../../sdk/models/presets.ts';
import { readShared, sharedIsAbsent } from '../helpers/shared.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

let server: Server;
let base: string;
let answer: Answer;
let asked: { url: string; range: string | undefined }[];
let root: string;

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push({ url: request.url!, range: request.headers.range });
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(async () => {
  asked = [];
  root = await mkdtemp(join(tmpdir(), 'mettle-add-'));
  vi.stubEnv('METTLE_CACHE', root);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(root, { recursive: true, force: true });
});

/** Serves `bytes` with ranges and a tag; the first `breaks` answers end after half of what they owe. */
const serving =
  (bytes: Uint8Array, breaks = 0): Answer =>
  (request, response) => {
    const [, from = '0', to = String(bytes.length - 1)] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    const part = bytes.subarray(Number(from), Number(to) + 1);
    const partial = request.headers.range !== undefined;
    response.writeHead(partial ? 206 : 200, {
      'content-length': part.length,
      etag: '"one"',
      ...(partial ? { 'content-range': `bytes ${from}-${to}/${bytes.length}` } : {}),
    });
    if (asked.length > breaks) response.end(part);
    else response.write(part.subarray(0, Math.ceil(part.length / 2)), () => setTimeout(() => response.destroy(), 20));
  };

async function add(words: string[], ask?: (question: string) => Promise<string>) {
  const written = { out: '', err: '' };
  const stdout = { write: (text: string) => (written.out += text) };
  const stderr = { write: (text: string) => (written.err += text) };
  const code = await main(['backbone', 'add', ...words], { stdout, stderr, ...(ask ? { ask } : {}) });
  return { code, ...written };
}

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i) >> 3);

describe('the catalogue', () => {
  test('has names, digests and presets that can be', () => {
    const ids = catalogue.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { id, url, bytes, sha256, as, note } of catalogue) {
      expect(id).toMatch(/^[a-z0-9][a-z0-9.-]*$/);
      expect(url === null ? note : new URL(url).protocol).toMatch(url === null ? /GitHub/ : 'https:');
      expect(sha256 === null).toBe(bytes === null);
      if (sha256) expect(sha256).toMatch(/^[0-9a-f]{64}$/);
      if (as.format === 'checkpoint') expect(Object.keys(presets)).toContain(as.preset);
    }
  });

  test('is listed, and one of it shown, without a request', async () => {
    const all = await add([]);
    expect(all).toMatchObject({ code: 0, err: '' });
    expect(all.out).toMatch(/^ {2}yamnet +YAMNet for sounds.*Apache-2\.0; 4126810 bytes, digest known$/m);
    expect(all.out).toMatch(/^ {2}hts-at +.*no address$/m);
    const questions: string[] = [];
    const one = await add(['yamnet'], async (question) => {
      questions.push(question);
      return 'n';
    });
    expect(questions).toEqual(['Download and import it? [y/N] ']);
    expect(one.code).toBe(0);
    expect(one.out).toContain('from      https://storage.googleapis.com/mediapipe-models/');
    expect(one.out).toContain('SHA-256   4d8b4a53282dc83ef04e3e7dbc4fbc98082e34e44ed798e16c3a0cdd4c584faf');
    expect(one.out).toContain('licence   Apache-2.0');
    expect(one.out).toMatch(/Nothing was downloaded\.\n$/);
    expect(await readdir(root)).toEqual([]);
  });

  test('says what it does not know, has no address for, or was misspelt', async () => {
    expect((await add(['swin-v2-large-192'])).out).toContain('digest not known');
    expect(await add(['swin-v2-large-192'])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/this is no terminal\.\n.*add swin-v2-large-192 --yes/),
    });
    expect((await add(['hts-at', '--yes'])).err).toMatch(/hts-at has no address\.\n.*RetroCirce/);
    expect((await add(['yamnett'])).err).toContain('yamnet');
    expect((await add(['yamnet', '--yes', '--mirror', 'here'])).err).toContain('--mirror "here" is no address');
  });

  test('a known name that was not added says how to', () => {
    expect(() => readBackbone(['yamnet'])).toThrow('Backbone "yamnet" is known, but not on this machine.');
    expect(locateAdded('./yamnet')).toBe('./yamnet');
  });
});

describe('a download', () => {
  test('of other bytes is refused, and nothing is left', async () => {
    answer = serving(bytes);
    const { code, err } = await add(['mobilenetv2', '--yes', '--mirror', base]);
    expect(code).toBe(2);
    expect(err).toMatch(/expected 3610798 bytes with sha256-/);
    expect(asked[0]!.url).toBe('/google-coral/test_data/raw/master/mobilenet_v2_1.0_224_quant.tflite');
    expect(isAdded('mobilenetv2')).toBe(false);
    expect(await readdir(root)).toEqual([]);
  });

  test('of a checkpoint that is none is refused, and nothing is left', async () => {
    answer = serving(bytes);
    const { code, err } = await add(['swin-v2-tiny-256-w8', '--yes', '--mirror', base]);
    expect(code).toBe(2);
    expect(err).toContain('swinv2_tiny_patch4_window8_256.pth');
    expect(await readdir(join(root, 'backbones'))).toEqual([]);
  });

  test('with a digest goes on where it broke', async () => {
    answer = serving(bytes, 2);
    const wanted = { bytes: bytes.length, integrity: await sha256Integrity(bytes) };
    expect(await fetchVerified(new URL('x', base), wanted)).toEqual(bytes);
    expect(asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-199999', 'bytes=150000-199999']);
  });

  test('without a digest does too, and not over plain http from elsewhere', async () => {
    answer = serving(bytes, 1);
    const whole = new Uint8Array(bytes.length);
    const size = await fetchUnverified(new URL('x', base), async (at, part) => whole.set(part, at));
    expect(size).toBe(bytes.length);
    expect(whole).toEqual(bytes);
    expect(asked.map(({ range }) => range)).toEqual([undefined, 'bytes=100000-199999']);
    await expect(fetchUnverified(new URL('http://host.example/x'), async () => {})).rejects.toMatchObject({
      code: 'integrity',
    });
  });
});

const absent = sharedIsAbsent('backbones/tflite/mobilenet_v2_1.0_224_quant.tflite');
const why = absent ? ' (skipped: ../shared/data/backbones/tflite is not there)' : '';

test.skipIf(absent)(
  `the file of the catalogue becomes a backbone that --backbone finds${why}`,
  async () => {
    const file = readShared('backbones/tflite/mobilenet_v2_1.0_224_quant.tflite');
    const entry = catalogue.find(({ id }) => id === 'mobilenetv2')!;
    expect(await sha256Integrity(file)).toBe(hexIntegrity(entry.sha256!));
    expect(file.length).toBe(entry.bytes);
    answer = serving(file, 1);
    const added = await add(['mobilenetv2', '--mirror', base], async () => 'yes');
    expect(added).toMatchObject({ code: 0, err: '' });
    expect(added.out).toContain(`SHA-256 ${entry.sha256}`);
    expect(asked).toHaveLength(2);
    expect(readBackbone(['mobilenetv2'])).toBe(addedFolder('mobilenetv2'));
    expect((await readdir(addedFolder('mobilenetv2'))).sort()).toEqual([
      'README.md',
      'canary.safetensors',
      'manifest.json',
      'model.onnx',
      'model.safetensors',
    ]);
    const again = await add(['mobilenetv2', '--yes', '--mirror', base]);
    expect(again.out).toContain('is there already');
    expect(asked).toHaveLength(2);
  },
  120_000,
);
