/**
 * The names that a PyTorch checkpoint may use, and the plain data that stands for each. Weights need a handful; the others appear in the state of
 * optimizers and trainers, become {@link Opaque}, and are forgotten. A name that is not here is refused.
 */
import { type Fail, quote } from './byte-source.ts';
import { type ElementType, elementBytes } from './elements.ts';
import { Global, Opaque, type World } from './pickle.ts';

/** A run of elements in an entry of the archive. */
export class TorchStorage {
  constructor(
    readonly key: string,
    readonly type: ElementType,
    readonly length: number,
  ) {}
}

/** A view of a storage: `offset` and `strides` in elements. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly shape: readonly number[],
    readonly strides: readonly number[],
  ) {}

  /** Elements of the storage from `offset` to the last that the tensor shows. */
  get extent(): number {
    if (this.shape.includes(0)) return 0;
    return this.shape.reduce((end, size, axis) => end + (size - 1) * this.strides[axis]!, 1);
  }
}

const storages: ReadonlyMap<string, ElementType> = new Map([
  ['torch.DoubleStorage', 'F64'],
  ['torch.FloatStorage', 'F32'],
  ['torch.HalfStorage', 'F16'],
  ['torch.BFloat16Storage', 'BF16'],
  ['torch.LongStorage', 'I64'],
  ['torch.IntStorage', 'I32'],
  ['torch.ShortStorage', 'I16'],
  ['torch.CharStorage', 'I8'],
  ['torch.ByteStorage', 'U8'],
  ['torch.BoolStorage', 'BOOL'],
]);

const builders: Readonly<Record<string, (args: readonly unknown[], fail: Fail) => unknown>> = {
  'torch._utils._rebuild_tensor': rebuildTensor,
  'torch._utils._rebuild_tensor_v2': rebuildTensor,
  'torch._utils._rebuild_parameter': ([tensor]) => tensor,
  'torch._utils._rebuild_parameter_with_state': ([tensor]) => tensor,
  'collections.OrderedDict': dict,
  'collections.defaultdict': () => new Map(),
  'collections.Counter': dict,
};

/** Names whose objects are forgotten. None of them is looked up or called here, whatever it would do in Python. */
const forgotten: ReadonlySet<string> = new Set([
  ...['set', 'frozenset', 'dict', 'list', 'tuple', 'int', 'float', 'bool', 'str', 'complex', 'object', 'slice'].flatMap(
    (name) => [`builtins.${name}`, `__builtin__.${name}`],
  ),
  '_codecs.encode',
  'argparse.Namespace',
  'copy_reg._reconstructor',
  'copyreg._reconstructor',
  'datetime.date',
  'datetime.datetime',
  'datetime.timedelta',
  'pathlib.Path',
  'pathlib.PosixPath',
  'pathlib.PurePosixPath',
  'types.SimpleNamespace',
  ...['core', '_core'].flatMap((core) => [
    `numpy.${core}.multiarray.scalar`,
    `numpy.${core}.multiarray._reconstruct`,
    `numpy.${core}.numeric._frombuffer`,
  ]),
  'numpy.dtype',
  'numpy.ndarray',
  ...['bool_', 'float16', 'float32', 'float64', 'int32', 'int64', 'uint8', 'str_'].map((name) => `numpy.${name}`),
  'torch.Size',
  'torch.device',
  ...['float64', 'float32', 'float16', 'bfloat16', 'int64', 'int32', 'int16', 'int8', 'uint8', 'bool'].map(
    (name) => `torch.${name}`,
  ),
  'torch.optim.lr_scheduler.CosineAnnealingLR',
  'torch.optim.lr_scheduler.LambdaLR',
  'torch.optim.lr_scheduler.MultiStepLR',
  'torch.optim.lr_scheduler.StepLR',
  ...['pytorch_lightning', 'lightning', 'lightning.pytorch', 'lightning_fabric', 'lightning.fabric'].flatMap((home) => [
    `${home}.callbacks.early_stopping.EarlyStopping`,
    `${home}.callbacks.model_checkpoint.ModelCheckpoint`,
    `${home}.utilities.data.AttributeDict`,
    `${home}.utilities.parsing.AttributeDict`,
  ]),
  'yacs.config.CfgNode',
]);

/** Names that run programs, reach files or the network, or lead to others that do. */
const runsCode =
  /^(?:(?:__builtin__|builtins|os|posix|nt|posixpath|subprocess|sys|socket|shutil|runpy|importlib|pickle|_pickle|cloudpickle|dill|marshal|types|code|codeop|ctypes|pty|commands|webbrowser|urllib|requests|http|asyncio|multiprocessing|threading|signal|platform|pip|pydoc|timeit|bdb|pdb|operator|functools|torch\.hub|torch\.serialization|torch\.package|numpy\.testing)(?:\.|$)|.*\.(?:eval|exec|execfile|system|popen|compile|getattr|__import__|load|loads)$)/;

export const torchWorld: World = {
  find(name, fail) {
    if (storages.has(name) || Object.hasOwn(builders, name) || forgotten.has(name)) return new Global(name);
    return fail(
      `asks for ${quote(name)}, which is not on the list of names that a checkpoint may use`,
      runsCode.test(name)
        ? 'Only weights are imported, and nothing in the file is run. Elsewhere loading it would run that: do not. Get the weights as safetensors from who made them.'
        : 'Only weights are imported, and nothing in the file is run. Let who made the file save its weights alone, as safetensors or a state_dict().',
    );
  },
  make({ name }, args, fail) {
    if (Object.hasOwn(builders, name)) return builders[name]!(args, fail);
    if (forgotten.has(name)) return new Opaque(name);
    return fail(`calls ${quote(name)}`);
  },
  outside: storageOf,
  dropsState: (target) => target instanceof TorchTensor,
};

/** From `('storage', type, key, location, number of elements)`. */
function storageOf(id: unknown, fail: Fail): TorchStorage {
  if (!Array.isArray(id) || id[0] !== 'storage' || id.length < 5)
    return fail('an object from outside that is no storage');
  const [, kind, key, , length] = id;
  const type = kind instanceof Global ? storages.get(kind.name) : undefined;
  if (!type) return fail('a storage of unknown type');
  if (typeof key !== 'string' || !/^\d{1,12}$/.test(key)) return fail('a storage without a number');
  if (!isCount(length) || !isCount(length * elementBytes[type])) return fail(`storage ${key} has an impossible size`);
  return new TorchStorage(key, type, length);
}

/** From `(storage, offset, size, stride, ...)`. */
function rebuildTensor([storage, offset, shape, strides]: readonly unknown[], fail: Fail): TorchTensor {
  if (!(storage instanceof TorchStorage)) return fail('a tensor without a storage');
  if (!isCount(offset) || !isCounts(shape) || !isCounts(strides) || shape.length !== strides.length) {
    return fail('a tensor with an impossible shape');
  }
  const tensor = new TorchTensor(storage, offset, shape, strides);
  const elements = shape.reduce((product, size) => product * size, 1);
  if (!isCount(elements) || !isCount(tensor.extent) || offset + tensor.extent > storage.length) {
    return fail(`a tensor [${shape}] reaches beyond its storage of ${storage.length} elements`);
  }
  return tensor;
}

/** Not a copy: copies of one large dict would need more room than the file. */
function dict([items]: readonly unknown[], fail: Fail): Map<unknown, unknown> {
  if (items === undefined) return new Map();
  return items instanceof Map ? items : fail('a dict made of something else than a dict');
}

const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 16 && value.every(isCount);
