/** The device that a bench was told to run on. */
export function deviceOf<T extends string>(named: string, known: readonly T[]): T {
  const device = known.find((name) => name === named);
  if (device) return device;
  throw new Error(`no device ${named}; there are ${known.join(', ')}`);
}
