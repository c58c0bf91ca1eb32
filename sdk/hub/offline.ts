/** The error of what would need the network where the caller wants none. */
import { MettleError } from '../errors.ts';
import { shown } from './request.ts';

export function offlineError(url: URL): MettleError {
  return new MettleError('network', `${shown(url)} is not on this device, and options.offline forbids to fetch it.`, {
    hint: 'Load the model once without "offline", with the same cache.',
  });
}
