/** Short recordings of camera and microphone, as files of the browser's own kind. */
import { showProgress } from './job.js';
import { openDevices } from './live.js';

/** Seconds of one recording. */
const length = 3;

/** Records `sense` (`audio`, `visual` or `both`), counting down. An abort lets go of the devices and keeps nothing. */
export async function record(sense, signal) {
  showProgress({ phase: 'camera' });
  const stream = await openDevices({ wantSound: sense !== 'visual', wantPicture: sense !== 'audio' });
  const timers = [];
  try {
    signal.throwIfAborted();
    const recorder = new MediaRecorder(stream);
    const parts = [];
    recorder.ondataavailable = ({ data }) => data.size > 0 && parts.push(data);
    const stopped = new Promise((resolve, reject) => {
      recorder.onstop = resolve;
      recorder.onerror = ({ error }) => reject(error);
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    recorder.start();
    for (let second = 0; second < length; second++) {
      timers.push(setTimeout(() => showProgress({ phase: 'recording', left: length - second }), 1000 * second));
    }
    timers.push(setTimeout(() => recorder.stop(), 1000 * length + 100));
    await stopped;
    return new Blob(parts, { type: recorder.mimeType });
  } finally {
    for (const timer of timers) clearTimeout(timer);
    for (const track of stream.getTracks()) track.stop();
  }
}
