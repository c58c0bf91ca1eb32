/**
 * The adapters of one engine: which there are, which of them are in memory, and who uses them. Calls take what they need before they begin and give it back when they end;
 * in between nothing is taken from under them. With a budget those that were used least lately make room, and come back when they are asked for.
 */
import { untilAborted } from './abort.ts';
import type { AdapterManifest } from './contract/manifest.ts';
import type { VariantName } from './contract/model.ts';
import type { Engine, EngineProgress } from './engine/types.ts';
import { MettleError, type Warning } from './errors.ts';
import type { DownloadProgress, OpenedModel } from './hub/hub.ts';

/** An adapter that can be asked. */
export type Resident = {
  /** What the engine calls it: another version may get the same id while calls still run on this one. */
  readonly key: string;
  /** What the caller wrote for it. */
  readonly location: string;
  readonly manifest: AdapterManifest;
};

/** An adapter that was opened, and whether the engine was loaded with it. */
export type OpenedAdapter = { location: string; model: OpenedModel<AdapterManifest>; loaded: boolean };

/** How much memory the models of a Mettle take. */
export type MemoryUse = {
  /** Bytes of the files of all models that are in memory. What the runtime takes beside them while it computes is not known. */
  bytes: number;
  /** What `createMettle` was told; null without. */
  budget: number | null;
  /** Backbone first, then adapters in their order. */
  models: {
    /** As its manifest says. */
    id: string;
    /** What it is. */
    kind: 'backbone' | 'adapter';
    /** As its manifest says. */
    version: string;
    /** Bytes of its files, in the variant that runs. */
    bytes: number;
    /** `waiting`: not in memory, and loaded when it is asked for. `leaving`: unloaded, but calls still run on it. */
    state: 'loaded' | 'waiting' | 'leaving';
  }[];
};

type Entry = Resident & {
  readonly model: OpenedModel<AdapterManifest>;
  readonly bytes: number;
  /** Whether new calls may ask for it. */
  known: boolean;
  loaded: boolean;
  /** Calls that run on it, or wait for it. */
  claims: number;
  /** Calls that run on it. */
  users: number;
  /** Turn of its last use. */
  used: number;
};

export type LoadSteps = {
  signal?: AbortSignal;
  onDownload?: (progress: DownloadProgress) => void;
  onStep?: (progress: EngineProgress) => void;
  /** Gets what is to be told of the adapter. */
  onWarning?: (warning: Warning) => void;
  /** Called before the adapter can be asked: throws where the caller wants no more. */
  check?: () => void;
};

export type ResidentsOptions = {
  engine: Pick<Engine, 'add' | 'remove'>;
  variant: VariantName;
  backbone: { id: string; version: string; bytes: number };
  budget: number | undefined;
};

export class Residents {
  readonly #options: ResidentsOptions;
  readonly #entries: Entry[] = [];
  /** One change at a time: who waits for room is not overtaken. */
  #lastTurn: Promise<unknown> = Promise.resolve();
  readonly #waitingForRelease = new Set<() => void>();
  #clock = 0;
  #lastKey = 0;

  constructor(options: ResidentsOptions, adapters: readonly OpenedAdapter[]) {
    this.#options = options;
    for (const { loaded, ...adapter } of adapters) this.#entries.push({ ...this.#entryOf(adapter), loaded });
  }

  get variant(): VariantName {
    return this.#options.variant;
  }

  /** Those that can be asked, in their order. */
  get all(): readonly Resident[] {
    return this.#entries.filter(({ known }) => known);
  }

  /**
   * Resolves when all of these are in memory and will stay there until the function that it gives is called. Claims them before it returns, so that what is unloaded
   * afterwards stays for this call. Throws `incompatible` where they are more than the budget, what loading throws, or the signal's reason.
   */
  async acquire(residents: readonly Resident[], signal: AbortSignal | undefined): Promise<() => void> {
    const entries = [...new Set(residents as readonly Entry[])];
    this.#checkBudget(entries);
    for (const entry of entries) entry.claims++;
    const release = (): void => {
      for (const entry of entries) entry.users--;
      this.#unclaim(entries);
    };
    const turn = this.#inTurn(async () => {
      signal?.throwIfAborted();
      await this.#makeRoom(entries, signal);
      for (const entry of entries) if (!entry.loaded) await this.#bringIn(entry, { signal });
      signal?.throwIfAborted();
      for (const entry of entries) {
        entry.users++;
        entry.used = ++this.#clock;
      }
      return release;
    });
    try {
      return await untilAborted(turn, signal);
    } catch (error) {
      turn.then(
        (late) => late(),
        () => this.#unclaim(entries),
      );
      throw error;
    }
  }

  /** One more adapter, in memory. Throws `invalid-argument` where one of its id is there, `incompatible` where it is more than the budget, or what loading throws. */
  async add(location: string, model: OpenedModel<AdapterManifest>, steps: LoadSteps): Promise<void> {
    const { id } = model.manifest;
    if (this.#entries.some((entry) => entry.known && entry.manifest.id === id)) throw isThere(id);
    const entry = { ...this.#entryOf({ location, model }), known: false, claims: 1 };
    this.#checkBudget([entry]);
    this.#entries.push(entry);
    const turn = this.#inTurn(async () => {
      steps.signal?.throwIfAborted();
      if (this.all.some(({ manifest }) => manifest.id === id)) throw isThere(id);
      await this.#makeRoom([entry], steps.signal);
      await this.#bringIn(entry, steps);
      steps.signal?.throwIfAborted();
      steps.check?.();
      entry.known = true;
      entry.used = ++this.#clock;
    }).finally(() => this.#unclaim([entry]));
    await untilAborted(turn, steps.signal);
  }

  /** No later call can ask for it; it goes when the last that runs on it has ended. False where no adapter has this id. */
  remove(id: string): boolean {
    const entry = this.#entries.find(({ known, manifest }) => known && manifest.id === id);
    if (!entry) return false;
    entry.known = false;
    if (entry.claims === 0) this.#forget(entry);
    return true;
  }

  memory(): MemoryUse {
    const { backbone, budget } = this.#options;
    const adapters = this.#entries
      .filter(({ known, loaded }) => known || loaded)
      .map(({ manifest: { id, version }, bytes, known, loaded }) => {
        const state = !known ? ('leaving' as const) : loaded ? ('loaded' as const) : ('waiting' as const);
        return { id, kind: 'adapter' as const, version, bytes, state };
      });
    return {
      bytes: this.#bytes(),
      budget: budget ?? null,
      models: [{ ...backbone, kind: 'backbone', state: 'loaded' }, ...adapters],
    };
  }

  #entryOf({ location, model }: Omit<OpenedAdapter, 'loaded'>): Entry {
    const { manifest } = model;
    const taken = this.#entries.some(({ key }) => key === manifest.id);
    // No id of a manifest has such a sign.
    const key = taken ? `${manifest.id}#${++this.#lastKey}` : manifest.id;
    const bytes = model.bytes(this.#options.variant);
    return { key, location, model, manifest, bytes, known: true, loaded: false, claims: 0, users: 0, used: 0 };
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work);
    this.#lastTurn = turn.catch(() => {});
    return turn;
  }

  #bytes(): number {
    const loaded = this.#entries.filter((entry) => entry.loaded);
    return loaded.reduce((sum, { bytes }) => sum + bytes, this.#options.backbone.bytes);
  }

  #checkBudget(entries: readonly Entry[]): void {
    const { budget = Infinity, backbone } = this.#options;
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, backbone.bytes);
    if (bytes > budget) throw overBudget([backbone.id, ...entries.map(({ manifest }) => manifest.id)], bytes, budget);
  }

  /** Evicts what was used least lately, and waits for calls to end where that is not enough. */
  async #makeRoom(wanted: readonly Entry[], signal: AbortSignal | undefined): Promise<void> {
    const { budget = Infinity } = this.#options;
    const needed = wanted.reduce((sum, { loaded, bytes }) => sum + (loaded ? 0 : bytes), 0);
    while (this.#bytes() + needed > budget) {
      const idle = this.#entries.filter((entry) => entry.loaded && entry.users === 0 && !wanted.includes(entry));
      const [oldest] = idle.sort((a, b) => a.used - b.used);
      if (oldest) this.#evict(oldest);
      else await this.#nextRelease(signal);
    }
  }

  /** The engine takes calls in their order: what is loaded after this finds its room. */
  #evict(entry: Entry): void {
    if (!entry.loaded) return;
    entry.loaded = false;
    // An engine that has ended holds nothing.
    this.#options.engine.remove(entry.key).catch(() => {});
  }

  async #bringIn(entry: Entry, { signal, onDownload, onStep, onWarning = () => {} }: LoadSteps): Promise<void> {
    const { engine, variant } = this.#options;
    const files = await entry.model.download(variant, { signal, onProgress: onDownload });
    for (const warning of await engine.add(entry.key, files, onStep)) onWarning(warning);
    entry.loaded = true;
  }

  async #nextRelease(signal: AbortSignal | undefined): Promise<void> {
    let go = () => {};
    const released = new Promise<void>((resolve) => {
      go = resolve;
    });
    this.#waitingForRelease.add(go);
    try {
      await untilAborted(released, signal);
    } finally {
      this.#waitingForRelease.delete(go);
    }
  }

  #unclaim(entries: readonly Entry[]): void {
    for (const entry of entries) {
      entry.claims--;
      if (!entry.known && entry.claims === 0) this.#forget(entry);
    }
    for (const go of [...this.#waitingForRelease]) go();
  }

  #forget(entry: Entry): void {
    this.#evict(entry);
    this.#entries.splice(this.#entries.indexOf(entry), 1);
  }
}

/** Of adapters in their order, how many fit into the budget beside the backbone. Throws `incompatible` where it does not fit itself. */
export function fitting(
  backbone: { id: string; bytes: number },
  adapters: readonly number[],
  budget = Infinity,
): number {
  if (backbone.bytes > budget) throw overBudget([backbone.id], backbone.bytes, budget);
  let bytes = backbone.bytes;
  let count = 0;
  for (const size of adapters) {
    bytes += size;
    if (bytes > budget) break;
    count++;
  }
  return count;
}

function isThere(id: string): MettleError {
  return new MettleError('invalid-argument', `An adapter "${id}" is loaded already.`, {
    hint: `Unload it first: mettle.unload("${id}").`,
  });
}

function overBudget(ids: readonly string[], bytes: number, budget: number): MettleError {
  const [first, ...others] = ids.map((id) => `"${id}"`);
  const what = others.length > 0 ? `Backbone ${first} with ${others.join(', ')}` : `Backbone ${first}`;
  return new MettleError('incompatible', `${what} has ${bytes} bytes, more than the budget of ${budget}.`, {
    hint: 'Ask for fewer tasks at once, take smaller models, or raise createMettle({ budget }).',
  });
}
