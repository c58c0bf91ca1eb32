/** The vocabulary in which models, losses and training steps are written. */

export * from './elementwise.ts';
export { type Evaluate, fetchConstants, foldConstants, rebuild } from './fold.ts';
export { grad } from './grad.ts';
export * from './graph.ts';
export * from './layout.ts';
export * from './linear.ts';
export * from './normalize.ts';
export * from './reduce.ts';
export * from './resize.ts';
