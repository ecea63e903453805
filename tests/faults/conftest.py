"""A real Swift for the tests of stores."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.s3.servers import KeepingSwift, Swift


@pytest.fixture(scope="module")
def swift(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Swift]:
    """One that keeps the SHA-256 it was given, as S3 does; started for a module."""
    folder = tmp_path_factory.mktemp("swift")
    try:
        os.setxattr(folder, "user.try", b"1")
    except OSError:
        pytest.skip("the temporary folder's file system keeps no extended attributes, which Swift needs")
    with KeepingSwift(folder) as server:
        assert isinstance(server, Swift)
        yield server
