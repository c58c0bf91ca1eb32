/** What is said of models whose weights are noise. */
import type { Warning } from '../errors.ts';
import type { AnyManifest } from './variant.ts';

export function untrainedWarnings(manifests: readonly Pick<AnyManifest, 'id' | 'kind' | 'untrained'>[]): Warning[] {
  return manifests
    .filter(({ untrained }) => untrained)
    .map(({ id, kind }) => ({
      code: 'untrained',
      message: `The weights of ${kind} "${id}" were never trained: ${kind === 'backbone' ? 'adapters read random features of it.' : 'its answers mean nothing.'}`,
    }));
}
