/**
 * `npx tsx adapters/likeness.ts ADAPTER BACKBONE [BACKBONE]`: gives an adapter's folder what its backbone says to made-up inputs, in place, as `mettle train` does by itself: for
 * adapters that were trained before it did.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { runtimes } from '#runtimes';
import { withLikeness } from '../sdk/compile/likeness.ts';
import { checkFits } from '../sdk/contract/fits.ts';
import { openModel } from '../sdk/hub/hub.ts';
import { openBackbone } from '../sdk/load.ts';
import { readDisk } from '../sdk/node/disk.ts';

const [folder, ...backbones] = process.argv.slice(2);
if (!folder || backbones.length === 0) throw new Error('Name the folder of an adapter, and its backbone or two.');
const adapter = await openModel(pathToFileURL(`${folder}/`).href, 'adapter');
const backbone = await openBackbone(backbones, {});
if ((await checkFits(adapter.manifest, backbone.manifest)) !== 'same') throw new Error('That is not its backbone.');
const paths = adapter.manifest.files.map(({ path }) => path);
const read = async (path: string) => [path, await readDisk(join(folder, path))] as const;
const files = Object.fromEntries(await Promise.all(paths.map(read)));
const { ort } = await runtimes.loadRuntime({ device: 'cpu' });
const whole = await withLikeness({ manifest: adapter.manifest, files }, await backbone.download('wasm'), ort);
for (const [path, bytes] of Object.entries(whole.files)) await writeFile(join(folder, path), bytes);
console.log(`${folder}: written`);
