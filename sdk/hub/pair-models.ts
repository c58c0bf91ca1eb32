/** Two backbones of one sense each as one to download. */

import type { BackboneManifest } from '../contract/manifest.ts';
import type { VariantName } from '../contract/model.ts';
import { modalities, pairManifests, pairPath, type WholeBackbone } from '../contract/pair.ts';
import type { OpenedModel } from './hub.ts';

/** Two opened backbones as one to download. Throws as `pairManifests`. */
export function pairModels(
  one: OpenedModel<BackboneManifest>,
  other: OpenedModel<BackboneManifest>,
): OpenedModel<WholeBackbone> {
  const manifest = pairManifests(one.manifest, other.manifest);
  const bytes = (variant: VariantName): number => one.bytes(variant) + other.bytes(variant);
  const parts = one.manifest.inputs.visual ? { visual: one, audio: other } : { visual: other, audio: one };
  return {
    manifest,
    url: parts.visual.url,
    bytes,
    async download(variant, { signal, onProgress } = {}) {
      const received = { visual: 0, audio: 0 };
      const model = manifest.id;
      const packages = modalities.map(async (modality) => {
        const { files } = await parts[modality].download(variant, {
          signal,
          onProgress(progress) {
            if (progress.type === 'file') {
              onProgress?.({ ...progress, model, path: pairPath(modality, progress.path) });
              return;
            }
            received[modality] = progress.received;
            onProgress?.({ type: 'total', model, received: received.visual + received.audio, bytes: bytes(variant) });
          },
        });
        return Object.entries(files).map(([path, data]) => [pairPath(modality, path), data] as const);
      });
      return { manifest, files: Object.fromEntries((await Promise.all(packages)).flat()) };
    },
  };
}
