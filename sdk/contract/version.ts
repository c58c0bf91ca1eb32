/** The version of this SDK, and whether it lies in a range that a manifest asks for. */

/** The same as in package.json. */
export const sdkVersion = '0.1.0';

/** Of onnxruntime-web, which the graphs were tried with: the same as in package.json. */
export const runtimeVersion = '1.30.0';

/** A simple range: comparisons with one space between, all of which must hold, e.g. `>=0.1 <1`. */
export const versionRange = /^(?:>=|<=|>|<|=)\d{1,9}(?:\.\d{1,9}){0,2}(?: (?:>=|<=|>|<|=)\d{1,9}(?:\.\d{1,9}){0,2})*$/;

/** True if `version` lies in `range`, which must match `versionRange`. Parts left out count as 0; what follows a `-` in the version is not looked at. */
export function satisfies(version: string, range: string): boolean {
  return range.split(' ').every((comparison) => {
    const [, operator, bound] = /^(\D+)(.+)$/.exec(comparison)!;
    const order = compareVersions(version, bound!);
    if (operator === '>=') return order >= 0;
    if (operator === '<=') return order <= 0;
    if (operator === '>') return order > 0;
    if (operator === '<') return order < 0;
    return order === 0;
  });
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [a, b].map((version) => version.split('-')[0]!.split('.').map(Number));
  for (let part = 0; part < 3; part++) {
    const difference = (left![part] ?? 0) - (right![part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
