/** The error class, told from others also where a page has two copies of it: with `worker: false` models and decoders come in a script of their own. */
import { expect, test, vi } from 'vitest';
import { throughDoor } from '../../sdk/door.ts';
import { MettleError } from '../../sdk/errors.ts';

test('an error of another copy is one, and leaves by the door as it is', async () => {
  vi.resetModules();
  const other = await import('../../sdk/errors.ts');
  expect(other.MettleError).not.toBe(MettleError);
  const error = new other.MettleError('device', 'The GPU device was lost.', { hint: 'Create a new one.' });
  expect(error).toBeInstanceOf(MettleError);
  await expect(throughDoor(undefined, () => Promise.reject(error))).rejects.toBe(error);
});

test('a class that extends it tells its own errors from all others', () => {
  class Special extends MettleError {}
  const special = new Special('write', 'Full.');
  expect([special instanceof Special, special instanceof MettleError]).toEqual([true, true]);
  expect(new MettleError('write', 'Full.') instanceof Special).toBe(false);
});

test('other errors are not, whatever they carry', () => {
  const system = Object.assign(new Error('no such file'), { code: 'ENOENT' });
  for (const value of [system, new TypeError('x'), { name: 'MettleError', code: 'device' }, null, 'MettleError']) {
    expect(value instanceof MettleError).toBe(false);
  }
});
