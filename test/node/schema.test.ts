/** manifest.schema.json against the checks that readers make: what they take it takes, and it refuses what it can see. The validator is ajv. */
import { readdir, readFile } from 'node:fs/promises';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { beforeAll, describe, expect, test } from 'vitest';
import { withChunks } from '../../sdk/compile/package.ts';
import { manifestSchema } from '../../sdk/contract/manifest-form.ts';
import { parseManifest } from '../../sdk/contract/parse-manifest.ts';
import { adapterManifest, backboneManifest, changed } from '../unit/hub-fixtures.ts';

const root = new URL('../../', import.meta.url);
const read = (path: string): Promise<string> => readFile(new URL(path, root), 'utf8');

const signature = { key: `ed25519-${'A'.repeat(43)}=`, signature: `${'A'.repeat(86)}==` };
let fits: (manifest: unknown) => boolean;
beforeAll(async () => {
  // The published file, not what would be written today.
  fits = new Ajv2020({ strict: true, strictTypes: false, allErrors: true }).compile(
    JSON.parse(await read('sdk/contract/manifest.schema.json')),
  );
});

const readable = (manifest: unknown): boolean => {
  try {
    parseManifest(manifest, 'manifest');
    return true;
  } catch {
    return false;
  }
};

test('the published schema is that of the checks: npm run schema writes it', async () => {
  expect(JSON.parse(await read('sdk/contract/manifest.schema.json'))).toEqual(
    JSON.parse(JSON.stringify(manifestSchema())),
  );
  const { exports, files } = JSON.parse(await read('package.json'));
  expect(exports['./manifest.schema.json']).toBe('./sdk/contract/manifest.schema.json');
  expect(files).toContain('sdk/contract/manifest.schema.json');
});

test('every shipped manifest fits', async () => {
  const folders = ['adapters/backbones/', 'adapters/adapters/'];
  const names = (
    await Promise.all(folders.map(async (at) => (await readdir(new URL(at, root))).map((id) => at + id)))
  ).flat();
  expect(names.length).toBeGreaterThanOrEqual(6);
  for (const name of names) expect([name, fits(JSON.parse(await read(`${name}/manifest.json`)))]).toEqual([name, true]);
});

/** A value at every place of a document, by its path. */
function* places(value: unknown, path = ''): Generator<string> {
  if (typeof value !== 'object' || value === null) return;
  for (const [key, member] of Object.entries(value)) {
    const at = path ? `${path}.${key}` : key;
    yield at;
    yield* places(member, at);
  }
}

describe('broken manifests', () => {
  const good = async () => {
    const backbone = await backboneManifest();
    const chunked = await withChunks(backbone, { 'model.safetensors': new Uint8Array(10_000) }, 4096);
    return [
      { ...chunked, signatures: [signature] },
      { ...(await adapterManifest()), signatures: [signature] },
    ];
  };

  test('are refused by the schema where a field is missing or of another type, as by readers', async () => {
    let refused = 0;
    for (const manifest of await good()) {
      expect([fits(manifest), readable(manifest)]).toEqual([true, true]);
      for (const path of places(manifest)) {
        for (const value of [undefined, true, {}, 'x y', -1, 0.5]) {
          // A list without one of its items is another list.
          if (value === undefined && /\.\d+$/.test(path)) continue;
          const broken = changed(manifest, path, value);
          const both = [path, value, fits(broken), readable(broken)];
          expect(both, 'what readers take fits').not.toEqual([path, value, false, true]);
          if (!readable(broken) && !beyondSchema(path, value)) {
            expect(both).toEqual([path, value, false, false]);
            refused++;
          }
        }
      }
    }
    expect(refused).toBeGreaterThan(500);
  });

  /** Names and numbers that are good by themselves, and wrong beside others. */
  const beyondSchema = (path: string, value: unknown): boolean =>
    typeof value === 'string' || typeof value === 'number' || (path === 'signatures' && value === undefined);

  test.each<[string, unknown]>([
    ['extra', 1],
    ['schema', 2],
    ['kind', 'network'],
    ['id', 'No Id'],
    ['version', '1.0'],
    ['license', ' '],
    ['requires.sdk', 'latest'],
    ['files', []],
    ['files.0.path', '../x'],
    ['files.0.path', '/x'],
    ['files.0.bytes', 0],
    ['files.0.integrity', 'sha256-x'],
    ['files.0.chunkBytes', 4096],
    ['task', 'localization'],
    ['classes', ['a', 'a']],
    ['thresholds', [1.5]],
    ['segment.reads', []],
    ['segment.outputs.0.deliver', 'both'],
    ['segment.outputs.0.shape', [1, 1, 1, 1, 1, 1, 1, 1, 1]],
    ['clip.segments', 0],
    ['variants.cpu', {}],
    ['variants.wasm.segment.precision', 'float64'],
    ['canary', { file: 'x', rtol: 2 }],
    ['signatures', []],
    ['signatures.0.key', 'ed25519-x'],
  ])('%s as %j is refused by both', async (path, value) => {
    const broken = changed({ ...(await adapterManifest()), signatures: [signature] }, path, value);
    expect([fits(broken), readable(broken)]).toEqual([false, false]);
  });
});
