#!/bin/sh
# Makes the small films of test/fixtures/films with ffmpeg (5.1 or later, with libx264, libx265, libaom, libvpx, libmp3lame, libopus, libvorbis).
# Each lasts 3 s: luma 40, 120 and 200 in its first, second and third second, and a tone of 1 kHz from 1.0 to 1.1 s.
set -eu
cd "$(dirname "$0")/../fixtures/films"
picture="color=black:s=64x48:r=10:d=3,geq=lum='40+80*floor(T)':cb=128:cr=128"
sound="aevalsrc='if(between(t,1,1.1),0.8*sin(2*PI*1000*t),0)':s=48000:d=3"
make() { ffmpeg -v error -y -fflags +bitexact -f lavfi -i "$picture" -f lavfi -i "$sound" -map_metadata -1 -flags +bitexact "$@"; }
h264="-c:v libx264 -g 15 -pix_fmt yuv420p -x264-params info=0 -c:a aac -b:a 48k"
vp8="-c:v libvpx -b:v 60k -g 15 -c:a libopus -b:a 24k"
make $h264 film.mp4
make $h264 film.mkv
make $h264 -f mpegts film.mpegts
make $h264 -output_ts_offset 36000 -f mpegts late.mpegts
make $h264 -c:a pcm_s16le -ar 8000 film.mov
make $vp8 film.webm
make $vp8 -output_ts_offset 5 late.webm
# No index, clusters without a key frame.
make $vp8 -g 1000 -cluster_time_limit 400 -live 1 -f matroska - > unindexed.mkv
make -c:v libvpx-vp9 -b:v 60k -g 15 -an vp9.mp4
make -c:v libaom-av1 -cpu-used 8 -b:v 60k -g 15 -an av1.mp4
make -c:v libx265 -x265-params log-level=none:info=0 -g 15 -tag:v hvc1 -an hevc.mp4
# The stream marked as the default one is MPEG-4 part 2, which nobody decodes here; the other is H.264.
make -map 0 -map 1 -map 0 -c:v:0 mpeg4 -c:v:1 libx264 -g 15 -x264-params info=0 -c:a aac -b:a 48k -disposition:v:0 default two-pictures.mp4
make -map 1 -vn -c:a libmp3lame -b:a 48k sound.mp3
make -map 1 -vn -c:a aac -b:a 48k sound.aac
make -map 1 -vn -c:a aac -b:a 48k sound.mka
make -map 1 -vn -c:a libvorbis -b:a 48k sound.ogg
make -map 1 -vn -c:a flac sound.flac
make -map 1 -vn -c:a pcm_u8 -ar 8000 sound.wav
make -map 1 -vn -c:a adpcm_ima_wav -ar 8000 adpcm.wav
# More channels than a frame of FFmpeg has places for; all but the last one are silent.
ffmpeg -v error -y -fflags +bitexact -f lavfi -i "$(echo "$sound" | sed "s/'/'0|0|0|0|0|0|0|0|0|0|/")" -map_metadata -1 -flags +bitexact \
  -c:a libopus -mapping_family 255 -b:a 44k channels.mka
# The second piece of a stream in pieces: bare, and with the head that belongs to it.
pieces=$(mktemp -d)
make $h264 -g 10 -f hls -hls_time 1 -hls_segment_type fmp4 -hls_list_size 0 -hls_segment_filename "$pieces/%d.m4s" "$pieces/list.m3u8"
cp "$pieces/1.m4s" piece.m4s
cat "$pieces/init.mp4" "$pieces/1.m4s" > piece.mp4
rm -r "$pieces"
