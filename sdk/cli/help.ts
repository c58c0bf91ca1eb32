/** The help texts. */
import { DEFAULT_BACKBONE } from '../contract/registry.ts';
import { HUB_HELP } from './hub-options.ts';
import { MODEL_HELP } from './session.ts';

export const MAIN_HELP = `Mettle Edge tells what happens in a video, when, and where, from picture and sound together. On this device.

Usage
  mettle run FILE... [options]     analyze clips
  mettle batch LIST --out DIR      analyze many films, by several processes; goes on where it was stopped
  mettle watch ADDRESS [options]   what happens in a camera or a stream, as it happens
  mettle find EXAMPLE DIR...       seconds of films that are like one of an example
  mettle captions FILE [options]   captions of sounds, for people who do not hear, beside subtitles of speech
  mettle export RESULTS.json ...   what a run found as captions, chapters, table or markers
  mettle info [options]            versions, device and models
  mettle verify MODEL...           every byte of a model and of the runtime, who signed it, and what is not covered
  mettle pack DIR [options]        make a model's folder ready to be published
  mettle serve DIR [options]       a folder over HTTP, to try models and pages on this machine
  mettle keygen FILE               a pair of keys, to sign models with
  mettle sign DIR --key FILE       vouch for a model or a list of models
  mettle assets DIR [options]      what a page loads by itself: workers, runtime, models
  mettle backbone NAME ...         make backbone packages: add, import, tap
  mettle cache NAME ...            what is kept of downloads: list, verify, prune, delete
  mettle data NAME ...             data sets: check one, make a toybox
  mettle teach DIR --out OUT       an adapter from a few examples of your own events
  mettle train [options]           train an adapter on a data set
  mettle eval ADAPTER DIR          the published figures of an adapter
  mettle borders ADAPTER           teach a finished adapter to tell times inside of a second
  mettle calibrate ADAPTER         teach a finished adapter when to keep silent and how sure to sound
  mettle pretrain [options]        a backbone's weights from frozen networks, pictures and sounds

  mettle help COMMAND              options of a command
  mettle --version
`;

export const RUN_HELP = `Usage
  mettle run FILE... [options]

FILE is a video, a sound file, or a URL of one.

Options
  --tasks LIST        localize, parse, segment, separated by commas (default: all that the adapters can)
  --out DIR           write results.json, events.vtt, masks and report.html there; several FILEs get a folder each in DIR
${MODEL_HELP}
  --unfamiliar NAME   withhold, which leaves out and counts answers about seconds unlike all that an adapter learned from,
                      or show, which gives them (default: withhold)
  --explain           write where each adapter looked and listened into DIR/attention: pictures, a spectrogram, weights of layers
  --json              print one line of JSON per FILE instead of a timeline
  --quiet             print nothing but errors and JSON
  --verbose           print the stack of an internal fault

Where models come from
${HUB_HELP}

Exit codes
  0 done   1 internal fault   2 wrong usage or bad input   130 interrupted
`;

export const INFO_HELP = `Usage
  mettle info [options]

Loads the shipped models and tells which device runs them and why.

Options
  --device NAME       auto, cpu, wasm, webgpu or cuda (default: auto)
  --json              print JSON
  --verbose           print the stack of an internal fault
`;

export const TRAIN_HELP = `Usage
  mettle train --data DIR --out DIR [options]

Trains an adapter beside a frozen backbone, evaluates it, and writes it as a folder that "mettle run --adapter" takes.
Work in progress lies in OUT.work: checkpoint, features, log, curves.

Data
  --data DIR          AVE, LLP, AVSBench, or your own clips with an events.csv
  --format NAME       ave, llp, avs-s4, avs-ms3 or folder (default: told by the names of its tables)
  --task NAME         localize, parse or segment, for your own folder (default: what its table allows)

Model
  --backbone ID       id, path or URL (default: ${DEFAULT_BACKBONE}); given twice, or as A,B, one for pictures and one for sounds
  --tokens N          meta-tokens per block (default: 4)
  --taps NAME         blocks, stage-ends, last-half or last (default: blocks)
  --paths NAME        both, preservation, task, or none: a linear probe without meta-tokens (default: both)
  --senses NAME       both, audio or visual, to do without the other; masks always see pictures (default: both)
  --width N           common width of the meta-tokens, a multiple of 4 (default: 128)
  --segments N        seconds that are seen at once; longer clips are cut into pieces (default: the longest clip, up to 60)
  --layers N          layers that look along time (default: 2 for localize, 0 for parse, which judges every second by itself)
  --head NAME         A, a class per second, or B, an event per second and a class per clip, for localize (default: A)
  --decoder NAME      pyramid, or linear, a linear probe of the layers without meta-tokens, for segment (default: pyramid)

Training
  --epochs N          passes over the training clips (default: 30, for masks 15)
  --batch N           clips per step (default: 8)
  --rate X            highest learning rate (default: 0.001)
  --seed N            starting weights and order (default: 1)
  --device NAME       cpu, wasm, webgpu or cuda (default: auto, the CPU)
  --software-gpu      allow a software driver for webgpu
  --threads N         threads of the CPU
  --resume            go on from the checkpoint in OUT.work; the same weights as without the interruption
  --cache DIR         folder for features of clips (default: OUT.work/features)
  --cache-gb X        room for them (default: 20)

  --out DIR           the adapter; must not exist
  --id NAME           its id (default: the folder's name)
  --license NAME      its licence (default: MIT)
  --note FILE         text for its card, such as where the clips come from
  --scope FILE        JSON of what it answers for, which every result says: {"senses": ["audio", "visual"], "world": "what
                      the clips show", "unknown": "what it does not know"}; JSON itself will do. Senses are those that
                      decide: an adapter that listens alone names audio
  --exact             keep its weights in float32 (default: in 8 bits where no output changes by more than 1 %)
  --forms LIST        forms to write, e.g. webgpu-f16=float16, whatever they change; as in mettle backbone import
  --config FILE       a JSON object of these options, for example
                      {"data": "clips", "out": "my-adapter", "epochs": 50, "rate": 0.0005, "taps": "last-half"};
                      what is given on the command line wins
  --json              print figures as JSON
  --quiet             print nothing but errors and figures

Where the backbone comes from
${HUB_HELP}

Figures at the end are those of the graph that was trained, in float32; "mettle eval" judges the finished folder.

Exit codes
  0 done   1 internal fault   2 wrong usage, bad input or diverged   130 interrupted; --resume goes on
`;

export const CALIBRATE_HELP = `Usage
  mettle calibrate ADAPTER --data DIR --out DIR [options]

Gives a finished adapter a measure of familiarity (from the training clips), the threshold below which it keeps silent and
temperatures that make its confidence mean frequency (from the validation clips), and prints what that does on the test
clips. Graphs and weights stay as they are. "mettle train" does the same at its end.

Options
  --data DIR          the data that the adapter was trained on, with its splits
  --format NAME       ave, llp, avs-s4, avs-ms3 or folder (default: told by the names of its tables)
  --backbone ID       id, path or URL (default: that of the adapter); given twice, or as A,B, for pictures and sounds
  --scope FILE        JSON of what it answers for, as in mettle train (default: what the adapter says)
  --device NAME       auto, cpu, wasm, webgpu or cuda (default: auto)
  --threads N         threads of the CPU
  --cache DIR         folder for features of clips, that of the training for example (default: OUT.work/features)
  --cache-gb X        room for them (default: 20)
  --out DIR           the calibrated adapter; must not exist
  --json              print figures alone
  --quiet             print nothing but errors and figures
`;

export const BORDERS_HELP = `Usage
  mettle borders ADAPTER --data DIR --out DIR [options]

Teaches a finished adapter where inside of a second what it hears begins and ends: a small head over the backbone's audio
layers, trained from exact times, and what it does on the validation and test clips. All other graphs and weights stay as
they are. "mettle train" does the same at its end where the data has exact times.

Options
  --data DIR          data with exact times: a folder with an events.csv, of the adapter's classes in its order
  --format NAME       folder (default: told by the names of its tables)
  --backbone ID       id, path or URL (default: that of the adapter); given twice, or as A,B, for pictures and sounds
  --epochs N          passes over the training clips (default: 12)
  --seed N            (default: 1)
  --device NAME       auto, cpu, wasm, webgpu or cuda (default: auto)
  --threads N         threads of the CPU
  --cache DIR         folder for features of clips (default: OUT.work/features)
  --cache-gb X        room for them (default: 20)
  --out DIR           the adapter with its head; must not exist
  --json              print figures alone
  --quiet             print nothing but errors and figures
`;

export const EVAL_HELP = `Usage
  mettle eval ADAPTER DIR [options]

Runs a finished adapter, as it is shipped, on a folder of data and prints the published figures.

Options
  --format NAME       ave, llp, avs-s4, avs-ms3 or folder (default: told by the names of its tables)
  --split NAME        train, val or test (default: test)
  --backbone ID       id, path or URL of the backbone (default: that of the adapter)
  --device NAME       auto, cpu, wasm, webgpu or cuda (default: auto)
  --online            also what it says of each second at its end, as watch does: the figures of online parsing
  --context N         seconds that it remembers then (default: 10)
  --out FILE          write the figures there as JSON too
  --json              print JSON
  --quiet             no progress bar

Where models come from
${HUB_HELP}
`;
