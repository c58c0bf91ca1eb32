/** Cues of a WebVTT text as the browser reads them. */
export async function cuesOf(text: string): Promise<VTTCue[]> {
  const video = document.createElement('video');
  const track = document.createElement('track');
  track.src = URL.createObjectURL(new Blob([text], { type: 'text/vtt' }));
  track.default = true;
  video.append(track);
  document.body.append(video);
  track.track.mode = 'hidden';
  await new Promise((resolve, reject) => {
    track.onload = resolve;
    track.onerror = reject;
  });
  const cues = [...track.track.cues!] as VTTCue[];
  video.remove();
  return cues;
}
