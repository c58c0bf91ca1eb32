/**
 * Two backbones of one sense each as one of both: one manifest, one download. Files keep their own folders: in a pair a path has the sense before it and a
 * colon, which stands in no path of a package.
 */

import { MettleError } from '../errors.ts';
import type { SegmentFormat } from './clip.ts';
import { anyHalf, heldVariant } from './held-variant.ts';
import type {
  BackboneManifest,
  Canary,
  GraphFiles,
  LogMelFrontEnd,
  PictureFrontEnd,
  Tap,
  Variants,
} from './manifest.ts';
import type { VariantName } from './model.ts';

/** A backbone that sees and hears. A pair has up to two canaries, in `pairCanaries`; `canary` is null then. */
export type WholeBackbone = BackboneManifest & {
  inputs: { visual: PictureFrontEnd; audio: LogMelFrontEnd };
  variants: Variants<{ visual: GraphFiles; audio: GraphFiles }>;
  pairCanaries?: Record<Modality, Canary | null>;
};

export type Modality = 'visual' | 'audio';
export const modalities: readonly Modality[] = ['visual', 'audio'];
const senses = { visual: 'pictures', audio: 'sounds' };

/** The manifest, known to have both senses. Throws `incompatible` if one is missing. */
export function wholeBackbone(manifest: BackboneManifest): WholeBackbone {
  const missing = modalities.find((modality) => manifest.inputs[modality] === null);
  if (!missing) return manifest as WholeBackbone;
  const present = missing === 'visual' ? 'audio' : 'visual';
  throw new MettleError(
    'incompatible',
    `Backbone "${manifest.id}" is for ${senses[present]} alone, but picture and sound are needed.`,
    { hint: `Name a second one for ${senses[missing]}: backbone: ["${manifest.id}", "..."].` },
  );
}

/**
 * The manifest of two backbones as one, `pictures+sounds` in its id whichever came first; its `contract` is that of both inputs and networks and all taps.
 * Throws `incompatible` unless one is for pictures alone and the other for sounds alone, with no tap's name in both.
 */
export function pairManifests(one: BackboneManifest, other: BackboneManifest): WholeBackbone {
  const [visual, audio] = inOrder(one, other);
  const seen = new Set(visual.taps.visual.map((tap: Tap) => tap.name));
  const twice = audio.taps.audio.find((tap) => seen.has(tap.name));
  if (twice) {
    throw new MettleError(
      'incompatible',
      `Backbones "${visual.id}" and "${audio.id}" both have a tap named "${twice.name}".`,
      {
        hint: 'Make one of the packages again with other names: mettle backbone tap puts "visual." or "audio." before them.',
      },
    );
  }
  const graphs = (variant: VariantName) => ({
    visual: prefixed('visual', heldVariant(visual.variants, variant).visual!),
    audio: prefixed('audio', heldVariant(audio.variants, variant).audio!),
  });
  const both = (value: (manifest: BackboneManifest) => string): string =>
    [...new Set([value(visual), value(audio)])].join(' ');
  const licenses = [...new Set([visual.license, audio.license])].join(' AND ');
  return {
    schema: 1,
    kind: 'backbone',
    id: `${visual.id}+${audio.id}`,
    version: `${visual.version}+${audio.version}`,
    license: licenses,
    untrained: visual.untrained || audio.untrained,
    requires: { sdk: both((manifest) => manifest.requires.sdk) },
    canary: null,
    pairCanaries: { visual: canaryIn('visual', visual), audio: canaryIn('audio', audio) },
    inputs: { visual: visual.inputs.visual!, audio: audio.inputs.audio! },
    networks: { visual: visual.networks.visual, audio: audio.networks.audio },
    taps: { visual: visual.taps.visual, audio: audio.taps.audio },
    variants: {
      webgpu: graphs('webgpu'),
      wasm: graphs('wasm'),
      ...(anyHalf([visual, audio]) ? { 'webgpu-f16': graphs('webgpu-f16') } : {}),
    },
    files: [...filesOf('visual', visual), ...filesOf('audio', audio)],
  };
}

/** The canaries of a backbone, and of which senses each has numbers. */
export function canariesOf({
  canary,
  pairCanaries,
}: BackboneManifest & Pick<WholeBackbone, 'pairCanaries'>): { canary: Canary; senses: Modality[] }[] {
  if (canary) return [{ canary, senses: [...modalities] }];
  return modalities.flatMap((modality) => {
    const own = pairCanaries?.[modality];
    return own ? [{ canary: own, senses: [modality] }] : [];
  });
}

/** A path as the package itself has it, of a pair or not: where a graph looks for its weights. */
export const ownPath = (path: string): string => path.slice(path.indexOf(':') + 1);

export const pairPath = (modality: Modality, path: string): string => `${modality}:${path}`;

const prefixed = (modality: Modality, { graph, weights }: GraphFiles): GraphFiles => ({
  graph: pairPath(modality, graph),
  weights: pairPath(modality, weights),
});

const canaryIn = (modality: Modality, { canary }: BackboneManifest): Canary | null =>
  canary && { ...canary, file: pairPath(modality, canary.file) };

const filesOf = (modality: Modality, { files }: BackboneManifest) =>
  files.map((file) => ({ ...file, path: pairPath(modality, file.path) }));

function inOrder(one: BackboneManifest, other: BackboneManifest): [BackboneManifest, BackboneManifest] {
  const has = (manifest: BackboneManifest): string =>
    modalities
      .filter((modality) => manifest.inputs[modality])
      .map((modality) => senses[modality])
      .join(' and ');
  const [first, second] = [has(one), has(other)];
  if (first === 'pictures' && second === 'sounds') return [one, other];
  if (first === 'sounds' && second === 'pictures') return [other, one];
  throw new MettleError(
    'incompatible',
    `Backbones "${one.id}" (${first}) and "${other.id}" (${second}) make no pair; expected one for pictures alone and one for sounds alone.`,
    { hint: 'Name a backbone that has both senses by itself, or one of each.' },
  );
}

/** What such a backbone wants to see and hear of each second. */
export function formatOf({ inputs: { visual, audio } }: WholeBackbone): SegmentFormat {
  return { frame: { width: visual.width, height: visual.height }, sampleRate: audio.sampleRate };
}
