/** Reference data that lies beside a checkout and is no part of the project. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../../../shared/data/', import.meta.url));

export const sharedPath = (path: string): string => folder + path;
export const readShared = (path: string): Uint8Array => new Uint8Array(readFileSync(folder + path));
/** True where `path` is missing, for `skipIf`. */
export const sharedIsAbsent = (path: string): boolean => !existsSync(folder + path);
