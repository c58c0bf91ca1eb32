/** The pickle reader: what it builds, and that it runs nothing. Instructions are those of Python's `pickletools`. */

import { describe, expect, test } from 'vitest';
import { MettleError } from '../../sdk/errors.ts';
import { failIn } from '../../sdk/onnx/checkpoint/byte-source.ts';
import { unpickle } from '../../sdk/onnx/checkpoint/pickle.ts';
import { TorchTensor, torchWorld } from '../../sdk/onnx/checkpoint/torch-world.ts';
import { pickleOf, pk, tensorPickle } from '../helpers/checkpoint-files.ts';
import { brokenCopies, survives } from './fuzz.ts';

const read = (bytes: Uint8Array): unknown => unpickle(bytes, torchWorld, failIn('x'));
const build = (...parts: readonly (readonly number[])[]): unknown => read(pickleOf(...parts));
const shortText = (text: string): number[] => [0x8c, text.length, ...new TextEncoder().encode(text)];

function refusal(...parts: readonly (readonly number[])[]): MettleError {
  try {
    build(...parts);
  } catch (error) {
    expect(error).toBeInstanceOf(MettleError);
    expect((error as MettleError).code).toBe('invalid-file');
    return error as MettleError;
  }
  throw new Error('was accepted');
}

describe('values', () => {
  test.each<[string, readonly number[], unknown]>([
    ['int32', pk.int(-5), -5],
    ['uint16', [0x4d, 0xff, 0xff], 65535],
    ['no bytes', [0x8a, 0], 0],
    ['long', [0x8a, 3, 0xff, 0xff, 0xfe], -65537],
    ['long beyond numbers', [0x8a, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1], 2n ** 64n],
    ['double', [0x47, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0], 1.5],
    ['text', pk.text('ä'), 'ä'],
    ['tuple of three', [...pk.int(1), ...pk.int(2), ...pk.int(3), 0x87], [1, 2, 3]],
    ['nested tuple', [...pk.mark, ...pk.int(1), ...pk.mark, ...pk.tuple, ...pk.tuple], [1, []]],
    [
      'dict',
      [...pk.emptyDict, ...pk.mark, ...pk.text('__proto__'), ...pk.int(1), ...pk.setItems],
      new Map([['__proto__', 1]]),
    ],
    ['set', [0x8f, ...pk.mark, ...pk.int(1), ...pk.int(1), 0x90], new Set([1])],
    ['memo', [...pk.text('a'), ...pk.put(7), 0x30, ...pk.get(7)], 'a'],
    ['frames and memoize', [0x95, 9, 0, 0, 0, 0, 0, 0, 0, ...shortText('b'), 0x94, 0x30, 0x68, 0], 'b'],
  ])('%s', (_, instructions, value) => {
    expect(build(instructions)).toEqual(value);
  });

  test('a tensor, a parameter around it, and state that is dropped', () => {
    const tensor = tensorPickle(0, 6, { shape: [2, 3] });
    const state = [...pk.emptyDict, ...pk.build];
    expect(build(tensor, state)).toBeInstanceOf(TorchTensor);
    const parameter = [
      ...pk.global('torch._utils', '_rebuild_parameter'),
      ...pk.mark,
      ...tensor,
      ...pk.false,
      ...pk.none,
    ];
    expect(build(parameter, pk.tuple, pk.reduce)).toMatchObject({ shape: [2, 3], strides: [3, 1] });
  });

  test('what trainers save beside weights is forgotten', () => {
    const scalar = [...pk.global('numpy.core.multiarray', 'scalar'), ...pk.emptyTuple, ...pk.reduce];
    const namespace = [
      ...pk.global('argparse', 'Namespace'),
      ...pk.emptyTuple,
      ...pk.newObject,
      ...pk.emptyDict,
      ...pk.build,
    ];
    for (const object of [scalar, namespace]) expect(build(object)).toMatchObject({ name: expect.any(String) });
  });
});

describe('names that are not on the list are refused by name', () => {
  test.each([
    ['os', 'system'],
    ['posix', 'system'],
    ['nt', 'system'],
    ['subprocess', 'Popen'],
    ['builtins', 'eval'],
    ['builtins', 'exec'],
    ['builtins', 'getattr'],
    ['__builtin__', 'getattr'],
    ['builtins', '__import__'],
    ['operator', 'attrgetter'],
    ['functools', 'partial'],
    ['torch', 'load'],
    ['torch.hub', 'load'],
    ['torch.jit', 'load'],
    ['torch', 'FloatStorage.__init__'],
    ['toString', 'constructor'],
    ['collections', 'OrderedDict.fromkeys'],
    ['', ''],
  ])('%s.%s', (module, name) => {
    const attack = [pk.text('echo attack'), [0x85], pk.reduce];
    for (const asked of [pk.global(module, name), [...shortText(module), ...shortText(name), 0x93]]) {
      const error = refusal(asked, ...attack);
      expect(error.message).toContain(`asks for "${module}.${name}"`);
      expect(error.hint).toContain('nothing in the file is run');
    }
  });

  test('a name broken over lines does not steer the terminal', () => {
    expect(refusal(pk.global('os\r', '\u001b[2Jsystem')).message).not.toMatch(/\p{Cc}/u);
  });
});

describe('calls', () => {
  const tuple = pk.emptyTuple;
  test.each<[string, (readonly number[])[], RegExp]>([
    ['text', [pk.text('os.system'), tuple, pk.reduce], /calls something that is no known name/],
    ['a tensor', [tensorPickle(0, 1, { shape: [1] }), tuple, pk.reduce], /no known name/],
    ['a dict', [pk.emptyDict, tuple, pk.newObject], /no known name/],
    ['a storage type', [pk.global('torch', 'FloatStorage'), tuple, pk.reduce], /calls "torch.FloatStorage"/],
    ['arguments that are no tuple', [pk.global('torch', 'device'), pk.int(1), pk.reduce], /no tuple/],
    [
      'a tensor without storage',
      [pk.global('torch._utils', '_rebuild_tensor_v2'), tuple, pk.reduce],
      /without a storage/,
    ],
    ['a storage of anything', [pk.text('file:///etc/passwd'), pk.persistent], /no storage/],
    ['state on a number', [pk.int(1), pk.emptyDict, pk.build], /has none/],
    ['items of a number', [pk.int(1), pk.mark, pk.setItems], /no dict/],
    ['appending to a dict', [pk.emptyDict, pk.int(1), pk.append], /no list/],
  ])('%s', (_, parts, message) => {
    expect(refusal(...parts).message).toMatch(message);
  });
});

describe('instructions', () => {
  test.each<[string, readonly number[]]>([
    ['INST', [0x28, 0x69, ...new TextEncoder().encode('os\nsystem\n')]],
    ['OBJ', [0x28, 0x6f]],
    ['EXT1', [0x82, 1]],
    ['PERSID', [0x50, 0x61, 0x0a]],
    ['GET', [0x67, 0x30, 0x0a]],
    ['INT', [0x49, 0x31, 0x0a]],
    ['BYTEARRAY8', [0x96, 0, 0, 0, 0, 0, 0, 0, 0]],
    ['NEXT_BUFFER', [0x97]],
  ])('%s is not one that PyTorch writes', (_, instructions) => {
    expect(refusal(instructions).message).toMatch(/instruction 0x.. is not one that PyTorch writes/);
  });

  test.each<[string, readonly number[], RegExp]>([
    ['empty stack', [0x30], /closes what was not opened/],
    ['takes beyond a mark', [...pk.int(1), ...pk.mark, 0x85], /where there is none/],
    ['unknown memo', pk.get(3), /recalls object 3/],
    ['text of 4 GB', [0x58, 0xff, 0xff, 0xff, 0xff], /cut short/],
    ['text of 2^63 bytes', [0x8d, 0, 0, 0, 0, 0, 0, 0, 0x80], /impossible length/],
    ['integer of 2 GB', [0x8b, 0xff, 0xff, 0xff, 0x7f], /integer of 2147483647 bytes/],
    ['no UTF-8', [0x8c, 1, 0xff], /not UTF-8/],
    ['key without value', [...pk.emptyDict, ...pk.mark, ...pk.int(1), ...pk.setItems], /key without a value/],
    ['objects left over', [...pk.int(1), ...pk.int(1)], /left over/],
    ['name without end', [0x63, 0x61], /cut short/],
  ])('%s', (_, instructions, message) => {
    expect(refusal(instructions).message).toMatch(message);
  });

  test('other protocols', () => {
    for (const start of [[0x80, 5], [0x80, 1], [0x28], []]) {
      expect(() => read(Uint8Array.from([...start, 0x4e, 0x2e]))).toThrow(MettleError);
    }
  });

  test('objects that hold themselves many times over take no more room than the file', () => {
    // Each of 200 lists holds the one before it ten times: 10^200 items if it were spread out.
    const layers = Array.from({ length: 200 }, (_, i) => [
      ...pk.emptyList,
      ...Array.from({ length: 10 }, () => [...(i > 0 ? pk.get(i - 1) : pk.int(1)), ...pk.append]).flat(),
      ...pk.put(i),
      0x30,
    ]);
    expect(build(...layers, pk.get(199))).toHaveLength(10);
    const counter = [...pk.global('collections', 'Counter'), ...pk.put(0), 0x30];
    const dict = [...pk.emptyDict, ...pk.put(1), ...pk.mark, ...pk.int(1), ...pk.int(2), ...pk.setItems, 0x30];
    const made = [...pk.get(0), ...pk.get(1), 0x85, ...pk.reduce];
    const [one, other] = build(counter, dict, made, made, [0x86]) as unknown[];
    expect(one).toBe(other);
    const itself = [...pk.emptyList, ...pk.put(0), ...pk.get(0), ...pk.append];
    expect(build(itself)).toHaveLength(1);
  });

  test('too much at once is refused', () => {
    const million = new Uint8Array(2_000_003).fill(0x5d);
    million.set([0x80, 2]);
    expect(() => read(million)).toThrow(/too many objects at once/);
    const marks = million.fill(0x28);
    marks.set([0x80, 2]);
    expect(() => read(marks)).toThrow(/too many objects at once/);
    const endless = new Uint8Array(16_000_010).fill(0x30);
    for (let i = 2; i < endless.length; i += 2) endless[i] = 0x4e;
    endless.set([0x80, 2]);
    expect(() => read(endless)).toThrow(/more than 8000000 instructions/);
  });
});

test('broken copies give a value or an error with a place', () => {
  const whole = pickleOf(pk.emptyDict, pk.mark, pk.text('w'), tensorPickle(0, 6, { shape: [2, 3] }), pk.setItems);
  expect(survives(brokenCopies(whole, 40_000, 3), 'x: pickle at byte ', read)).toBeGreaterThan(20_000);
});

test.each(['os.system', 'posix.system', 'builtins.eval', 'subprocess.Popen', 'runpy._run_code', 'torch.hub.load'])(
  'a pickle that asks for %s is never said to be loaded elsewhere',
  (name) => {
    const fail = (problem: string, hint?: string): never => {
      throw new MettleError('invalid-file', problem, { hint });
    };
    try {
      torchWorld.find(name, fail);
    } catch (error) {
      expect((error as MettleError).hint).toContain('do not');
      expect((error as MettleError).hint).not.toContain('torch.load');
      return;
    }
    throw new Error('was let pass');
  },
);
