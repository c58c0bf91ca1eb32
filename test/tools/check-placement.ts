/**
 * Fails if a node of a WebGPU graph would run on the CPU, or data would be copied for it: `npm run check:placement [FOLDER...]`, by default all packages that
 * ship. Needs a Vulkan driver (a software one will do) and onnxruntime-node.
 */
import { gpuGraphs, isWhole, placeOnGpu, shippedFolders } from '../helpers/placement.ts';
import { noVulkan } from '../helpers/vulkan.ts';

if (noVulkan) {
  console.error(`Placement cannot be checked: ${noVulkan}. A driver is named in VK_ICD_FILENAMES.`);
  process.exit(2);
}
const named = process.argv.slice(2);
for (const { name, graph, weights } of (named.length > 0 ? named : shippedFolders()).flatMap(gpuGraphs)) {
  const placement = placeOnGpu(graph, weights);
  const places = Object.entries(placement.nodes).map(([provider, count]) => `${count} on ${provider}`);
  const whole = isWhole(placement);
  console.log(`${whole ? 'ok  ' : 'FAIL'} ${name}: ${places.join(', ')}${placement.copies ? ', with copies' : ''}`);
  if (!whole) process.exitCode = 1;
}
