/**
 * In which order views are visited. Views are numbered without end and made a chapter at a time; a pass visits the newest chapters, each view once, in a seeded
 * order. So every view is visited as often as a pass has chapters, and no more than those need be kept.
 */
import { epochOrder } from '../loop/batches.ts';

export type VisitPlan = {
  /** Views of a chapter, a multiple of `batch`. */
  chapter: number;
  /** How often each view is visited. */
  reuse: number;
  /** Views of a step. */
  batch: number;
  seed: number;
};

/** The pass of a step, and the chapters that it visits: from `oldest` to `newest`, which is the pass's own number. */
export type Pass = { newest: number; oldest: number; first: number; steps: number };

export function passOf(step: number, { chapter, reuse, batch }: VisitPlan): Pass {
  const perChapter = chapter / batch;
  // The first passes have fewer chapters than the later ones, as there are no older ones.
  let first = 0;
  for (let newest = 0; newest < reuse - 1; newest++) {
    const steps = (newest + 1) * perChapter;
    if (step < first + steps) return { newest, oldest: 0, first, steps };
    first += steps;
  }
  const steps = reuse * perChapter;
  const later = Math.floor((step - first) / steps);
  return { newest: reuse - 1 + later, oldest: later, first: first + later * steps, steps };
}

/** Numbers of the views that a step visits; steps are best asked for in turn. */
export function visitor(plan: VisitPlan): (step: number) => number[] {
  let known: { newest: number; order: Uint32Array } | null = null;
  return (step) => {
    const { newest, oldest, first, steps } = passOf(step, plan);
    if (known?.newest !== newest) known = { newest, order: epochOrder(steps * plan.batch, plan.seed, newest) };
    const at = (step - first) * plan.batch;
    return Array.from(known.order.subarray(at, at + plan.batch), (place) => oldest * plan.chapter + place);
  };
}
