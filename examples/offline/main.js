/**
 * A page that works offline after one visit. Models are kept by the SDK. Everything else is a file of the page's own server: this page, scripts of workers, the runtime;
 * `service-worker.js` keeps those. It has to be in charge before they are asked for the first time.
 */
import { serviceWorkerInCharge } from './in-charge.js';

const status = document.getElementById('status');
const input = document.getElementById('file');

try {
  await serviceWorkerInCharge();
  const { createMettle } = await import('../../dist/page/index.js');
  const mettle = await createMettle({
    device: new URLSearchParams(location.search).get('device') ?? 'auto',
    runtimePath: '../../node_modules/onnxruntime-web/dist/',
  });
  const { device, adapters, warnings } = mettle.info();
  status.textContent = `Ready: ${device}, ${adapters.length} adapters. ${warnings.map(({ message }) => message).join(' ')}`;
  input.disabled = false;
  input.addEventListener('change', async () => {
    status.textContent = 'Analysing';
    const { results } = await mettle.analyze(input.files[0]);
    const lines = results.map(({ task, adapter, events, masks }) => `${adapter}: ${task}, ${(events ?? masks).length}`);
    document.getElementById('results').textContent = lines.join('\n');
    status.textContent = 'Done';
  });
} catch (error) {
  status.textContent = `${error.message} ${error.hint ?? ''}`;
}
