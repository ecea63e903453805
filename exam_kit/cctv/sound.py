"""A camera's sound as mp4 can carry it: AAC goes through, G.711 and its kin are made AAC. Never the picture's trouble.

Cameras count sound and picture by clocks of their own and set them against each other now and then (RTCP). AAC made
here is one unbroken count of samples, so where the camera's sound leaps, silence is put in or sound left out until both
agree again.
"""

from __future__ import annotations

import io
from fractions import Fraction
from typing import Any

import av
import av.error
from av.audio.fifo import AudioFifo
from av.audio.resampler import AudioResampler

from exam_kit.cctv.packets import Packet
from exam_kit.cctv.writer import OPTIONS, usable_sound

__all__ = ["SoundTrack", "sound_of"]

RATES = (16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
"""Telephone sound of 8 kHz is written at 16 kHz: a frame of AAC then lasts 64 ms and a cut is twice as fine."""
BITRATE_BPS = 48_000
FRAME = 1024
LEAP_S = 0.1
"""Sound that is this far from where its timestamps say is set right; less is their jitter."""
LONGEST_SILENCE_S = 10.0
GIVE_UP = 200
"""Packets in a row that cannot be decoded, after which the sound is left alone."""


class SoundTrack:
    """Sound that goes into the file as it comes. `template` describes it to the file's writer."""

    def __init__(self, stream: Any) -> None:
        self.template: Any = stream
        self.name: str = stream.codec_context.name
        self._last: int | None = None

    def take(self, packet: Packet) -> list[Packet]:
        """Packets to write for one that came."""
        # What steps back in time would stop the file's writer.
        if packet.pts is None or (self._last is not None and packet.pts <= self._last):
            return []
        self._last = packet.pts
        return [packet]


class TranscodedSound(SoundTrack):
    """Sound that is made AAC here, at most two channels."""

    def __init__(self, stream: Any) -> None:
        """Raises: av.error.FFmpegError, ValueError: it cannot be decoded or made AAC."""
        context = stream.codec_context
        self.name = f"{context.name} → aac"
        self._rate = next((rate for rate in RATES if rate >= context.sample_rate), RATES[-1])
        self._layout = "mono" if context.layout.nb_channels == 1 else "stereo"
        # The encoder of a file that is kept nowhere: its stream is a description for the real ones.
        self._nowhere = av.open(io.BytesIO(), "w", format="mp4", options=OPTIONS)
        self.template = self._encoder = self._nowhere.add_stream("aac", rate=self._rate, layout=self._layout)
        self._encoder.bit_rate = BITRATE_BPS
        self._nowhere.start_encoding()
        self._resampler = AudioResampler("fltp", self._layout, self._rate)
        self._samples = AudioFifo()
        self._start: int | None = None
        """when the first sample is heard, in samples"""
        self._taken = 0
        self._encoded = 0
        self._failed = 0

    def take(self, packet: Packet) -> list[Packet]:
        if packet.pts is None or self._failed >= GIVE_UP:
            return []
        try:
            heard = [piece for frame in packet.decode() for piece in self._resampler.resample(frame)]
            made = self._take(heard, round(packet.pts * packet.time_base * self._rate))
        except (av.error.FFmpegError, ValueError):
            self._failed += 1
            return []
        self._failed = 0
        return made

    def _take(self, heard: list[Any], at: int) -> list[Packet]:
        if self._start is None:
            self._start = at
        away = at - (self._start + self._taken)
        if away < -LEAP_S * self._rate:
            return []  # until its time comes again
        if away > LEAP_S * self._rate:
            self._put(self._silence(min(away, round(LONGEST_SILENCE_S * self._rate))))
            self._start += max(0, away - round(LONGEST_SILENCE_S * self._rate))
        for piece in heard:
            self._put(piece)
        made: list[Packet] = []
        while (block := self._samples.read(FRAME)) is not None:
            block.pts, block.time_base = self._start + self._encoded, Fraction(1, self._rate)
            self._encoded += FRAME
            made += self._encoder.encode(block)
        return made

    def _put(self, piece: Any) -> None:
        piece.pts = None  # the queue would insist on times without leaps
        self._samples.write(piece)
        self._taken += piece.samples

    def _silence(self, samples: int) -> Any:
        import numpy as np  # most cameras are recorded without sound, and need no arrays

        channels = 1 if self._layout == "mono" else 2
        nothing = np.zeros((channels, samples), dtype=np.float32)
        frame = av.AudioFrame.from_ndarray(nothing, format="fltp", layout=self._layout)
        frame.sample_rate = self._rate
        return frame


def sound_of(stream: Any, *, unbroken: bool = False) -> SoundTrack | None:
    """How this audio stream gets into mp4; None when it cannot be made to. `unbroken`: others like it may follow, as
    from file to file, and all have to become one."""
    if not unbroken and usable_sound(stream) and _writable(stream):
        return SoundTrack(stream)
    try:
        return TranscodedSound(stream)
    except (av.error.FFmpegError, ValueError, AttributeError):
        return None  # no decoder, or no sensible rate


def _writable(stream: Any) -> bool:
    """Does a file's head with it come about? One that does not would take the picture with it."""
    try:
        with av.open(io.BytesIO(), "w", format="mp4", options=OPTIONS) as trial:
            trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError):
        return False
    return True
