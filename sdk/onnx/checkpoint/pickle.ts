/**
 * Reads a pickle without Python and without running anything: a fixed list of instructions (protocols 2 to 4 as PyTorch writes them) builds maps, arrays,
 * numbers and text. What a name in the pickle stands for is decided by the caller's {@link World}, which refuses all that it does not know.
 */
import { type Fail, quote } from './byte-source.ts';

/** A name that the pickle asks for, of the form `module.name`. */
export class Global {
  constructor(readonly name: string) {}
}

/** Stands for an object that nobody needs. It takes everything that is put into it and keeps nothing. */
export class Opaque {
  constructor(readonly name: string) {}
}

/** What names mean. Each method gets plain data and returns plain data; to refuse, it throws through `fail`. */
export type World = {
  /** Called for every name; the only way by which a {@link Global} comes to be. */
  find(name: string, fail: Fail): Global;
  /** What calling `callee` with these arguments, or making an instance of it, would give. */
  make(callee: Global, args: readonly unknown[], fail: Fail): unknown;
  /** An object that is stored outside the pickle. */
  outside(id: unknown, fail: Fail): unknown;
  /** Whether state set on `target` may be forgotten. */
  dropsState(target: unknown): boolean;
};

const maxInstructions = 8_000_000;
const maxStack = 1_000_000;
const maxIntegerBytes = 4096;

/** The object that `bytes` describe: Map for dicts, arrays for lists and tuples, Set, and what `world` makes. Throws through `fail`. */
export function unpickle(bytes: Uint8Array, world: World, fail: Fail): unknown {
  return new Machine(bytes, world, fail).run();
}

class Machine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #world: World;
  readonly #fail: Fail;
  readonly #memo = new Map<number, unknown>();
  readonly #stack: unknown[] = [];
  /** Heights of the stack at the marks that are open. */
  readonly #marks: number[] = [];
  #at = 0;

  constructor(bytes: Uint8Array, world: World, fail: Fail) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#world = world;
    this.#fail = (problem, hint) => fail(`pickle at byte ${this.#at}: ${problem}`, hint);
  }

  run(): unknown {
    if (this.#byte() !== 0x80) this.#fail('does not begin with its protocol');
    const protocol = this.#byte();
    if (protocol < 2 || protocol > 4) {
      this.#fail(
        `protocol ${protocol}, expected 2 to 4`,
        'Save the checkpoint again with torch.save and its default protocol.',
      );
    }
    for (let count = 0; count < maxInstructions; count++) {
      const code = this.#byte();
      if (code === 0x2e) return this.#end();
      const step = instructions[code];
      if (!step) {
        const shown = `0x${code.toString(16).padStart(2, '0')}`;
        this.#fail(
          `instruction ${shown} is not one that PyTorch writes`,
          'Import only files from a source that you trust.',
        );
      }
      step!(this);
      if (this.#stack.length > maxStack || this.#marks.length > maxStack) this.#fail('too many objects at once');
    }
    return this.#fail(`more than ${maxInstructions} instructions`);
  }

  #end(): unknown {
    const result = this.pop();
    if (this.#stack.length > 0 || this.#marks.length > 0) this.#fail('ends with objects left over');
    if (this.#at !== this.#bytes.length) this.#fail('goes on after its end');
    return result;
  }

  // What instructions are made of.

  #byte(): number {
    return this.take(1)[0]!;
  }

  take(length: number): Uint8Array {
    if (length > this.#bytes.length - this.#at) this.#fail('is cut short');
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  number(length: 1 | 2 | 4 | 8): number {
    this.take(length);
    const from = this.#at - length;
    if (length === 1) return this.#view.getUint8(from);
    if (length === 2) return this.#view.getUint16(from, true);
    if (length === 4) return this.#view.getUint32(from, true);
    const wide = this.#view.getBigUint64(from, true);
    return wide <= Number.MAX_SAFE_INTEGER ? Number(wide) : this.#fail('an impossible length');
  }

  int32(): number {
    this.take(4);
    return this.#view.getInt32(this.#at - 4, true);
  }

  float64(): number {
    this.take(8);
    return this.#view.getFloat64(this.#at - 8);
  }

  /** Two's complement of any length: a number where it is exact. */
  integer(length: number): number | bigint {
    if (length > maxIntegerBytes) this.#fail(`an integer of ${length} bytes`);
    const bytes = this.take(length);
    let digits = '';
    for (let i = length - 1; i >= 0; i--) digits += bytes[i]!.toString(16).padStart(2, '0');
    const value = BigInt.asIntN(8 * length, BigInt(`0x${digits || '0'}`));
    return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value;
  }

  text(bytes: Uint8Array): string {
    try {
      return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    } catch {
      return this.#fail('text that is not UTF-8');
    }
  }

  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at);
    if (end < 0 || end - this.#at > 500) return this.#fail('a name is cut short');
    const text = this.text(this.take(end - this.#at));
    this.#at++;
    return text;
  }

  push(value: unknown): void {
    this.#stack.push(value);
  }

  pop(): unknown {
    this.#check();
    return this.#stack.pop();
  }

  top(): unknown {
    this.#check();
    return this.#stack.at(-1);
  }

  #check(): void {
    if (this.#stack.length <= (this.#marks.at(-1) ?? 0)) this.#fail('takes an object where there is none');
  }

  mark(): void {
    this.#marks.push(this.#stack.length);
  }

  popToMark(): unknown[] {
    const height = this.#marks.pop();
    return height === undefined ? this.#fail('closes what was not opened') : this.#stack.splice(height);
  }

  hasOpenItems(): boolean {
    return this.#stack.length > (this.#marks.at(-1) ?? 0);
  }

  remember(index: number): void {
    this.#memo.set(index, this.top());
  }

  rememberNext(): void {
    this.remember(this.#memo.size);
  }

  recall(index: number): void {
    if (!this.#memo.has(index)) this.#fail(`recalls object ${index}, which is not known`);
    this.push(this.#memo.get(index));
  }

  find(module: unknown, name: unknown): void {
    if (typeof module !== 'string' || typeof name !== 'string') this.#fail('a name that is no text');
    this.push(this.#world.find(`${module}.${name}`, this.#fail));
  }

  make(args: unknown): void {
    const callee = this.pop();
    if (!(callee instanceof Global)) this.#fail('calls something that is no known name');
    if (!Array.isArray(args)) this.#fail(`calls ${quote(callee.name)} with arguments that are no tuple`);
    this.push(this.#world.make(callee, args, this.#fail));
  }

  outside(id: unknown): void {
    this.push(this.#world.outside(id, this.#fail));
  }

  setItems(items: readonly unknown[]): void {
    const target = this.top();
    if (target instanceof Opaque) return;
    if (!(target instanceof Map)) this.#fail('sets an item of something that is no dict');
    if (items.length % 2 === 1) this.#fail('a key without a value');
    for (let i = 0; i < items.length; i += 2) target.set(items[i], items[i + 1]);
  }

  append(items: readonly unknown[]): void {
    const target = this.top();
    if (target instanceof Opaque) return;
    if (!Array.isArray(target)) this.#fail('appends to something that is no list');
    for (const item of items) target.push(item);
  }

  addItems(items: readonly unknown[]): void {
    const target = this.top();
    if (target instanceof Opaque) return;
    if (!(target instanceof Set)) this.#fail('adds to something that is no set');
    for (const item of items) target.add(item);
  }

  build(): void {
    this.pop();
    const target = this.top();
    if (!(target instanceof Map || target instanceof Opaque || this.#world.dropsState(target))) {
      this.#fail('sets the state of something that has none');
    }
  }
}

type Step = (m: Machine) => void;

/** In the order of Python's `pickletools`: the code, and what it does. */
const instructions: Readonly<Record<number, Step>> = {
  // Numbers and constants.
  74: (m) => m.push(m.int32()), // BININT
  75: (m) => m.push(m.number(1)), // BININT1
  77: (m) => m.push(m.number(2)), // BININT2
  138: (m) => m.push(m.integer(m.number(1))), // LONG1
  139: (m) => m.push(m.integer(m.number(4))), // LONG4
  71: (m) => m.push(m.float64()), // BINFLOAT
  78: (m) => m.push(null), // NONE
  136: (m) => m.push(true), // NEWTRUE
  137: (m) => m.push(false), // NEWFALSE
  // Text and bytes.
  84: (m) => m.push(latin1(m.take(m.number(4)))), // BINSTRING
  85: (m) => m.push(latin1(m.take(m.number(1)))), // SHORT_BINSTRING
  66: (m) => m.push(m.take(m.number(4))), // BINBYTES
  67: (m) => m.push(m.take(m.number(1))), // SHORT_BINBYTES
  142: (m) => m.push(m.take(m.number(8))), // BINBYTES8
  140: (m) => m.push(m.text(m.take(m.number(1)))), // SHORT_BINUNICODE
  88: (m) => m.push(m.text(m.take(m.number(4)))), // BINUNICODE
  141: (m) => m.push(m.text(m.take(m.number(8)))), // BINUNICODE8
  // Collections.
  93: (m) => m.push([]), // EMPTY_LIST
  97: (m) => {
    const item = m.pop();
    m.append([item]);
  }, // APPEND
  101: (m) => m.append(m.popToMark()), // APPENDS
  41: (m) => m.push([]), // EMPTY_TUPLE
  116: (m) => m.push(m.popToMark()), // TUPLE
  133: (m) => m.push([m.pop()]), // TUPLE1
  134: (m) => m.push([m.pop(), m.pop()].reverse()), // TUPLE2
  135: (m) => m.push([m.pop(), m.pop(), m.pop()].reverse()), // TUPLE3
  125: (m) => m.push(new Map()), // EMPTY_DICT
  115: (m) => {
    const value = m.pop();
    m.setItems([m.pop(), value]);
  }, // SETITEM
  117: (m) => m.setItems(m.popToMark()), // SETITEMS
  143: (m) => m.push(new Set()), // EMPTY_SET
  144: (m) => m.addItems(m.popToMark()), // ADDITEMS
  145: (m) => m.push(new Set(m.popToMark())), // FROZENSET
  // The stack and the memo.
  48: (m) => (m.hasOpenItems() ? m.pop() : m.popToMark()), // POP
  49: (m) => m.popToMark(), // POP_MARK
  40: (m) => m.mark(), // MARK
  104: (m) => m.recall(m.number(1)), // BINGET
  106: (m) => m.recall(m.number(4)), // LONG_BINGET
  113: (m) => m.remember(m.number(1)), // BINPUT
  114: (m) => m.remember(m.number(4)), // LONG_BINPUT
  148: (m) => m.rememberNext(), // MEMOIZE
  149: (m) => m.number(8), // FRAME
  // Names and what is made of them.
  99: (m) => {
    const module = m.line();
    m.find(module, m.line());
  }, // GLOBAL
  147: (m) => {
    const name = m.pop();
    m.find(m.pop(), name);
  }, // STACK_GLOBAL
  82: (m) => m.make(m.pop()), // REDUCE
  129: (m) => m.make(m.pop()), // NEWOBJ
  146: (m) => {
    m.pop();
    m.make(m.pop());
  }, // NEWOBJ_EX
  98: (m) => m.build(), // BUILD
  81: (m) => m.outside(m.pop()), // BINPERSID
};

function latin1(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
