/** What an adapter says of one second of a running source: the tasks' own answers, placed where the second lies. */
import { sensesFamiliarity, type Unfamiliar } from '../contract/familiar.ts';
import type { AdapterManifest } from '../contract/manifest.ts';
import type { AdapterOutputs } from '../contract/model.ts';
import { toAnswer } from '../tasks/answer.ts';
import { contextOf, type ResultContext, type Span } from '../tasks/context.ts';
import { toExplained } from '../tasks/explain.ts';
import { toMask } from '../tasks/segmentation.ts';
import type { Event, TaskResult } from '../tasks/types.ts';

/** Where the answer lies, and what there is to see and hear. */
export type AnswerContext = Span & {
  hasAudio: boolean;
  hasPicture: boolean;
  unfamiliar?: Unfamiliar;
  explain?: boolean;
};

/** Times of events, seconds and masks are those of the span. */
export function answerOf(
  adapter: AdapterManifest,
  outputs: AdapterOutputs,
  { start, end, hasAudio, hasPicture, unfamiliar, explain }: AnswerContext,
): TaskResult {
  const seconds = adapter.familiarity ? [sensesFamiliarity(outputs)] : [];
  const context: ResultContext = {
    ...contextOf(adapter, seconds),
    // A second alone has no borders: the tracker finds them.
    borders: null,
    ...{ duration: 1, segments: 1, hasAudio, hasPicture, unfamiliar },
  };
  const masks = adapter.task === 'segment' ? [toMask(outputs, context, 0)] : [];
  const duration = end - start;
  const at = <T extends Span>(part: T): T => ({ ...part, start, end });
  const told = <E extends Event>(event: E): E => ({ ...at(event), resolution: duration });
  const answer = toAnswer(adapter, outputs, masks, context);
  const result = explain ? { ...answer, explanation: [toExplained(outputs, { start, end })] } : answer;
  if (result.task === 'segment') return { ...result, duration, masks: result.masks.map(at) };
  if (result.task === 'localize') {
    return { ...result, duration, events: result.events.map(told), seconds: result.seconds.map(at) };
  }
  return { ...result, duration, events: result.events.map(told), seconds: result.seconds.map(at) };
}
