/** What registry.json holds: models by id. */
import type { Integrity } from './manifest.ts';

/** `manifest` is the path of the model's manifest, relative to the registry; `integrity` its digest. */
export type RegistryEntry = { kind: 'backbone' | 'adapter'; manifest: string; integrity: Integrity };
/** The one that is taken where neither a backbone nor an adapter is named. */
export const DEFAULT_BACKBONE = 'nano-2';

export type Registry = Record<string, RegistryEntry>;
