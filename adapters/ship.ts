/**
 * Puts trained packages into this folder: `npx tsx adapters/ship.ts WORK`, where WORK has `backbones/ID` and `adapters/ID` as `mettle backbone import` and
 * `mettle train` wrote them. Each is opened as users open it, copied as it is, its documents listed in its manifest and itself in registry.json; what was here before goes. Makes and changes no model.
 */
import { access, cp, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { bytesFor, resolveUrl } from '#bytes';
import { manifestText, registryEntry, registryText, withDocuments } from '../sdk/compile/package.ts';
import type { Manifest } from '../sdk/contract/manifest.ts';
import type { VariantName } from '../sdk/contract/model.ts';
import type { Registry } from '../sdk/contract/registry.ts';
import { type ModelKind, openModel } from '../sdk/hub/hub.ts';
import { createMettle } from '../sdk/mettle.ts';

type Shipped = { manifest: Manifest; path: string; documents: Record<string, Uint8Array> };

const kinds: Record<ModelKind, string> = { backbone: 'backbones', adapter: 'adapters' };
/** Where `mettle borders` put adapters; they take the place of those without a head. */
const bordered = 'bordered';
/** What lies beside a manifest and its files, by kind. */
const beside: Record<ModelKind, string[]> = {
  backbone: ['README.md', 'report.json'],
  adapter: ['README.md', 'report.json', 'adapter_config.json', 'evaluation.json'],
};
/** An absolute path: what ships tells nothing of the machine that made it. */
const machinePath = /(?<![\w+=:./-])\/[\w.-]+\/[\w.-]/;

const [work, target = fileURLToPath(new URL('.', import.meta.url))] = process.argv.slice(2);
if (!work) throw new Error('Usage: npx tsx adapters/ship.ts WORK [TARGET]');
await ship(resolve(work), resolve(target));

async function ship(from: string, to: string): Promise<void> {
  const backbones = await packagesIn(from, 'backbone');
  const adapters = await packagesIn(from, 'adapter');
  for (const { manifest } of adapters) {
    const known = backbones.find(
      (backbone) => backbone.manifest.id === (manifest.kind === 'adapter' && manifest.base.id),
    );
    if (!known) throw new Error(`${manifest.id} was made for a backbone that does not ship.`);
  }
  for (const backbone of backbones) {
    const own = adapters.filter(
      ({ manifest }) => manifest.kind === 'adapter' && manifest.base.id === backbone.manifest.id,
    );
    // Checks digests, contracts and canaries, and runs every graph once.
    for (const device of ['cpu', 'wasm'] as const) {
      await using mettle = await createMettle({
        backbone: backbone.path,
        adapters: own.map(({ path }) => path),
        device,
      });
      console.log(`${backbone.manifest.id} and ${own.length} adapters on ${mettle.info().device}: as they should be`);
    }
  }
  await listDocuments(backbones, adapters);
  const registry: Registry = {};
  for (const kind of ['backbone', 'adapter'] as const) {
    const draft = join(to, `${kinds[kind]}.new`);
    await rm(draft, { recursive: true, force: true });
    for (const { manifest, path, documents } of kind === 'backbone' ? backbones : adapters) {
      await mkdir(draft, { recursive: true });
      await cp(path, join(draft, manifest.id), { recursive: true });
      for (const [name, bytes] of Object.entries(documents)) await writeFile(join(draft, manifest.id, name), bytes);
      await writeFile(join(draft, manifest.id, 'manifest.json'), manifestText(manifest));
      registry[manifest.id] = await registryEntry(manifest, `${kinds[kind]}/${manifest.id}/manifest.json`);
    }
    await rm(join(to, kinds[kind]), { recursive: true, force: true });
    await rename(draft, join(to, kinds[kind]));
  }
  await writeFile(join(to, 'registry.json'), registryText(registry));
  await openShipped(registry, to);
}

async function isThere(path: string): Promise<boolean> {
  return await access(path).then(
    () => true,
    () => false,
  );
}

/** The packages of a kind, checked one by one. */
async function packagesIn(work: string, kind: ModelKind): Promise<Shipped[]> {
  const folder = join(work, kinds[kind]);
  const packages: Shipped[] = [];
  for (const name of (await readdir(folder)).sort()) {
    if (name.endsWith('.work')) continue;
    const finer = join(work, bordered, name);
    const path = kind === 'adapter' && (await isThere(finer)) ? finer : join(folder, name);
    const { manifest } = await openModel(path, kind);
    if (manifest.id !== name) throw new Error(`${path} holds "${manifest.id}".`);
    if (manifest.untrained) throw new Error(`${path} is untrained.`);
    if (!manifest.canary) throw new Error(`${path} has no canary.`);
    await checkFiles(path, manifest);
    packages.push({ manifest, path, documents: await documentsIn(path, kind) });
  }
  if (packages.length === 0) throw new Error(`${folder} is empty.`);
  return packages;
}

async function documentsIn(path: string, kind: ModelKind): Promise<Shipped['documents']> {
  const documents: Shipped['documents'] = {};
  for (const name of beside[kind]) documents[name] = new Uint8Array(await readFile(join(path, name)));
  return documents;
}

/** Lists the documents of each package in its manifest. Cards of adapters name the digest of their backbone's, which changes with that: they get the new one. */
async function listDocuments(backbones: Shipped[], adapters: Shipped[]): Promise<void> {
  const renamed = new Map<string, string>();
  for (const shipped of backbones) {
    const before = (await registryEntry(shipped.manifest, '')).integrity;
    shipped.manifest = await withDocuments(shipped.manifest, shipped.documents);
    renamed.set(before, (await registryEntry(shipped.manifest, '')).integrity);
  }
  for (const shipped of adapters) {
    for (const [name, bytes] of Object.entries(shipped.documents)) {
      let text = new TextDecoder().decode(bytes);
      for (const [before, after] of renamed) text = text.replaceAll(before, after);
      shipped.documents[name] = new TextEncoder().encode(text);
    }
    shipped.manifest = await withDocuments(shipped.manifest, shipped.documents);
  }
}

/** Throws unless the folder has what belongs to the package, nothing else, and no path of this machine in it. */
async function checkFiles(path: string, { kind, files }: Manifest): Promise<void> {
  const expected = [...new Set(['manifest.json', ...beside[kind], ...files.map((file) => file.path)])];
  for (const name of expected) await access(join(path, name));
  const strange = (await readdir(path)).filter((name) => !expected.includes(name));
  if (strange.length > 0) throw new Error(`${path} holds ${strange.join(', ')}, which belong to no package.`);
  for (const name of beside[kind]) {
    const found = machinePath.exec(await readFile(join(path, name), 'utf8'));
    if (found) throw new Error(`${join(path, name)} names a path of this machine: ${found[0]}...`);
  }
}

/** As a program does that names a shipped id: the registry's digest of the manifest, and every file of every variant. */
async function openShipped(registry: Registry, folder: string): Promise<void> {
  const shipped = { ...bytesFor(), modelsUrl: resolveUrl(`${folder}/`).href };
  for (const [id, { kind }] of Object.entries(registry)) {
    const opened = await openModel(id, kind, { platform: shipped });
    const variants = Object.keys(opened.manifest.variants) as VariantName[];
    for (const variant of variants) await opened.download(variant);
    const kilobytes = Math.round(opened.manifest.files.reduce((sum, { bytes }) => sum + bytes, 0) / 1000);
    console.log(`${id} ${opened.manifest.version}: ${kilobytes} kB, ${variants.join(', ')}`);
  }
}
