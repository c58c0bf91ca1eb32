/** `mettle backbone tap`: any ONNX network as a backbone package, or a list of the values in it that adapters could read. */
import { existsSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { bytesText, limits } from '../contract/limits.ts';
import { MettleError } from '../errors.ts';
import { readSmall } from '../node/disk.ts';
import { savePackage } from '../node/files/save-package.ts';
import type { Network } from '../onnx/taps.ts';
import { FRONT_END_OPTIONS, readFrontEnd } from './front-end-options.ts';
import { readOptions, usageError } from './options.ts';
import { candidatesText, tapsText } from './tapped-text.ts';
import type { Io } from './types.ts';

export const TAP_HELP = `Usage
  mettle backbone tap MODEL.onnx --list [input options]
  mettle backbone tap MODEL.onnx --tap NAME... --modality picture|sound [input options] --out DIR

Makes a package of one sense out of any ONNX network: its graph cut at the taps, its weights, and a manifest. The network's
input becomes one second: batch 1, all sizes fixed. Use it in a pair: mettle run FILE --backbone DIR --backbone OTHER.

Options
  --list              print values that look like the ends of blocks, with their shapes, and write nothing
  --tap NAME          value that adapters shall read; may be repeated. Tokens [1, tokens, width], a map
                      [1, width, rows, columns], or [1, width], which becomes one token. It is called picture or sound first: visual.NAME, audio.NAME
  --modality NAME     picture or sound (default: picture)
  --size WxH          pictures: pixels of the network's input (default: what the network says)
  --mean R,G,B        pictures: mean in [0, 1] (default: ImageNet's, 0.485,0.456,0.406)
  --std R,G,B         pictures: deviation (default: ImageNet's, 0.229,0.224,0.225)
  --front-end FILE    the same as JSON, as "inputs" of a manifest have it but without "input"; sounds need it
  --id ID             id of the package (default: the name of DIR)
  --license TEXT      licence of the weights (default: unknown)
  --out DIR           folder of the package; it must not be there yet
`;

const imageNet = { mean: '0.485,0.456,0.406', std: '0.229,0.224,0.225' };

/** Returns the exit code. Throws `not-found` for a file or tap that is not there, and what `tapBackbone` throws; DIR is then not made. */
export async function backboneTap(argv: string[], io: Io): Promise<number> {
  const { values, positionals } = readOptions('backbone tap', {
    args: argv,
    allowPositionals: true,
    options: {
      list: { type: 'boolean' },
      tap: { type: 'string', multiple: true },
      ...FRONT_END_OPTIONS,
      id: { type: 'string' },
      license: { type: 'string' },
      out: { type: 'string' },
      verbose: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) {
    io.stdout.write(TAP_HELP);
    return 0;
  }
  const [path, ...more] = positionals;
  if (path === undefined || more.length > 0) {
    throw usageError(`Expected one MODEL.onnx, got ${positionals.length}.`, 'backbone tap');
  }
  if (!values.list && !values.out) throw usageError('--out DIR is missing; or say --list.', 'backbone tap');
  const { openNetwork } = await import('../onnx/taps.ts');
  const { listTaps, shapeFed, tapBackbone } = await import('../compile/tapped.ts');
  const { runtimes } = await import('../node/runtimes.ts');
  const network = openNetwork(await readSmall(path, 'an ONNX model', limits.fileBytes, io.signal), basename(path));
  const defaults = { ...imageNet, size: () => sizeOf(network) };
  const source = await readFrontEnd(values, defaults, 'backbone tap');
  const { ort } = await runtimes.loadRuntime({ device: 'auto' });
  const surgery = { network, readExternal: externalBeside(path), ort };
  if (values.list) {
    const candidates = await listTaps(surgery, shapeFed(network, source));
    io.stdout.write(candidatesText(candidates));
    if (candidates.length === 0) io.stderr.write('No value looks like the end of a block.\n');
    return 0;
  }
  const out = resolve(values.out!);
  const id = values.id ?? basename(out).toLowerCase();
  const { license = 'unknown', tap = [] } = values;
  const built = await tapBackbone({ ...source, id, version: '1.0.0', license, taps: tap }, surgery);
  await savePackage(out, built.files);
  io.stdout.write(tapsText(built.manifest));
  return 0;
}

/** Files beside the model, each read once. The ONNX reader lets no location out of the model's folder. */
function externalBeside(model: string): (location: string) => Uint8Array {
  const known = new Map<string, Uint8Array>();
  return (location) => {
    const path = join(dirname(model), location);
    if (!existsSync(path)) {
      throw new MettleError('not-found', `${basename(model)} keeps weights in ${location}, which is not there.`, {
        hint: `Put ${location} of the same export beside the model.`,
      });
    }
    const stats = statSync(path);
    const { size } = stats;
    if (!stats.isFile() || size > limits.fileBytes) {
      const most = bytesText(limits.fileBytes);
      const problem = `${location}: ${bytesText(size)}, expected a file of at most ${most}`;
      throw new MettleError('invalid-file', `${problem}.`, { hint: 'Export the network in a smaller form.' });
    }
    const bytes = known.get(location) ?? new Uint8Array(readFileSync(path));
    known.set(location, bytes);
    return bytes;
  };
}

/** Width and height that the network's own input is made for. */
function sizeOf({ model, where }: Network): [number, number] {
  for (const { shape } of model.graph.inputs) {
    const [height, width] = shape?.length === 4 ? shape.slice(2) : [];
    if (typeof height === 'number' && typeof width === 'number') return [width, height];
  }
  throw usageError(`${where} takes pictures of any size; say which with --size WxH.`, 'backbone tap');
}
