/**
 * Canvas helpers for pages: a mask over a picture, a result as a timeline. They paint on what they are given, in its coordinates, and create no element;
 * an `OffscreenCanvas` will do. No layout, no events, no animation.
 */
import {
  checkArgument,
  checkOptions,
  either,
  number,
  positive,
  type Rule,
  type Rules,
  record,
  required,
  text,
} from '../contract/options.ts';
import { TASKS } from '../contract/task.ts';
import { type DrawContext, isPixels, type Pixels, rgb, surface } from './canvas.ts';
import { classColor, type Rgb } from './color.ts';
import { lanesOf } from './timeline.ts';
import type { Mask, TaskResult } from './types.ts';

/** How a mask looks. */
export type MaskStyle = {
  /** 0 to 255 per channel. */
  color?: Rgb;
  /** Opacity where the mask is sure, 0 to 1. */
  alpha?: number;
};

const maskRules: Rules<MaskStyle> = { color: rgb, alpha: number(0, 1) };
const someMask: Rule = {
  expected: 'a mask of a result',
  fits: (value) => record.fits(value) && isPixels(value, 1),
};

/**
 * Lays a mask over a picture, stretched to the whole target; opacity follows the mask's probability. On pixels the blend is written in place, with the
 * nearest mask pixel for each; on a canvas the browser scales and blends, so a tainted canvas is no obstacle. Throws `invalid-argument`.
 */
export function drawMask(target: DrawContext | Pixels, mask: Mask, style: MaskStyle = {}): void {
  checkArgument(target, surface, 'target');
  checkArgument(mask, someMask, 'mask');
  checkOptions(style, maskRules, 'style');
  const { color = [255, 64, 129], alpha = 0.6 } = style;
  if ('data' in target) blend(target, mask, color, alpha);
  else stamp(target, mask, color, alpha);
}

/** Where a timeline is drawn, and how it looks. */
export type TimelineStyle = {
  /** Pixels. */
  width: number;
  /** Pixels. */
  height: number;
  /** Left edge in the canvas, pixels. Default 0. */
  x?: number;
  /** Upper edge in the canvas, pixels. Default 0. */
  y?: number;
  /** Draw a marker at this time, seconds. */
  now?: number;
  /** Colour of the marker and of area bars. */
  ink?: string;
  /** Colour of grid and empty lanes. */
  faint?: string;
  /** CSS font of event labels; null leaves them out. */
  font?: string | null;
};

const timelineRules: Rules<TimelineStyle> = {
  width: required(positive('a number of pixels')),
  height: required(positive('a number of pixels')),
  x: number(),
  y: number(),
  now: number(),
  ink: text,
  faint: text,
  font: either(null, text),
};
const context: Rule = {
  expected: 'a 2D context of a canvas',
  fits: (value) => record.fits(value) && typeof (value as DrawContext).fillRect === 'function',
};
const someResult: Rule = {
  expected: 'one result, such as one of analysis.results',
  fits: (value) => record.fits(value) && TASKS.includes((value as TaskResult).task),
};

/**
 * Draws a result over `width` x `height` pixels from 0 s to its duration: lanes of coloured events for localization (one lane) and parsing (heard, seen,
 * both), or one bar per second, as high as the masked area, for segmentation. Throws `invalid-argument`.
 */
export function drawTimeline(ctx: DrawContext, result: TaskResult, style: TimelineStyle): void {
  checkArgument(ctx, context, 'ctx');
  checkArgument(result, someResult, 'result');
  checkOptions(style, timelineRules, 'style');
  const { width, height, x = 0, y = 0, ink = '#5b6472', faint = 'rgba(128, 128, 128, 0.18)' } = style;
  const toX = (seconds: number) => x + (Math.min(seconds, result.duration) / result.duration) * width;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  ctx.fillStyle = faint;
  ctx.fillRect(x, y, width, height);
  if (result.task === 'segment') {
    ctx.fillStyle = ink;
    for (const mask of result.masks) {
      const left = toX(mask.start);
      ctx.fillRect(left, y + height * (1 - mask.area), Math.max(1, toX(mask.end) - left - 1), height * mask.area);
    }
  } else {
    const rows = lanesOf(result).flatMap((lane) => lane.rows);
    const step = height / rows.length;
    rows.forEach((events, row) => {
      for (const event of events) {
        const left = toX(event.start);
        const box = { left, top: y + row * step + 1, width: Math.max(1, toX(event.end) - left - 1), height: step - 2 };
        drawEvent(ctx, event.label, classColor(event.classIndex), box, style.font);
      }
    });
  }
  if (style.now !== undefined) {
    ctx.fillStyle = ink;
    ctx.fillRect(toX(style.now) - 1, y, 2, height);
  }
  ctx.restore();
}

type Box = { left: number; top: number; width: number; height: number };

function drawEvent(ctx: DrawContext, label: string, color: string, box: Box, font: string | null | undefined): void {
  ctx.fillStyle = color;
  ctx.fillRect(box.left, box.top, box.width, box.height);
  if (font === null || box.height < 10) return;
  ctx.font = font ?? `${Math.min(13, box.height - 2)}px system-ui, sans-serif`;
  const margin = 4;
  if (ctx.measureText(label).width + 2 * margin > box.width) return;
  ctx.fillStyle = '#16181d';
  ctx.textBaseline = 'middle';
  ctx.fillText(label, box.left + margin, box.top + box.height / 2);
}

function blend(target: Pixels, mask: Mask, color: Rgb, alpha: number): void {
  const { width, height, data } = target;
  for (let row = 0; row < height; row++) {
    const maskRow = Math.floor(((row + 0.5) / height) * mask.height) * mask.width;
    for (let column = 0; column < width; column++) {
      const p = mask.data[maskRow + Math.floor(((column + 0.5) / width) * mask.width)]!;
      const share = (p / 255) * alpha;
      const at = 4 * (row * width + column);
      for (let channel = 0; channel < 3; channel++) {
        data[at + channel] = Math.round(data[at + channel]! * (1 - share) + color[channel]! * share);
      }
    }
  }
}

function stamp(ctx: DrawContext, mask: Mask, color: Rgb, alpha: number): void {
  const image = new ImageData(mask.width, mask.height);
  for (let pixel = 0; pixel < mask.data.length; pixel++) {
    image.data.set(color, 4 * pixel);
    image.data[4 * pixel + 3] = Math.round(mask.data[pixel]! * alpha);
  }
  const layer = new OffscreenCanvas(mask.width, mask.height);
  layer.getContext('2d')!.putImageData(image, 0, 0);
  ctx.drawImage(layer, 0, 0, ctx.canvas.width, ctx.canvas.height);
}
