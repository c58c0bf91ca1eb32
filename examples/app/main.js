/** Wires the page: tabs, adapters, samples, files that are dropped. Each part is a module of its own; `?device=wasm` or `?device=webgpu` chooses the device. */
import { showAdapters } from './adapters.js';
import { openFile, openSample } from './film.js';
import { run } from './job.js';
import { stopTracks } from './live.js';
import { showSamples } from './samples.js';
import { pauseFilm } from './stage.js';
import { joinTabs } from './tabs.js';
import { showLessons } from './teach.js';

const $ = (id) => document.getElementById(id);

$('not-served').remove();
joinTabs(document.querySelector('[role="tablist"]'), () => {
  stopTracks();
  pauseFilm();
  $('error').hidden = true;
  if (!$('teach').hidden) showLessons();
});
run(showAdapters);
showSamples(openSample);

for (const type of ['dragover', 'dragleave', 'drop']) {
  addEventListener(type, (event) => {
    event.preventDefault();
    $('drop').classList.toggle('over', type === 'dragover');
    const file = type === 'drop' && event.dataTransfer.files[0];
    if (!file) return;
    $('film-tab').click();
    openFile(file);
  });
}
