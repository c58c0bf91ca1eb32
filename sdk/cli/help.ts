/** The help texts. */

export const MAIN_HELP = `Mettle Edge tells what happens in a video, when, and where, from picture and sound together. On this device.

Usage
  mettle run FILE... [options]     analyze clips
  mettle info [options]            versions, device and models
  mettle backbone NAME ...         make backbone packages: import, tap

  mettle COMMAND --help            options of a command
  mettle --version
`;

export const RUN_HELP = `Usage
  mettle run FILE... [options]

FILE is a video, a sound file, or a URL of one.

Options
  --tasks LIST        localize, parse, segment, separated by commas (default: all that the adapters can)
  --out DIR           write results.json, events.vtt, masks and report.html there; several FILEs get a folder each in DIR
  --backbone ID       id, path or URL of the backbone (default: nano); given twice, or as A,B, one for pictures and one
                      for sounds
  --adapter ID        id, path or URL of an adapter; may be repeated (default: all shipped ones that fit)
  --device NAME       auto, cpu, wasm or webgpu (default: auto)
  --threads N         threads of the CPU
  --json              print one line of JSON per FILE instead of a timeline
  --quiet             print nothing but errors and JSON
  --verbose           print the stack of an internal fault

Exit codes
  0 done   1 internal fault   2 wrong usage or bad input   130 interrupted
`;

export const INFO_HELP = `Usage
  mettle info [options]

Loads the shipped models and tells which device runs them and why.

Options
  --device NAME       auto, cpu, wasm or webgpu (default: auto)
  --json              print JSON
  --verbose           print the stack of an internal fault
`;
