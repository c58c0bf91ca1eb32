/** What caller's thread and decode worker say to each other. */

import type { Clip, Segment, SegmentFormat } from '../contract/clip.ts';
import type { LiveFrame, LiveSecond, LiveSound } from '../contract/live.ts';
import type { Warning } from '../errors.ts';
import type { HandedSource } from '../media/handed-source.ts';
import type { Outcome } from './remote.ts';

export type OpenedClip = Pick<Clip, 'duration' | 'segmentCount' | 'video' | 'audio'> & { warnings: Warning[] };

/** `segment` is null after the last one; `warnings` are all that there are so far. */
export type NextSegment = { segment: Segment | null; warnings: Warning[] };

/** `warnings` are all that there are so far. */
export type CutSecond = { second: LiveSecond; warnings: Warning[] };

/** The decode worker as it looks through the wire: answers that never throw. It holds one clip at a time. */
export type DecodeHost = {
  /** Opens the source and lets go of the one before. `progress` gets a number that grows as long as something new is read or decoded. */
  open(request: { source: HandedSource['source']; progress: MessagePort }): Promise<Outcome<OpenedClip>>;
  /** Begins to decode from the start; a few segments are made ahead of being asked for. */
  begin(format: SegmentFormat): Promise<Outcome<number>>;
  next(pass: number): Promise<Outcome<NextSegment>>;
  stop(pass: number): Promise<Outcome<void>>;
  close(): Promise<Outcome<void>>;
  /** Opens a running source, which the near end feeds, instead of a clip; `close` ends it too. */
  openLive(format: SegmentFormat): Promise<Outcome<void>>;
  sound(piece: LiveSound): Promise<Outcome<void>>;
  frame(piece: LiveFrame): Promise<Outcome<void>>;
  cut(end: number): Promise<Outcome<CutSecond>>;
};
