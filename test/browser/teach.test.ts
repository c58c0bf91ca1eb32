/** Teaching in a page, in its workers: WASM. */
import { expect, test } from 'vitest';
import { openLessons, teach } from '../../sdk/train/index.ts';
import {
  expectAbortToLeaveNothing,
  expectLessonsToLast,
  expectResumption,
  expectTaught,
} from '../helpers/teach-cases.ts';

const page = { device: 'wasm' as const, runtimePath: '/node_modules/onnxruntime-web/dist/' };

test('names fresh takes, packs what others load, and goes on after a crash', async () => {
  const taught = await expectTaught(page);
  await expectResumption(page, taught);
}, 400_000);

test('leaves nothing of an abort', () => expectAbortToLeaveNothing(page), 200_000);

test('keeps examples in the browser until they are forgotten', () => expectLessonsToLast('test-lessons'));

/** A picture of stripes, as a file of the browser's. */
async function stripes(across: boolean, phase: number): Promise<Blob> {
  const canvas = new OffscreenCanvas(96, 96);
  const context = canvas.getContext('2d')!;
  for (let at = -12; at < 96; at += 24) {
    context.fillStyle = across ? '#2244cc' : '#cc8811';
    if (across) context.fillRect(0, at + phase, 96, 12);
    else context.fillRect(at + phase, 0, 12, 96);
  }
  return await canvas.convertToBlob({ type: 'image/png' });
}

test('pictures from storage are examples too', async () => {
  const lessons = await openLessons({ place: 'test-pictures' });
  await lessons.forget();
  for (let take = 0; take < 3; take++) {
    await lessons.add({ label: 'rows', source: await stripes(true, 3 * take) });
    await lessons.add({ label: 'columns', source: await stripes(false, 3 * take) });
  }
  const taught = await teach({ ...page, examples: await lessons.examples(), progress: lessons.progress });
  expect(taught.manifest.scope?.senses).toEqual(['visual']);
  expect(taught.leftOut.visual).toMatchObject({ right: 6, examples: 6 });
  await lessons.forget();
}, 200_000);
