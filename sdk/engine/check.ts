/** What the engine asks of its callers before it touches the runtime. Integrity and the manifest's own rules are `hub`'s. */

import type { BackboneManifest } from '../contract/manifest.ts';
import { wholeBackbone } from '../contract/pair.ts';
import { tapsReadBy } from '../contract/taps.ts';
import { MettleError } from '../errors.ts';
import type { EngineLoad, EngineSegment } from './types.ts';

const devices = ['auto', 'webgpu', 'wasm', 'cpu', 'cuda'];

/** Throws `invalid-argument` for a request that no device could serve, `incompatible` where the backbone lacks a sense, or taps that
 * an adapter reads. */
export function checkLoad({ backbone, adapters, device, threads }: EngineLoad): void {
  if (!devices.includes(device)) {
    throw new MettleError('invalid-argument', `device must be one of ${devices.join(', ')}, not ${String(device)}.`);
  }
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    throw new MettleError('invalid-argument', `threads must be a whole number from 1 on, not ${String(threads)}.`);
  }
  const { taps } = wholeBackbone(backbone.manifest);
  const known = [...taps.visual, ...taps.audio].map((tap) => tap.name);
  const ids = new Set<string>();
  for (const { manifest } of adapters) {
    if (ids.has(manifest.id)) {
      throw new MettleError('invalid-argument', `Adapter "${manifest.id}" was given twice.`);
    }
    ids.add(manifest.id);
    const absent = tapsReadBy(manifest).filter((name) => !known.includes(name));
    if (absent.length > 0) {
      throw new MettleError(
        'incompatible',
        `Adapter "${manifest.id}" reads ${absent.join(', ')}, but backbone "${backbone.manifest.id}" has only ${known.join(', ')}.`,
        { hint: `Load the backbone it was made for: "${manifest.base.id}".` },
      );
    }
  }
}

/** Throws `invalid-argument` unless the PCM is one second at the backbone's rate and the frame has the bytes that its size asks for. */
export function checkSegment({ frame, pcm }: EngineSegment, { inputs }: BackboneManifest): void {
  const sampleRate = inputs.audio?.sampleRate;
  if (pcm && pcm.length !== sampleRate) {
    throw new MettleError('invalid-argument', `pcm must hold one second, ${sampleRate} samples, not ${pcm.length}.`);
  }
  if (frame && frame.data.length !== frame.width * frame.height * 3) {
    throw new MettleError(
      'invalid-argument',
      `frame.data must be 8-bit RGB of ${frame.width} x ${frame.height} pixels, not ${frame.data.length} bytes.`,
    );
  }
}
