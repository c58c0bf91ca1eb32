/**
 * Sizes and digests of the files of onnxruntime-web 1.30.0 that a page or Node runs, so that they are checked before. Written by
 * test/tools/runtime-digests.mjs; a test holds it against what npm installed.
 */
import type { Integrity } from '../contract/manifest.ts';

export const runtimeDigests = {
  'ort.wasm.min.mjs': { bytes: 50_126, integrity: 'sha256-IZ5qH8ipk4Jo0Y78o8kdMQvS9KWbvRN0TfWyt/xs7js=' },
  'ort.jspi.min.mjs': { bytes: 66_511, integrity: 'sha256-vFcXnZI/2i2I1KOVNZyN9EOZ3eCHv5/0T8DkCrOY5Nk=' },
  'ort.webgpu.min.mjs': { bytes: 66_349, integrity: 'sha256-Pf//cYEbwTo6PZWRxXyl7lc1uPXz6veJUQsCuwQK46A=' },
  'ort.node.min.mjs': { bytes: 27_061, integrity: 'sha256-9BseHM+J57YwwqgiGS1s9I1kKxq+PDIfGta0Ewp4Mn4=' },
  'ort-wasm-simd-threaded.mjs': { bytes: 24_381, integrity: 'sha256-4T9/lPxRtMpysS+use6V9Kzm37yJObxxiqvcCifEKZs=' },
  'ort-wasm-simd-threaded.wasm': {
    bytes: 14_239_897,
    integrity: 'sha256-M5jBDQfSKb2Rs2RUjhMODlGo5XBLiMfAg+u+t4hC3uI=',
  },
  'ort-wasm-simd-threaded.jspi.mjs': {
    bytes: 50_918,
    integrity: 'sha256-Jw4sbanylyOdMB0yl4K2RGZByx4Wp3lnaQrc/KNfMmg=',
  },
  'ort-wasm-simd-threaded.jspi.wasm': {
    bytes: 16_758_545,
    integrity: 'sha256-pUx2+GsPDZVyOAzxxikqezkDcW/8vNaw5ccFC/Qw65M=',
  },
  'ort-wasm-simd-threaded.asyncify.mjs': {
    bytes: 53_057,
    integrity: 'sha256-PRyFmVNku2QzAvxv2Hegw7pa5yQBgV4PJIKKU9kZHig=',
  },
  'ort-wasm-simd-threaded.asyncify.wasm': {
    bytes: 26_781_914,
    integrity: 'sha256-OfnwiU1HiABIftn32+kmGEmNsyDPVcjj2Jrf+NzmWNo=',
  },
} satisfies Record<string, { bytes: number; integrity: Integrity }>;

export type RuntimeFile = keyof typeof runtimeDigests;
