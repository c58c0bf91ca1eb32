/** Captions of sounds: a track on the film, the same as a list to read and to seek by, in the language that was chosen. */
import { captionLanguages, captions } from '../../dist/page/export.js';
import { clock, element } from '../plain-page/elements.js';
import { seek } from './stage.js';

const $ = (id) => document.getElementById(id);
const node = $('captions-track');

let results = null;
let url = null;

export const captionLanguage = () => $('language').value;

export function showCaptions(found) {
  results = found;
  write();
}

export function clearCaptions() {
  node.removeAttribute('src');
  if (url) URL.revokeObjectURL(url);
  url = null;
  results = null;
}

function write() {
  if (!results) return;
  if (url) URL.revokeObjectURL(url);
  url = URL.createObjectURL(new Blob([captions(results, { language: captionLanguage() })], { type: 'text/vtt' }));
  node.srclang = captionLanguage();
  node.src = url;
  applyMode();
}

/** A hidden track is read all the same, and the list is made of what it holds. */
function applyMode() {
  node.track.mode = $('show-captions').checked ? 'showing' : 'hidden';
}

function list() {
  const cues = [...(node.track.cues ?? [])];
  $('cues').lang = captionLanguage();
  $('cues').replaceChildren(...(cues.length > 0 ? cues.map(cueItem) : [none()]));
}

const none = () => element('li', { className: 'soft', lang: 'en' }, 'No sound that it knows.');

function cueItem({ startTime, text }) {
  const button = element('button', { type: 'button' }, element('time', {}, clock(startTime)), ' ', plain(text));
  button.addEventListener('click', () => seek(startTime));
  return element('li', {}, button);
}

/** The words of a cue without its marks. */
const plain = (text) => new VTTCue(0, 1, text).getCueAsHTML().textContent;

function languageOption(code) {
  const name = new Intl.DisplayNames([code], { type: 'language' }).of(code);
  return element('option', { value: code, lang: code, selected: navigator.language.startsWith(code) }, name);
}

$('language').replaceChildren(...captionLanguages.map(languageOption));
$('language').addEventListener('change', write);
$('show-captions').addEventListener('change', applyMode);
node.addEventListener('load', list);
