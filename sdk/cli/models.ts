/** The models that ship with the SDK, and which of them a run takes when none is named. */

import type { Task } from '../contract/task.ts';
import { MettleError } from '../errors.ts';
import type { ShippedModel } from './types.ts';

/** Reads the registry and the manifests in it, no weights. */
export async function listShippedModels(signal?: AbortSignal): Promise<ShippedModel[]> {
  const { listShipped, openModel } = await import('../hub/hub.ts');
  const entries = await listShipped({ signal });
  return await Promise.all(
    entries.map(async ({ id, kind }): Promise<ShippedModel> => {
      const { manifest } = await openModel(id, kind, { signal });
      const { version, untrained } = manifest;
      if (manifest.kind === 'backbone') return { kind: 'backbone', id, version, untrained };
      const { task, base, scope, familiarity } = manifest;
      return {
        kind: 'adapter',
        id,
        version,
        untrained,
        task,
        backbone: base.id,
        scope,
        keepsSilent: familiarity !== null,
      };
    }),
  );
}

/**
 * Ids of the shipped adapters for some tasks, or undefined where the SDK should find out itself: for a backbone that does not ship.
 * @throws MettleError `not-found` if one of the tasks has none
 */
export function chooseAdapters(
  models: readonly ShippedModel[],
  backbone: string,
  tasks: readonly Task[],
): string[] | undefined {
  if (!models.some((model) => model.kind === 'backbone' && model.id === backbone)) return undefined;
  const fitting = models.filter((model) => model.kind === 'adapter').filter((model) => model.backbone === backbone);
  const missing = tasks.find((task) => !fitting.some((model) => model.task === task));
  if (missing) {
    const ids = fitting.map((model) => `${model.id} (${model.task})`).join(', ') || 'none';
    throw new MettleError('not-found', `No shipped adapter for backbone "${backbone}" can ${missing}.`, {
      hint: `Name one with --adapter. Shipped for this backbone: ${ids}.`,
    });
  }
  return fitting.filter((model) => tasks.includes(model.task)).map((model) => model.id);
}
