/**
 * The one error class of the SDK. Every failure that a caller can act on is a {@link MettleError}: `message` says what was
 * wrong and what was expected, `hint` says the fix, `code` is stable and meant for `switch`.
 * An aborted call is not a failure of ours: it rejects with `signal.reason`, as the web platform does.
 */

/** What went wrong, stable and meant for `switch`. */
export type ErrorCode =
  /** An argument of a public call has the wrong type, range or shape. */
  | 'invalid-argument'
  /** A file, URL, adapter id or backbone id does not exist. */
  | 'not-found'
  /** The bytes are no video or audio container that we can read (also: empty, truncated before the index). */
  | 'not-media'
  /** The container is readable, but holds neither picture nor sound, or no time at all. */
  | 'empty-media'
  /** A stream's codec has no decoder here. */
  | 'unsupported-codec'
  /** Node has no decoder package installed. */
  | 'missing-package'
  /** Bytes from outside break the rules of their format (manifest, safetensors, ONNX, CSV). */
  | 'invalid-file'
  /** Bytes do not match their SHA-256, or are not signed by a key that was asked for. */
  | 'integrity'
  /** Two valid parts do not fit together: adapter and backbone, manifest and SDK version. */
  | 'incompatible'
  /** A download failed. */
  | 'network'
  /** The requested device cannot be had, or was lost. */
  | 'device'
  /** Decoding made no progress for so long that its worker was ended. */
  | 'stalled'
  /** The worker ended while calls were open. */
  | 'worker-died'
  /** The object was disposed before or during the call. */
  | 'disposed'
  /** Training came to a loss or a gradient that is no finite number. */
  | 'diverged'
  /** A result could not be written. */
  | 'write'
  /** A fault of ours, or of the runtime below us. */
  | 'internal';

/** What a {@link MettleError} may carry beside its message. */
export type MettleErrorOptions = {
  /** What to do about it, one sentence. */
  hint?: string;
  /** The error below it. */
  cause?: unknown;
};

/** Every failure of this package that a caller can act on; an aborted call rejects with its signal's reason instead. */
export class MettleError extends Error {
  /** For logs, and where `instanceof` does not reach. */
  override readonly name = 'MettleError';
  /** What went wrong, for `switch`. */
  readonly code: ErrorCode;
  /** What to do about it, one sentence; empty where the message says it already. */
  readonly hint: string;

  /** True for those of another copy of this package too, such as the script that `worker: false` loads. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: classes that extend it are asked too, and have no copies.
    return this === MettleError ? isOurs(value) : Function.prototype[Symbol.hasInstance].call(this, value);
  }

  /** `message` says what was wrong and what was expected. */
  constructor(code: ErrorCode, message: string, options: MettleErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.hint = options.hint ?? '';
  }
}

const isOurs = (value: unknown): boolean => value instanceof Error && value.name === 'MettleError' && 'code' in value;

/** Something the caller should know about a result that is valid all the same. */
export type Warning = {
  /** Stable, for `switch`. */
  code:
    | 'no-audio'
    | 'no-picture'
    | 'several-streams'
    | 'other-stream'
    | 'truncated'
    | 'untrained'
    | 'device-fallback'
    | 'invalid-samples'
    | 'cancelled-sound'
    | 'no-cache'
    | 'other-weights';
  /** One or two sentences for people. */
  message: string;
};

/** Adds a warning unless `warnings` has one of its code: one of each says enough. */
export function addWarning(warnings: Warning[], warning: Warning): void {
  if (!warnings.some(({ code }) => code === warning.code)) warnings.push(warning);
}
