/** `mettle pack`: what it makes of a folder, what it refuses, and that a hub takes what comes out. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadModel } from '../../sdk/hub/hub.ts';
import { hostsFor } from '../../sdk/node/publish/hosts.ts';
import { mettle } from '../helpers/mettle-command.ts';

const shipped = fileURLToPath(new URL('../../adapters/', import.meta.url));

let place = '';
let model = '';
beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), 'mettle-pack-'));
  model = join(place, 'rain');
  await cp(join(shipped, 'adapters/toybox-ave'), model, { recursive: true });
});
afterEach(() => rm(place, { recursive: true }));

const readJson = async (name: string) => JSON.parse(await readFile(join(model, name), 'utf8'));
const manifest = () => readJson('manifest.json');
const weights = 'adapter_model.stored8.safetensors';

describe('mettle pack', () => {
  test('adds digests of pieces, with which a hub reads it, and changes nothing a second time', async () => {
    const before = await manifest();
    const { code, out, err } = await mettle(['pack', model, '--chunk-mb', '0.25']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain('manifest.json: written, digest sha256-');
    const after = await manifest();
    const entry = after.files.find(({ path }: { path: string }) => path === weights);
    expect(entry).toMatchObject({ chunkBytes: 262_144 });
    expect(entry.chunks).toHaveLength(Math.ceil(entry.bytes / 262_144));
    const plain = after.files.map(({ path, bytes, integrity }: typeof entry) => ({ path, bytes, integrity }));
    expect({ ...after, files: plain }).toEqual(before);
    expect(Object.keys((await loadModel(model, 'adapter', 'wasm')).files)).toContain(weights);
    expect((await mettle(['verify', model])).code).toBe(0);
    const again = await mettle(['pack', model, '--chunk-mb', '0.25']);
    expect(again.out).toContain('manifest.json: as it was');
  });

  test('lists documents as they are now', async () => {
    await writeFile(join(model, 'README.md'), '---\nlicense: mit\nbase_model: me/nano\ntags: [rain]\n---\n# Rain\n');
    await writeFile(join(model, 'LICENSE'), 'Do what you like.\n');
    await rm(join(model, 'report.json'));
    expect((await mettle(['verify', model])).code).toBe(2);
    const { code, out } = await mettle(['pack', model]);
    expect(code).toBe(0);
    expect(out).not.toContain('Notes');
    const paths = (await manifest()).files.map(({ path }: { path: string }) => path);
    expect(paths).toContain('LICENSE');
    expect(paths).not.toContain('report.json');
    expect((await mettle(['verify', model])).code).toBe(0);
  });

  test('says what hubs and people would miss', async () => {
    await writeFile(join(model, 'notes.txt'), 'x');
    await writeFile(join(model, '.gitattributes'), 'x');
    await writeFile(join(model, 'README.md'), '---\nlicense: mit\n---\n# Rain\n');
    const { code, out } = await mettle(['pack', model]);
    expect(code).toBe(0);
    expect(out).toContain('README.md says no tags, no base_model to hubs.');
    expect(out).toContain('Not listed, and never read: notes.txt.');
    await writeFile(join(model, 'README.md'), '# Rain\n');
    expect((await mettle(['pack', model])).out).toContain('does not begin with the lines between ---');
    await rm(join(model, 'README.md'));
    expect((await mettle(['pack', model])).out).toContain('There is no README.md');
  });

  test('changes nothing with --check, and tells by its exit code whether it would', async () => {
    const text = await readFile(join(model, 'manifest.json'), 'utf8');
    const { code, out } = await mettle(['pack', model, '--chunk-mb', '0.25', '--check']);
    expect(code).toBe(2);
    expect(out).toContain('manifest.json: would be written again');
    expect(await readFile(join(model, 'manifest.json'), 'utf8')).toBe(text);
    expect((await mettle(['pack', model, '--check'])).code).toBe(0);
  });

  test('refuses a file that is not the one of the manifest, longer, shorter, changed or gone', async () => {
    const text = await readFile(join(model, 'manifest.json'), 'utf8');
    const good = await readFile(join(model, weights));
    const changed = Buffer.from(good);
    changed[5000]! ^= 1;
    for (const bytes of [changed, good.subarray(0, 4000), Buffer.concat([good, good])]) {
      await writeFile(join(model, weights), bytes);
      expect(await mettle(['pack', model])).toMatchObject({ code: 2, err: expect.stringContaining(weights) });
    }
    await rm(join(model, weights));
    expect(await mettle(['pack', model])).toMatchObject({ code: 2, err: expect.stringContaining('does not exist') });
    expect(await readFile(join(model, 'manifest.json'), 'utf8')).toBe(text);
  });

  test('refuses a manifest and a graph that readers would refuse', async () => {
    const good = await manifest();
    await writeFile(join(model, 'manifest.json'), JSON.stringify({ ...good, price: 1 }));
    expect(await mettle(['pack', model])).toMatchObject({
      code: 2,
      err: expect.stringContaining('price: unknown field'),
    });
    const graph = new TextEncoder().encode('no graph');
    const { createHash } = await import('node:crypto');
    const integrity = `sha256-${createHash('sha256').update(graph).digest('base64')}`;
    await writeFile(join(model, 'segment.stored8.onnx'), graph);
    const files = good.files.map((file: { path: string }) =>
      file.path === 'segment.stored8.onnx' ? { ...file, bytes: graph.byteLength, integrity } : file,
    );
    await writeFile(join(model, 'manifest.json'), JSON.stringify({ ...good, files }));
    expect(await mettle(['pack', model])).toMatchObject({
      code: 2,
      err: expect.stringContaining('The segment graph of adapter "toybox-ave"'),
    });
  });

  test('keeps signatures as long as nothing changes, and says when they are gone', async () => {
    const key = join(place, 'key');
    await mettle(['keygen', key]);
    await mettle(['sign', model, '--key', key]);
    await mettle(['pack', model]);
    expect((await manifest()).signatures).toHaveLength(1);
    const { out } = await mettle(['pack', model, '--chunk-mb', '0.25']);
    expect(out).toContain('Its signatures were of other content, and are gone: sign it again.');
    expect((await manifest()).signatures).toBeUndefined();
  });

  test('writes package.json for npm, and leaves what its owner wrote there', async () => {
    expect((await mettle(['pack', model, '--npm', '@me/rain'])).code).toBe(0);
    const first = await readJson('package.json');
    expect(first).toMatchObject({ name: '@me/rain', version: '1.0.0', license: 'MIT' });
    expect(first.files).toEqual([
      'manifest.json',
      ...(await manifest()).files.map(({ path }: { path: string }) => path),
    ]);
    await writeFile(
      join(model, 'package.json'),
      JSON.stringify({ ...first, version: '0.0.1', author: 'me', description: 'Mine' }),
    );
    await mettle(['pack', model, '--npm', '@me/rain']);
    expect(await readJson('package.json')).toMatchObject({ version: '1.0.0', author: 'me', description: 'Mine' });
    const other = await mettle(['pack', model, '--npm', 'rain']);
    expect(other).toMatchObject({ code: 2, err: expect.stringContaining('is of the package "@me/rain"') });
    const wrong = await mettle(['pack', model, '--npm', 'Rain Of Me']);
    expect(wrong).toMatchObject({ code: 2, err: expect.stringContaining('is no name of an npm package') });
  });
});

test('hosts are compared by their largest file and by all of them', () => {
  const fits = (...sizes: number[]) =>
    hostsFor(sizes)
      .filter((host) => host.fits)
      .map(({ name }) => name);
  expect(fits(1e6, 2e6)).toEqual(['Hugging Face', 'npm, through jsDelivr', 'GitHub Pages', 'Cloudflare Pages']);
  expect(fits(30e6)).toEqual(['Hugging Face', 'npm, through jsDelivr', 'GitHub Pages']);
  expect(fits(90e6, 90e6)).toEqual(['Hugging Face', 'GitHub Pages']);
  expect(fits(2e9)).toEqual(['Hugging Face']);
});
