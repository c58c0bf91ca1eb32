/** How large files and folders may be where people often publish, as these hosts said in 2026. A model that is too large for one fits another. */
import { bytesText } from '../../contract/limits.ts';

type HostLimit = { name: string; fileBytes?: number; folderBytes?: number };

const MiB = 2 ** 20;

const hosts: readonly HostLimit[] = [
  { name: 'Hugging Face', fileBytes: 50e9 },
  { name: 'npm, through jsDelivr', folderBytes: 150e6 },
  { name: 'GitHub Pages', fileBytes: 100 * MiB, folderBytes: 1e9 },
  { name: 'Cloudflare Pages', fileBytes: 25 * MiB },
];

export type HostFit = { name: string; fits: boolean; limit: string };

/** Whether a folder of files of these sizes may lie at each host. */
export function hostsFor(sizes: readonly number[]): HostFit[] {
  const [largest, total] = [Math.max(...sizes), sizes.reduce((sum, size) => sum + size, 0)];
  return hosts.map(({ name, fileBytes, folderBytes }) => ({
    name,
    fits: largest <= (fileBytes ?? Infinity) && total <= (folderBytes ?? Infinity),
    limit: [
      ...(fileBytes ? [`${bytesText(fileBytes)} a file`] : []),
      ...(folderBytes ? [`${bytesText(folderBytes)} in all`] : []),
    ].join(', '),
  }));
}
