/** The time base of a clip: how many segments there are, where each lies, and which instant its frame shows. */
import { anything, checkArgument, checkOptions, number, type Rules, record, signal } from '../contract/options.ts';
import { MettleError } from '../errors.ts';
import type { SegmentFormat } from './clip.ts';

const seconds = number(0, Infinity, 'a number of seconds');

/** A tail shorter than this many seconds is no segment of its own. */
const shortestTail = 0.1;

/**
 * Number of one-second segments in `duration` seconds: `max(1, ceil(duration - 0.1))`. Segment `i` covers `[i, i + 1)`; the last one ends with the clip,
 * so it may last between 0.1 and 1.1 seconds (or less, if the whole clip does). Throws `invalid-argument`.
 */
export function segmentCount(duration: number): number {
  checkArgument(duration, seconds, 'duration');
  // The rounding keeps 3.1 - 0.1 (3.0000000000000004 to a float) at three segments.
  return Math.max(1, Math.ceil(Number((duration - shortestTail).toFixed(9))));
}

/** Start, end and middle of segment `index`, in seconds. The frame of a segment is the one on screen at its middle. */
export function segmentTimes(index: number, duration: number): { start: number; end: number; middle: number } {
  const end = index === segmentCount(duration) - 1 ? duration : index + 1;
  return { start: index, end, middle: (index + end) / 2 };
}

/** Of `Clip.segments`. */
export const segmentsRules: Rules<{ signal?: AbortSignal }> = { signal };
/** `frame` may be a picture front end of a manifest, which has more than a size. */
const formatRules: Rules<SegmentFormat> = { frame: record, sampleRate: anything, thumbnailHeight: anything };

/** Throws `invalid-argument` where a format holds no positive whole numbers, or what is unknown. */
export function checkFormat(format: SegmentFormat): void {
  checkOptions(format, formatRules, 'format');
  const positive = (name: string, value: unknown) => {
    if (!Number.isInteger(value) || (value as number) < 1 || (value as number) > 768_000) {
      throw new MettleError(
        'invalid-argument',
        `${name} is ${String(value)}; expected a whole number from 1 to 768000.`,
        {
          hint: 'Take frame size and sample rate from the inputs in the manifest of the backbone.',
        },
      );
    }
  };
  positive('format.frame.width', format?.frame?.width);
  positive('format.frame.height', format?.frame?.height);
  positive('format.sampleRate', format.sampleRate);
  if (format.thumbnailHeight !== undefined) positive('format.thumbnailHeight', format.thumbnailHeight);
}
