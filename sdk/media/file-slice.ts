/** What is used of the reader inside mediabunny, through which every format reads, and of what it gives. Both are its own business, so they are named here alone. */

export type MaybePromise<T> = T | Promise<T>;
/** Bytes `start` to `end` of a file. */
export type Slice = { bytes: Uint8Array; start: number; end: number; filePos: number; bufferPos: number };
export type Reader = {
  readonly fileSize: number | null;
  requestSlice(start: number, length: number): MaybePromise<Slice | null>;
  requestSliceRange(start: number, least: number, most: number): MaybePromise<Slice | null>;
};

export const bytesOf = ({ bytes, bufferPos, start, end }: Slice): Uint8Array =>
  bytes.subarray(bufferPos, bufferPos + end - start);

/** What `change` makes of a slice, now or when it comes. */
export function changed(
  slice: MaybePromise<Slice | null>,
  change: (slice: Slice | null) => Slice | null,
): MaybePromise<Slice | null> {
  return slice instanceof Promise ? slice.then(change) : change(slice);
}
