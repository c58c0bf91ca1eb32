/** Addresses of models: which URL each leads to, and which are refused before anybody is asked. */
import { expect, test } from 'vitest';
import { manifestText } from '../../sdk/compile/package.ts';
import type { Bytes } from '../../sdk/contract/bytes.ts';
import { sha256Integrity } from '../../sdk/contract/integrity.ts';
import { type OpenOptions, openModel } from '../../sdk/hub/hub.ts';
import { adapterFiles, adapterManifest, bytesOf } from './hub-fixtures.ts';

const hosts = { hf: 'https://hub.example', npm: 'https://mirror.example/npm/' };

/** A platform whose every host has the model in every folder, and the URLs that were asked for. */
async function webPlatform(): Promise<{ platform: Bytes; asked: string[] }> {
  const asked: string[] = [];
  const manifest = bytesOf(manifestText(await adapterManifest()));
  const files: Record<string, Uint8Array<ArrayBuffer>> = { ...adapterFiles, 'manifest.json': manifest };
  const platform: Bytes = {
    modelsUrl: 'memory://shipped/',
    resolveUrl: (location) => new URL(location),
    readFile: () => Promise.reject(new Error('nothing lies here')),
    http: {
      async fetch(url) {
        asked.push(url.href);
        const path = Object.keys(files).find((name) => url.pathname.endsWith(`/${name}`));
        return path ? new Response(files[path]) : new Response(null, { status: 404 });
      },
      explain: async () => ({ what: 'nothing', hint: '' }),
      mayCompare: () => true,
      isOwn: () => false,
    },
  };
  return { platform, asked };
}

const open = async (location: string, options: OpenOptions = {}) => {
  const { platform, asked } = await webPlatform();
  const model = await openModel(location, 'adapter', { platform, ...options });
  return { model, asked };
};

test.each([
  ['https://a.example/ave', 'https://a.example/ave/manifest.json'],
  ['https://a.example/ave/manifest.json', 'https://a.example/ave/manifest.json'],
  ['https://a.example/ave/?sig=a%2Fb&x=1', 'https://a.example/ave/manifest.json?sig=a%2Fb&x=1'],
  ['hf:org/ave', 'https://hub.example/org/ave/resolve/main/manifest.json'],
  ['hf:org/ave@v1.2', 'https://hub.example/org/ave/resolve/v1.2/manifest.json'],
  ['hf:org/ave@3f2a/models/small', 'https://hub.example/org/ave/resolve/3f2a/models/small/manifest.json'],
  ['npm:ave@1.0.0', 'https://mirror.example/npm/ave@1.0.0/manifest.json'],
  [
    'npm:@org/ave@1.0.0-rc.1/models/small/',
    'https://mirror.example/npm/@org/ave@1.0.0-rc.1/models/small/manifest.json',
  ],
  ['http://localhost:8080/ave', 'http://localhost:8080/ave/manifest.json'],
  ['http://127.0.0.1/ave', 'http://127.0.0.1/ave/manifest.json'],
])('%s is asked for at %s', async (location, url) => {
  const { model, asked } = await open(location, { hosts });
  expect(asked).toEqual([url]);
  expect(model.manifest.id).toBe('toybox-ave');
});

test('what follows the question mark goes along to every file, and into no message', async () => {
  const { model, asked } = await open('https://a.example/ave/?sig=secret');
  await model.download('wasm');
  expect(asked).toHaveLength(4);
  for (const url of asked) expect(url).toMatch(/^https:\/\/a\.example\/ave\/[\w./]+\?sig=secret$/);
  const { platform } = await webPlatform();
  const error = await openModel('https://a.example/nothing.json?sig=secret', 'adapter', { platform }).catch((e) => e);
  expect(error).toMatchObject({ code: 'not-found' });
  expect(error.message).not.toContain('secret');
});

test.each([
  ['hf:org/ave', {}, /"hf:org\/ave" needs a host, and none was named for hf:/],
  ['npm:ave@1.0.0', { hf: hosts.hf }, /"npm:ave@1\.0\.0" needs a host/],
  ['hf:ave', hosts, /"hf:ave" is no name of a model; expected hf:organisation\/name/],
  ['hf:org/../ave', hosts, /is no name of a model/],
  ['hf:org/ave/../../x', hosts, /is no name of a model/],
  ['npm:ave', hosts, /is no name of a model; expected npm:/],
  ['npm:ave@latest', hosts, /is no name of a model/],
  ['hf:org/ave', { hf: 'ftp://hub.example' }, /options\.hosts\.hf is "ftp:\/\/hub\.example"; expected a URL/],
])('%s with hosts %j is refused, and nobody is asked', async (location, named, message) => {
  const { platform, asked } = await webPlatform();
  const options = { platform, hosts: named };
  await expect(openModel(location, 'adapter', options)).rejects.toMatchObject({
    code: 'invalid-argument',
    message: expect.stringMatching(message),
  });
  expect(asked).toEqual([]);
});

test('plain http is refused unless the manifest is pinned', async () => {
  const { platform, asked } = await webPlatform();
  const address = 'http://a.example/ave/';
  await expect(openModel(address, 'adapter', { platform })).rejects.toMatchObject({
    code: 'integrity',
    message: 'http://a.example/ave/manifest.json: over plain http anybody on the way can replace a model.',
  });
  expect(asked).toEqual([]);
  const pin = await sha256Integrity(bytesOf(manifestText(await adapterManifest())));
  const { manifest } = await openModel(`${address}#${pin}`, 'adapter', { platform });
  expect(manifest.id).toBe('toybox-ave');
  await expect(openModel(`hf:org/ave#${pin}`, 'adapter', { platform, hosts })).resolves.toBeDefined();
  const other = `sha256-${'A'.repeat(43)}=`;
  await expect(openModel(`hf:org/ave#${other}`, 'adapter', { platform, hosts })).rejects.toMatchObject({
    code: 'integrity',
    message: expect.stringContaining(`expected a manifest with ${other}`),
  });
});
