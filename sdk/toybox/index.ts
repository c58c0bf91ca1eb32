/**
 * The toybox: a small world of things that are seen and heard, made from a seed, with exact truth. A clip is composed as plain data, then drawn and synthesised.
 * No files and no codecs here, so a page can use it as well.
 */
export { composeClip, spansOf } from './compose.ts';
export { toyboxClasses, toyObjects } from './objects/index.ts';
export { centreOf, createRenderer, type Renderer, soundingMask } from './render.ts';
export { soundtrackOf } from './soundtrack.ts';
export { eventsOf, filmEvents, filmSeconds, flagsOf, type ToyEvent } from './truth.ts';
export * from './types.ts';
