/** Declarations of the package, checked whole by the compiler that lies here; `npm run test:embed:types` asks others too. Needs `npm run build`. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { installPackage, type Project } from './installed.ts';
import { compileConsumers, linkNodeTypes } from './type-consumers.ts';

const tsc = fileURLToPath(new URL('../../node_modules/@typescript/native/bin/tsc', import.meta.url));

let project: Project;
beforeAll(async () => {
  // Without its dependencies: their types must not be needed.
  project = await installPackage({ peers: false, dependencies: false });
}, 60_000);
afterAll(() => project?.remove());

test('the compiler reads them, strict and with every library checked', async () => {
  await linkNodeTypes(project);
  expect(await compileConsumers(project, tsc)).toEqual({});
}, 180_000);

test('each entry is one file, twice: for import and for require', async () => {
  const folder = join(project.packageFolder, 'dist/types');
  const files = (await readdir(folder)).sort();
  const { exports } = JSON.parse(await readFile(join(project.packageFolder, 'package.json'), 'utf8'));
  const entries = Object.values<{ types?: string }>(exports).flatMap(({ types }) => types ?? []);
  const named = entries.flatMap((path) => [path.replace(/\.d\.ts$/, '.d.cts'), path]);
  expect(files).toEqual(named.map((path) => path.replace('./dist/types/', '')).sort());
  for (const file of files) {
    const code = await readFile(join(folder, file), 'utf8');
    expect(code, file).not.toMatch(/^import\b|\bimport\(|\bfrom '/m);
  }
});
