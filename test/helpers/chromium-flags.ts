/**
 * Chromium on a software GPU: the flags that give a WebGPU adapter without hardware, and keep the browser off the network. CHROME_FLAGS, separated by spaces,
 * come on top, since a real GPU may need others.
 */
export const chromiumFlags = [
  '--no-sandbox',
  '--enable-unsafe-webgpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // A camera and a microphone that are drawn and beep, without a question.
  '--use-fake-device-for-media-stream',
  '--use-fake-ui-for-media-stream',
  '--autoplay-policy=no-user-gesture-required',
  ...(process.env.CHROME_FLAGS?.split(' ') ?? []),
];
