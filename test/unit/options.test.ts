/** Options: what is unknown or wrong is refused in one sentence, with what was probably meant. */
import { describe, expect, test } from 'vitest';
import {
  callback,
  checkOptions,
  either,
  nested,
  number,
  oneOf,
  positive,
  type Rules,
  required,
  signal,
  someOf,
  text,
  whole,
} from '../../sdk/contract/options.ts';
import { MettleError } from '../../sdk/errors.ts';

type Some = {
  name: string;
  device?: 'wasm' | 'webgpu';
  tasks?: string[];
  threads?: number;
  seconds?: number;
  share?: number;
  font?: string | null;
  signal?: AbortSignal;
  onProgress?: () => void;
  inner?: { sampleRate?: number };
};
const rules: Rules<Some> = {
  name: required(text),
  device: oneOf('wasm', 'webgpu'),
  tasks: someOf('localize', 'parse'),
  threads: whole(1),
  seconds: positive('a number of seconds'),
  share: number(0, 1),
  font: either(null, text),
  signal,
  onProgress: callback,
  inner: nested<{ sampleRate?: number }>({ sampleRate: whole(1) }),
};

function refusal(options: unknown): string {
  try {
    checkOptions(options, rules);
  } catch (error) {
    expect(error).toBeInstanceOf(MettleError);
    expect((error as MettleError).code).toBe('invalid-argument');
    return (error as MettleError).message;
  }
  throw new Error('expected a refusal');
}

describe('options', () => {
  test('that are right pass, undefined counts as left out, and an AbortSignal may be of any realm', () => {
    const foreign = { aborted: false, addEventListener() {} };
    for (const more of [{}, { device: undefined }, { font: null }, { signal: foreign }, { inner: {} }]) {
      expect(() => checkOptions({ name: 'a', ...more }, rules)).not.toThrow();
    }
  });

  test.each([
    [null, 'options must be an object, not null.'],
    ['a', 'options must be an object, not "a".'],
    [[], 'options must be an object, not [].'],
    [{}, 'options.name must be a text that is not empty, not undefined.'],
    [{ name: 'a', treads: 1 }, 'options.treads is unknown. Did you mean "threads"?'],
    [{ name: 'a', onprogress() {} }, 'options.onprogress is unknown. Did you mean "onProgress"?'],
    [{ name: 'a', colour: 1 }, 'options.colour is unknown.'],
    [{ name: 'a', inner: { samplerate: 1 } }, 'options.inner.samplerate is unknown. Did you mean "sampleRate"?'],
    [{ name: 'a', inner: 3 }, 'options.inner must be an object, not 3.'],
    [
      { name: 'a', device: 'webgup' },
      'options.device must be one of wasm, webgpu, not "webgup". Did you mean "webgpu"?',
    ],
    [{ name: 'a', device: 'npu' }, 'options.device must be one of wasm, webgpu, not "npu".'],
    [
      { name: 'a', tasks: ['localize', 'prase'] },
      'options.tasks must be a list of some of localize, parse, not ["localize", "prase"]. Did you mean "parse"?',
    ],
    [{ name: 'a', tasks: 'parse' }, 'options.tasks must be a list of some of localize, parse, not "parse".'],
    [{ name: 'a', threads: 1.5 }, 'options.threads must be a whole number from 1 on, not 1.5.'],
    [{ name: 'a', seconds: 0 }, 'options.seconds must be a number of seconds above 0, not 0.'],
    [{ name: 'a', share: Number.NaN }, 'options.share must be a number from 0 to 1, not NaN.'],
    [{ name: 'a', font: 3 }, 'options.font must be a text that is not empty, or null, not 3.'],
    [{ name: 'a', signal: new EventTarget() }, 'options.signal must be an AbortSignal, such as controller.signal, not'],
    [{ name: 'a', onProgress: true }, 'options.onProgress must be a function, not true.'],
    [{ name: Symbol('a') }, 'options.name must be a text that is not empty, not a symbol.'],
    [{ name: 1n }, 'options.name must be a text that is not empty, not 1.'],
  ])('%o', (options, message) => {
    expect(refusal(options)).toContain(message);
  });
});
