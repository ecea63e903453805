"""Files in a real Chromium: served with ranges over loopback, opened, sought in, played."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.ui.site import chromium

__all__ = ["not_played"]

PLAY = """async (address) => {
  const film = document.createElement("video");
  film.muted = true; film.src = address; document.body.append(film);
  const until = (name) => new Promise((good, bad) => {
    film.addEventListener(name, good, {once: true});
    film.addEventListener("error", () => bad(film.error.message), {once: true});
    setTimeout(() => bad("no " + name + " within 15 s"), 15000);
  });
  try {
    await until("loadeddata");
    const length = film.duration;
    if (!isFinite(length) || length <= 0) return "length " + length;
    film.currentTime = length / 2;
    await until("seeked");
    const before = film.getVideoPlaybackQuality().totalVideoFrames;
    await film.play();
    await Promise.race([until("ended"), until("timeupdate").then(() => until("timeupdate"))]);
    const shown = film.getVideoPlaybackQuality().totalVideoFrames;
    return film.readyState >= 2 && shown > 0 ? "" : `${shown} frames (${before} before), state ${film.readyState}`;
  } catch (problem) { return String(problem); } finally { film.remove(); }
}"""


@contextmanager
def _served(files: Sequence[Path]) -> Iterator[str]:
    class Ranges(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if not self.path[1:].isdigit():
                self._answer(200, b"<!doctype html><title>films</title>", {"Content-Type": "text/html"})
                return
            content = files[int(self.path[1:])].read_bytes()
            asked = re.match(r"bytes=(\d+)-(\d*)$", self.headers.get("Range", ""))
            first = int(asked[1]) if asked else 0
            last = int(asked[2]) if asked and asked[2] else len(content) - 1
            about = {"Content-Type": "video/mp4", "Accept-Ranges": "bytes"}
            if asked:
                about["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            self._answer(206 if asked else 200, content[first : last + 1], about)

        def _answer(self, code: int, body: bytes, about: dict[str, str]) -> None:
            self.send_response(code)
            for name, value in {**about, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # the browser has seen enough

        def log_message(self, *_words: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Ranges)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def not_played(files: Sequence[Path]) -> list[str]:
    """Open, seek to the middle and play each file; what went wrong, one line a file."""
    wrong = []
    with _served(files) as address, sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(address)
        for number, file in enumerate(files):
            said = page.evaluate(PLAY, f"/{number}")
            if said:
                wrong.append(f"{file.name} in Chromium: {said}")
        browser.close()
    return wrong
