/** Where networks run. */

/**
 * `auto` takes WebGPU where it works and WASM otherwise; in Node onnxruntime-node's CPU where installed and WASM otherwise. `cpu` and `cuda` exist in Node
 * only, and `cuda` only where onnxruntime-node was installed with it.
 */
export type DeviceRequest = 'auto' | 'webgpu' | 'wasm' | 'cpu' | 'cuda';
/** Where networks run. */
export type Device = Exclude<DeviceRequest, 'auto'>;
