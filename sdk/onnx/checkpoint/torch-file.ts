/** PyTorch's checkpoint files: a stored ZIP archive of one pickle and one entry per storage. Tensors are read when they are asked for. */
import { type ByteSource, type Fail, quote, readPart } from './byte-source.ts';
import { decodeElements, elementBytes } from './elements.ts';
import { unpickle } from './pickle.ts';
import { TorchTensor, torchWorld } from './torch-world.ts';
import type { Checkpoint, CheckpointTensor } from './types.ts';
import { readZip, type ZipEntry } from './zip.ts';

const maxPickleBytes = 32 << 20;

/** Keys under which weights lie, in the order of preference; the others of a training checkpoint are its optimizer, epoch and so on. */
const weightKeys = ['state_dict', 'model', 'model_state_dict', 'module', 'net', 'weights'];

export async function openTorchFile(source: ByteSource, fail: Fail): Promise<Checkpoint> {
  const entries = await readZip(source, fail);
  const root = rootOf(entries, fail);
  const entry = (name: string): ZipEntry | undefined => entries.get(`${root}/${name}`);
  await checkByteOrder(source, entry('byteorder'), fail);
  const { offset, length } = entry('data.pkl')!;
  if (length > maxPickleBytes) fail(`data.pkl has ${length} bytes, expected at most ${maxPickleBytes}`);
  const top = unpickle(await readPart(source, offset, length, 'data.pkl', fail), torchWorld, fail);

  const { nested, weights, others } = weightsIn(top, fail);
  const tensors = new Map<string, CheckpointTensor>();
  for (const [name, value] of weights) {
    if (typeof name !== 'string') fail(`a weight has ${typeof name} as its name, expected text`);
    else if (value instanceof TorchTensor)
      tensors.set(name, tensorOf(source, name, value, entry(`data/${value.storage.key}`), fail));
    else others.push(name);
  }
  return { container: 'PyTorch', nested, tensors, others };
}

/** The one folder that holds everything. */
function rootOf(entries: ReadonlyMap<string, ZipEntry>, fail: Fail): string {
  const roots = new Set([...entries.keys()].map((name) => name.split('/')[0]!));
  const [root] = roots;
  if (roots.size !== 1 || !entries.has(`${root}/data.pkl`)) {
    return fail(
      'a ZIP archive, but not one that torch.save makes: it has no single folder with a data.pkl',
      'Name the .pth, .ckpt or .bin file itself, unpacked from any archive around it.',
    );
  }
  if ([...entries.keys()].some((name) => name === `${root}/constants.pkl` || name.startsWith(`${root}/code/`))) {
    return fail(
      'a TorchScript program, expected weights alone',
      'In Python: torch.save(torch.jit.load(file, map_location="cpu").state_dict(), "weights.pth").',
    );
  }
  return root!;
}

async function checkByteOrder(source: ByteSource, entry: ZipEntry | undefined, fail: Fail): Promise<void> {
  if (!entry) return;
  const bytes = await readPart(source, entry.offset, Math.min(entry.length, 16), 'byteorder', fail);
  const order = String.fromCharCode(...bytes);
  if (order !== 'little')
    fail(`byte order ${quote(order)}, expected "little"`, 'Save the checkpoint again on a little-endian machine.');
}

/** The dict of weights: the whole file, or the part of it under one of `weightKeys`. */
function weightsIn(
  top: unknown,
  fail: Fail,
): { nested: string | null; weights: Map<unknown, unknown>; others: string[] } {
  if (!(top instanceof Map)) return fail('holds no dict of weights', 'Save the state_dict() of the network.');
  const holdsTensors = (value: unknown): value is Map<unknown, unknown> =>
    value instanceof Map && [...value.values()].some((item) => item instanceof TorchTensor);
  if (holdsTensors(top)) return { nested: null, weights: top, others: [] };
  const nested = weightKeys.find((key) => holdsTensors(top.get(key)));
  const keys = [...top.keys()].map((key) => (typeof key === 'string' ? key : typeof key));
  if (nested !== undefined) return { nested, weights: top.get(nested), others: keys.filter((key) => key !== nested) };
  return fail(
    `no weights at its top nor under ${weightKeys.join(', ')}; it holds ${keys.slice(0, 12).map(quote).join(', ') || 'nothing'}`,
    'In Python, save the part that holds the weights alone.',
  );
}

function tensorOf(
  source: ByteSource,
  name: string,
  tensor: TorchTensor,
  entry: ZipEntry | undefined,
  fail: Fail,
): CheckpointTensor {
  const { storage, offset, shape } = tensor;
  const size = elementBytes[storage.type];
  if (!entry) return fail(`tensor ${quote(name)}: its storage ${storage.key} is not in the file`);
  if (entry.length !== storage.length * size) {
    return fail(`tensor ${quote(name)}: its storage has ${entry.length} bytes, expected ${storage.length * size}`);
  }
  const span = tensor.extent * size;
  return {
    dtype: storage.type,
    shape: [...shape],
    bytes: span,
    async read() {
      const bytes = await readPart(source, entry.offset + offset * size, span, `tensor ${quote(name)}`, fail);
      const shown = decodeElements(bytes, storage.type);
      return isContiguous(tensor) ? shown : gather(shown, tensor);
    },
  };
}

function isContiguous({ shape, strides }: TorchTensor): boolean {
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && strides[axis] !== step) return false;
    step *= shape[axis]!;
  }
  return true;
}

/** Elements in the order of rows, from a storage that has them in another. */
function gather(from: Float32Array, { shape, strides }: TorchTensor): Float32Array<ArrayBuffer> {
  const result = new Float32Array(shape.reduce((product, size) => product * size, 1));
  const index = shape.map(() => 0);
  let at = 0;
  for (let i = 0; i < result.length; i++) {
    result[i] = from[at]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      at += strides[axis]!;
      if (++index[axis]! < shape[axis]!) break;
      at -= shape[axis]! * strides[axis]!;
      index[axis] = 0;
    }
  }
  return result;
}
