"""Sealing an encrypted copy: the inner bag is sealed as any other, then the index, then the outer bag around both."""

from __future__ import annotations

from exam_kit.archive.age_sink import EncryptingSink
from exam_kit.archive.bag import Listed, seal_lists, write_proved
from exam_kit.archive.encrypted import INDEX, index_text, info_text
from exam_kit.store.keys import SigningKey

__all__ = ["seal_encrypted"]


def seal_encrypted(sink: EncryptingSink, bag: str, copy: int, key: SigningKey, journal: bytes) -> str:
    """Seal what `sink` accepted as the encrypted form of the inner bag called `bag`; the outer bag's hash."""
    write_proved(sink, INDEX, [index_text(bag, sink.accepted)])
    payload = []
    for path, name in sink.accepted.items():
        lies = sink.lies(path)
        payload.append(Listed(name, lies.sha256, lies.bytes))
    return seal_lists(sink.folder, info_text(payload, copy), payload, [], key, journal)
