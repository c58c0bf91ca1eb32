/** Keys and signatures as files: `mettle keygen`, `sign` and `verify --key`, beside the OpenSSL of Node, and `createMettle` with publishers. */
import { generateKeyPairSync, verify } from 'node:crypto';
import { chmod, cp, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { signedBytes } from '../../sdk/contract/signature.ts';
import { createMettle } from '../../sdk/mettle.ts';
import { mettle } from '../helpers/mettle-command.ts';

const shipped = fileURLToPath(new URL('../../adapters/', import.meta.url));

let place = '';
let model = '';
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'mettle-sign-'));
  model = join(place, 'rain');
  await cp(join(shipped, 'adapters/toybox-ave'), model, { recursive: true });
});
afterEach(() => rm(place, { recursive: true }));

/** A new pair: the private key's file, and the public key as text. */
async function newKey(name: string): Promise<{ file: string; key: string }> {
  const file = join(place, name);
  const { out } = await mettle(['keygen', file, '--json']);
  return { file, key: JSON.parse(out).publisher };
}

const manifestOf = async (folder = model) => JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));

describe('mettle keygen', () => {
  test('writes PEM files, the private one for its owner alone, and prints what others pin', async () => {
    const { file, key } = await newKey('acme');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await readFile(file, 'utf8')).toMatch(/^-----BEGIN PRIVATE KEY-----\n/);
    const spki = await readFile(`${file}.pub`, 'utf8');
    expect(spki).toMatch(/^-----BEGIN PUBLIC KEY-----\n/);
    const raw = Buffer.from(spki.split('\n')[1]!, 'base64').subarray(12);
    expect(key).toBe(`ed25519-${raw.toString('base64')}`);
    expect((await mettle(['keygen', join(place, 'other')])).out).toContain('pinned as ed25519-');
  });

  test('never writes over a key, private or public', async () => {
    const { file } = await newKey('acme');
    const before = await readFile(file, 'utf8');
    const again = await mettle(['keygen', file]);
    expect(again).toMatchObject({ code: 2, err: expect.stringContaining('Keys are never written over') });
    expect(await readFile(file, 'utf8')).toBe(before);
    await rm(file);
    expect((await mettle(['keygen', file])).code).toBe(2);
    await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readFile(`${file}.pub`, 'utf8')).toContain('PUBLIC KEY');
  });
});

describe('mettle sign', () => {
  test("signs what Node's OpenSSL checks, and leaves the manifest otherwise as it is", async () => {
    const before = await manifestOf();
    const { file, key } = await newKey('acme');
    const { code, out, err } = await mettle(['sign', model, '--key', file]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`signed by ${key}`);
    const { signatures, ...content } = await manifestOf();
    expect(content).toEqual(before);
    expect(signatures).toHaveLength(1);
    const publicKey = await readFile(`${file}.pub`, 'utf8');
    const signature = Buffer.from(signatures[0].signature, 'base64');
    expect(verify(null, signedBytes(content), publicKey, signature)).toBe(true);
  });

  test('warns where others can read the key', async () => {
    const { file } = await newKey('acme');
    await chmod(file, 0o644);
    const { code, err } = await mettle(['sign', model, '--key', file]);
    expect(code).toBe(0);
    expect(err).toContain('can be read by others on this machine: chmod 600 it.');
  });

  const pem = { type: 'pkcs8', format: 'pem' } as const;
  test.each([
    ['another kind', () => generateKeyPairSync('ed448').privateKey.export(pem), 'a key of the kind ed448'],
    [
      'a passphrase',
      () => generateKeyPairSync('ed25519').privateKey.export({ ...pem, cipher: 'aes-256-cbc', passphrase: 'x' }),
      'a key behind a passphrase',
    ],
    ['text', () => 'a key', 'no private key'],
    [
      'a public key',
      () => generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }),
      'no private key',
    ],
  ])('refuses a key file of %s', async (_what, make, found) => {
    const file = join(place, 'key');
    await writeFile(file, make());
    expect(await mettle(['sign', model, '--key', file])).toMatchObject({
      code: 2,
      err: expect.stringContaining(`${file} holds ${found}; expected an Ed25519 key in PEM.`),
    });
  });

  test('keeps signatures of other keys that hold, and says which do not', async () => {
    const [old, next, third] = [await newKey('old'), await newKey('next'), await newKey('third')];
    await mettle(['sign', model, '--key', old.file]);
    const twice = await mettle(['sign', model, '--key', next.file, '--json']);
    expect(JSON.parse(twice.out)).toMatchObject({ signers: [old.key, next.key], dropped: [] });
    const again = await mettle(['sign', model, '--key', old.file, '--json']);
    expect(JSON.parse(again.out)).toMatchObject({ signers: [next.key, old.key] });
    const manifest = await manifestOf();
    await writeFile(join(model, 'manifest.json'), JSON.stringify({ ...manifest, version: '1.1.0' }));
    const after = await mettle(['sign', model, '--key', third.file, '--json']);
    expect(JSON.parse(after.out)).toMatchObject({ signers: [third.key], dropped: [next.key, old.key] });
    expect(after.err).toContain(`The signature of ${old.key} was of other content, and is gone.`);
  });

  test('signs no model with a file that is damaged or missing', async () => {
    const { file } = await newKey('acme');
    const text = await readFile(join(model, 'manifest.json'), 'utf8');
    const weights = join(model, 'canary.safetensors');
    const bytes = await readFile(weights);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(weights, bytes);
    expect(await mettle(['sign', model, '--key', file])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/canary\.safetensors: expected \d+ bytes with sha256-/),
    });
    await rm(weights);
    expect(await mettle(['sign', model, '--key', file])).toMatchObject({
      code: 2,
      err: expect.stringContaining('does not exist'),
    });
    expect(await readFile(join(model, 'manifest.json'), 'utf8')).toBe(text);
    expect(await mettle(['sign', place, '--key', file])).toMatchObject({
      code: 2,
      err: expect.stringContaining('holds neither a manifest.json nor a registry.json'),
    });
  });

  test('signs a list of models, whose manifests must be as it says', async () => {
    const copy = join(place, 'models');
    await cp(shipped, copy, { recursive: true, filter: (path) => !/checkpoints|everyday$/.test(path) });
    const { file, key } = await newKey('acme');
    expect(JSON.parse((await mettle(['sign', copy, '--key', file, '--json'])).out)).toMatchObject({ signers: [key] });
    const { signatures, ...models } = JSON.parse(await readFile(join(copy, 'registry.json'), 'utf8'));
    expect(signatures).toMatchObject([{ key }]);
    expect(Object.keys(models)).toContain('nano');
    await mettle(['sign', join(copy, 'backbones/nano'), '--key', file]);
    expect(await mettle(['sign', copy, '--key', file])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/nano\/manifest\.json: expected sha256-.* for "nano", got sha256-/),
    });
  });
});

describe('mettle verify --key', () => {
  test('lets a model pass that is signed by the key, as text and as a file', async () => {
    const { file, key } = await newKey('acme');
    await mettle(['sign', model, '--key', file]);
    for (const named of [key, `${file}.pub`]) {
      const { code, out } = await mettle(['verify', model, '--key', named]);
      expect(code).toBe(0);
      expect(out).toContain('of a publisher whose key is pinned');
      expect(out).toContain(`signed   by ${key}`);
      expect(out).not.toContain('nothing vouches for it');
    }
    const unpinned = await mettle(['verify', model]);
    expect(unpinned.out).toContain(`signed   by ${key}`);
    expect(unpinned.out).toContain('nothing vouches for it');
  });

  test('refuses one that is not, and a private key in place of a public one', async () => {
    const [acme, other] = [await newKey('acme'), await newKey('other')];
    const plain = await mettle(['verify', model, '--key', acme.key]);
    expect(plain).toMatchObject({ code: 2, err: expect.stringContaining('but it is not signed') });
    await mettle(['sign', model, '--key', other.file]);
    const wrong = await mettle(['verify', model, '--key', acme.key]);
    expect(wrong).toMatchObject({
      code: 2,
      err: expect.stringContaining(`expected a signature of ${acme.key}, but it is signed by ${other.key}`),
    });
    const mistaken = await mettle(['verify', model, '--key', acme.file]);
    expect(mistaken).toMatchObject({ code: 2, err: expect.stringContaining('holds a private key') });
  });
});

describe('createMettle with publishers', () => {
  test('runs a signed adapter on the shipped backbone, and no other', async () => {
    const { file, key } = await newKey('acme');
    const options = { adapters: [model], publishers: [key], device: 'cpu' as const };
    await expect(createMettle(options)).rejects.toMatchObject({ code: 'integrity' });
    await mettle(['sign', model, '--key', file]);
    await using session = await createMettle(options);
    expect(session.info().adapters).toMatchObject([{ id: 'toybox-ave' }]);
  });

  test('asks again for a manifest that was kept before it was signed', async () => {
    const server = createServer(async (request, response) => {
      const bytes = await readFile(join(model, request.url!)).catch(() => null);
      response.writeHead(bytes ? 200 : 404).end(bytes);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    try {
      const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
      const options = { adapters: [address], device: 'cpu' as const, cache: join(place, 'cache') };
      await (await createMettle(options)).dispose();
      const { file, key } = await newKey('acme');
      await expect(createMettle({ ...options, publishers: [key] })).rejects.toMatchObject({ code: 'integrity' });
      await mettle(['sign', model, '--key', file]);
      await (await createMettle({ ...options, publishers: [key] })).dispose();
      await (await createMettle({ ...options, publishers: [key], offline: true })).dispose();
    } finally {
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
