/** Whose fault numbers are that are none: of the backbone whose taps hold them already, or of the adapter that makes them of good ones. */

import type { NamedArray, VariantName } from '../contract/model.ts';
import { MettleError } from '../errors.ts';

/** A loop, since `every` with a function takes ten times as long. */
function allFinite(data: Float32Array): boolean {
  for (let i = 0; i < data.length; i++) if (!Number.isFinite(data[i])) return false;
  return true;
}

/** The first of these that holds NaN or infinity, or null. */
export function firstBroken(arrays: Readonly<Record<string, Float32Array | NamedArray>>): string | null {
  for (const [name, array] of Object.entries(arrays)) {
    if (!allFinite(array instanceof Float32Array ? array : array.data)) return name;
  }
  return null;
}

/** `model` is, for the message, e.g. `Backbone "nano"`. Half precision is the device's; numbers in float32 are the model's. */
export function brokenNumbers(model: string, output: string, variant: VariantName): MettleError {
  const message = `${model} gives numbers that are not finite: output "${output}" holds NaN or infinity.`;
  return variant === 'webgpu-f16'
    ? new MettleError('device', message, {
        hint: 'Its numbers grow too large for half precision: use device "wasm", or a package without that form.',
      })
    : new MettleError('invalid-file', message, {
        hint: 'Its weights are damaged or were trained badly: get another release of the model.',
      });
}
