/** The words of the toybox: what a clip is made of, before anything is drawn or synthesised. Lengths are in heights of the picture, times in seconds. */
import type { Split } from '../contract/split.ts';
import type { Layer } from './shapes.ts';

/** Those of the public data sets, which know whole seconds. */
export const TOYBOX_LAYOUTS = ['ave', 'llp', 'avs-s4', 'avs-ms3'] as const;
/** The same scenes as folders of one's own with exact times: each film begins somewhere inside of a second, so that its events do. */
export const TOYBOX_EXACT = ['ave-exact', 'llp-exact'] as const;
export const ALL_TOYBOX_LAYOUTS = [...TOYBOX_LAYOUTS, ...TOYBOX_EXACT] as const;
export type ToyboxLayout = (typeof ALL_TOYBOX_LAYOUTS)[number];

/** Half-open, [start, end). */
export type Span = readonly [start: number, end: number];

/** What an object is doing at one instant. */
export type Pose = {
  time: number;
  /** It behaves as if it sounded. */
  moving: boolean;
  /** Strokes so far; seconds since the last one and from it to the next one, both infinite outside of strokes. */
  strokes: number;
  since: number;
  gap: number;
  /** Four numbers in [0, 1) that make this one differ from others of its kind. */
  look: readonly number[];
};

/** Where and how an object's sound is to be made. */
export type Voice = {
  /** Mono; sound is added to it. */
  wave: Float32Array<ArrayBuffer>;
  /** Hz. */
  rate: number;
  /** Factor on all frequencies. */
  pitch: number;
  /** When it is heard. */
  spans: readonly Span[];
  /** Strokes within `spans`. */
  strokes: readonly number[];
  look: readonly number[];
  /** In [0, 1). */
  random: () => number;
};

/** A kind of object: how it beats time, what it looks like and what it sounds like. */
export type ToyObject = {
  label: string;
  /** Shortest and longest pause between strokes in seconds, at most 0.85; each object keeps to one pace. */
  pace: Span;
  /** Pauses repeat in this pattern, as factors of the pace. Default: all 1. */
  pattern?: readonly number[];
  /** Layers from back to front. The object lies within 0.5 of (0, 0), y downwards. */
  look(pose: Pose): Layer[];
  sound(voice: Voice): void;
};

/** One object in one clip. Arrays of flags have an entry per second. */
export type Actor = {
  label: string;
  seen: boolean[];
  heard: boolean[];
  /** Behaves as if it sounded: always where heard, sometimes where silent. */
  moving: boolean[];
  /** Sorted; inside the seconds of `moving`. */
  strokes: number[];
  place: { x: number; y: number; size: number; angle: number };
  drift: { x: number; y: number; turn: number; grow: number; phase: number };
  look: readonly number[];
  voice: { pitch: number; gain: number; muffled: boolean };
  occluder: Occluder | null;
};

/** How a place sounds. */
export type Room = {
  seed: string;
  /** Seconds in which the tail falls by 60 dB. */
  reverberation: number;
  /** Share of the room in the sound, 0 to 1. */
  wet: number;
};

/** Something silent in front of an actor. */
export type Occluder = { kind: 'post' | 'plank' | 'leaves'; x: number; y: number; size: number; hue: number };

export type Clutter = { kind: 'box' | 'frame' | 'cone' | 'vase'; x: number; y: number; size: number; hue: number };

export type Backdrop = {
  kind: string;
  seed: number;
  hue: number;
  saturation: number;
  brightness: number;
  scale: number;
  clutter: Clutter[];
};

/** Towards the light, unit length, y downwards; z points out of the picture. */
export type Light = { x: number; y: number; z: number; warmth: number };

export type ToyClip = {
  id: string;
  layout: ToyboxLayout;
  split: Split;
  /** Whole number. */
  seconds: number;
  /** When the film of it begins, in seconds from 0 up to, not including, 1; it ends with the last second that is whole. */
  begin: number;
  seed: string;
  actors: Actor[];
  backdrop: Backdrop;
  light: Light;
  room: Room;
  /** RMS of the background's noise, and how dark it is, 0 to 1. */
  noise: { level: number; tilt: number };
};
