/** Creates a WebGPU session and lets onnxruntime say where it puts the nodes: `node place.mjs GRAPH [WEIGHTS]`. A process of its own, for its log. */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import * as ort from 'onnxruntime-node';

const [graph, weights] = process.argv.slice(2);
ort.env.logLevel = 'verbose';
const session = await ort.InferenceSession.create(new Uint8Array(readFileSync(graph)), {
  executionProviders: ['webgpu'],
  externalData: weights ? [{ path: basename(weights), data: new Uint8Array(readFileSync(weights)) }] : [],
  logSeverityLevel: 0,
});
await session.release();
