/** A process of its own that loads a model into a cache: `node --import tsx hub-child.ts ADDRESS CACHE`. Prints the digest of its weights. */
import { createHash } from 'node:crypto';
import { loadModel } from '../../sdk/hub/hub.ts';
import { weightsPath } from './fault-file.ts';

const [address, cache] = process.argv.slice(2) as [string, string];
const { files } = await loadModel(address, 'adapter', 'wasm', { cache });
process.stdout.write(createHash('sha256').update(files[weightsPath]!).digest('hex'));
