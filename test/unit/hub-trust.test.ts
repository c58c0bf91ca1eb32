/** Publishers: whose signature lets a model in, and what is said where it does not. */
import { getPublicKeyAsync, signAsync } from '@noble/ed25519';
import { beforeAll, describe, expect, test } from 'vitest';
import { manifestText, registryEntry, registryText } from '../../sdk/compile/package.ts';
import type { Bytes } from '../../sdk/contract/bytes.ts';
import { sha256Integrity } from '../../sdk/contract/integrity.ts';
import type { AdapterManifest } from '../../sdk/contract/manifest.ts';
import { type PublisherKey, type Signature, signedBytes } from '../../sdk/contract/signature.ts';
import { listShipped, type OpenOptions, openModel } from '../../sdk/hub/hub.ts';
import { verifyModel } from '../../sdk/hub/verify.ts';
import { adapterFiles, adapterManifest, backboneManifest, bytesOf, changed } from './hub-fixtures.ts';

const base64 = (bytes: Uint8Array): string => btoa(String.fromCharCode(...bytes));

class Signer {
  readonly #secret: Uint8Array;
  key: PublisherKey = 'ed25519-';

  constructor(seed: number) {
    this.#secret = new Uint8Array(32).fill(seed);
  }

  async open(): Promise<void> {
    this.key = `ed25519-${base64(await getPublicKeyAsync(this.#secret))}`;
  }

  async sign(content: unknown): Promise<Signature> {
    return { key: this.key, signature: base64(await signAsync(signedBytes(content), this.#secret)) };
  }
}

const [acme, next, other] = [new Signer(1), new Signer(2), new Signer(3)];
let manifest: AdapterManifest;
beforeAll(async () => {
  for (const signer of [acme, next, other]) await signer.open();
  manifest = await adapterManifest();
});

const signedBy = async (...signers: Signer[]): Promise<AdapterManifest> => ({
  ...manifest,
  signatures: await Promise.all(signers.map((signer) => signer.sign(manifest))),
});

/** Hosts that have `model` in every folder, beside a list of shipped models that names it too. */
async function hostsWith(model: AdapterManifest, registry?: string): Promise<Bytes> {
  const text = manifestText(model);
  const list = registry ?? registryText({ rain: await registryEntry(model, 'rain/manifest.json') });
  const files: Record<string, Uint8Array<ArrayBuffer>> = {
    ...adapterFiles,
    'manifest.json': bytesOf(text),
    'registry.json': bytesOf(list),
  };
  return {
    modelsUrl: 'https://mirror.example/models/',
    resolveUrl: (location) => new URL(location),
    readFile: () => Promise.reject(new Error('nothing lies here')),
    http: {
      async fetch(url) {
        const path = Object.keys(files).find((name) => url.pathname.endsWith(`/${name}`));
        return path ? new Response(files[path]) : new Response(null, { status: 404 });
      },
      explain: async () => ({ what: 'nothing', hint: '' }),
      mayCompare: () => true,
      isOwn: () => false,
    },
  };
}

const open = async (model: AdapterManifest, options: OpenOptions = {}, location = 'https://a.example/rain/') =>
  (await openModel(location, 'adapter', { platform: await hostsWith(model), ...options })).manifest;

describe('with publishers', () => {
  test('a model signed by one of them is let in, and its files too', async () => {
    const platform = await hostsWith(await signedBy(acme));
    const model = await openModel('https://a.example/rain/', 'adapter', { platform, publishers: [acme.key] });
    expect(model.manifest.signatures).toHaveLength(1);
    expect(Object.keys((await model.download('wasm')).files)).toContain('adapter_model.safetensors');
  });

  test('one that is not signed is refused, also where the signature was taken away', async () => {
    const { signatures: _, ...stripped } = await signedBy(acme);
    await expect(open(stripped, { publishers: [acme.key, next.key] })).rejects.toMatchObject({
      code: 'integrity',
      message: `manifest.json of adapter at https://a.example/rain/manifest.json: expected a signature of ${acme.key} or ${next.key}, but it is not signed.`,
    });
  });

  test('one that is signed by another is refused, and both keys are named', async () => {
    await expect(open(await signedBy(other), { publishers: [acme.key] })).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining(`expected a signature of ${acme.key}, but it is signed by ${other.key}.`),
    });
  });

  test('a signature under another name than its own is refused', async () => {
    const [signature] = (await signedBy(other)).signatures!;
    const forged = { ...manifest, signatures: [{ ...signature!, key: acme.key }] };
    await expect(open(forged, { publishers: [acme.key] })).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining(`the signature of ${acme.key} is of other content.`),
    });
  });

  test.each([
    ['version', '1.0.1'],
    ['files.0.integrity', `sha256-${'A'.repeat(43)}=`],
    ['classes.0', 'cat'],
    ['untrained', false],
  ])('a manifest whose %s was changed afterwards is refused', async (path, value) => {
    const model = changed(await signedBy(acme), path, value);
    await expect(open(model, { publishers: [acme.key] })).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('is of other content'),
    });
  });

  test('a model signed by an old key and a new one passes for who knows either', async () => {
    const both = await signedBy(acme, next);
    for (const { key } of [acme, next]) expect((await open(both, { publishers: [key] })).id).toBe('toybox-ave');
    const [old, fresh] = both.signatures!;
    const half = { ...both, signatures: [{ ...old!, signature: fresh!.signature }, fresh!] };
    expect((await open(half, { publishers: [acme.key, next.key] })).id).toBe('toybox-ave');
  });

  test('a pinned digest is enough, and a model of the list that comes with the code', async () => {
    const pin = await sha256Integrity(bytesOf(manifestText(manifest)));
    expect((await open(manifest, { publishers: [acme.key] }, `https://a.example/#${pin}`)).id).toBe('toybox-ave');
    const platform = await hostsWith(manifest);
    const own: Bytes = { ...platform, http: { ...platform.http!, isOwn: () => true } };
    const { manifest: shipped } = await openModel('rain', 'adapter', { platform: own, publishers: [acme.key] });
    expect(shipped.id).toBe('toybox-ave');
  });

  test('a list of models from another origin must be signed', async () => {
    const models = { rain: await registryEntry(manifest, 'rain/manifest.json') };
    const list = async (registry: string) =>
      listShipped({ platform: await hostsWith(manifest, registry), publishers: [acme.key] });
    await expect(list(registryText(models))).rejects.toMatchObject({
      code: 'integrity',
      message: `registry at https://mirror.example/models/registry.json: expected a signature of ${acme.key}, but it is not signed.`,
    });
    const signature = await acme.sign(models);
    expect(await list(registryText(models, [signature]))).toEqual([{ id: 'rain', kind: 'adapter' }]);
    const replaced = { rain: { ...models.rain, integrity: `sha256-${'A'.repeat(43)}=` as const } };
    await expect(list(registryText(replaced, [signature]))).rejects.toMatchObject({ code: 'integrity' });
  });

  test('keys are checked before anybody is asked', async () => {
    for (const publishers of [['ed25519-AAA'], ['https://a.example/key.pub']]) {
      await expect(open(manifest, { publishers })).rejects.toMatchObject({
        code: 'invalid-argument',
        message:
          'options.publishers[0] is no public key: expected ed25519- and 44 letters of base64, or the text of a PEM file.',
      });
    }
    await expect(listShipped({ publishers: [] })).rejects.toMatchObject({ code: 'invalid-argument' });
  });
});

describe('a key in an address', () => {
  test('is for that model alone, whatever publishers there are', async () => {
    const model = await signedBy(other);
    const address = `https://a.example/rain/#${other.key}`;
    expect((await open(model, { publishers: [acme.key] }, address)).id).toBe('toybox-ave');
    expect((await open(model, {}, address)).id).toBe('toybox-ave');
    const wrong = `https://a.example/rain/#${acme.key}`;
    await expect(open(model, { publishers: [other.key] }, wrong)).rejects.toMatchObject({ code: 'integrity' });
  });

  test('is asked for of a shipped model too', async () => {
    const platform = await hostsWith(await signedBy(acme));
    expect((await openModel(`rain#${acme.key}`, 'adapter', { platform })).manifest.id).toBe('toybox-ave');
    await expect(openModel(`rain#${other.key}`, 'adapter', { platform })).rejects.toMatchObject({ code: 'integrity' });
  });

  test('that is mistyped is refused', async () => {
    await expect(open(manifest, {}, 'https://a.example/#ed25519-AAAA')).rejects.toMatchObject({
      code: 'invalid-argument',
      message: expect.stringContaining('"ed25519-AAAA" pins no manifest'),
    });
  });

  test('makes plain http good enough, as publishers do', async () => {
    const model = await signedBy(acme);
    expect((await open(model, {}, `http://a.example/#${acme.key}`)).id).toBe('toybox-ave');
    expect((await open(model, { publishers: [acme.key] }, 'http://a.example/')).id).toBe('toybox-ave');
    await expect(open(model, {}, 'http://a.example/')).rejects.toMatchObject({
      code: 'integrity',
      message: expect.stringContaining('over plain http'),
    });
  });
});

describe('signatures in a document', () => {
  test.each([
    ['signatures', [], 'signatures: expected at least 1 item, got 0'],
    ['signatures', { key: 'x' }, 'signatures: expected a list, got an object'],
    ['signatures.0.key', 'ed25519-short', 'signatures[0].key: expected ed25519- and a public key'],
    ['signatures.0.signature', 'AAAA', 'signatures[0].signature: expected the 64 bytes'],
    ['signatures.0.date', 'now', 'signatures[0].date: unknown field'],
  ])('%s may not be %j', async (path, value, message) => {
    const model = changed(await signedBy(acme), path, value);
    await expect(open(model)).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining(message),
    });
  });

  test('stand there once for each key', async () => {
    await expect(open(await signedBy(acme, acme))).rejects.toMatchObject({
      code: 'invalid-file',
      message: expect.stringContaining('signatures[1]'),
    });
  });

  test('are told by verifyModel, whoever they are of', async () => {
    const location = 'https://a.example/rain/';
    const good = await verifyModel(location, { platform: await hostsWith(await signedBy(acme, other)) });
    expect(good).toMatchObject({ vouched: null, signers: [acme.key, other.key], failures: [] });
    const trusted = { platform: await hostsWith(await signedBy(acme)), publishers: [acme.key] };
    expect(await verifyModel(location, trusted)).toMatchObject({ vouched: 'key', signers: [acme.key] });
    const stale = changed(await signedBy(acme), 'version', '1.0.1');
    const bad = await verifyModel(location, { platform: await hostsWith(stale) });
    expect(bad.signers).toEqual([]);
    expect(bad.failures).toMatchObject([{ path: 'manifest.json', error: { code: 'integrity' } }]);
  });
});

test('a backbone is signed as an adapter is', async () => {
  const backbone = await backboneManifest();
  const signed = { ...backbone, signatures: [await acme.sign(backbone)] };
  const platform = await hostsWith(manifest);
  const http = { ...platform.http!, fetch: async () => new Response(bytesOf(manifestText(signed))) };
  const options = { platform: { ...platform, http }, publishers: [acme.key] };
  const { manifest: opened } = await openModel('https://a.example/nano/', 'backbone', options);
  expect(opened.signatures).toEqual(signed.signatures);
});
