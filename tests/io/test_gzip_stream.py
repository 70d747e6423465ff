"""Compressed files: any reader's, the same bytes each time, complete only if nothing failed."""

from __future__ import annotations

import gzip
import io

import numpy as np
import pytest

from src_core.io.gzip_stream import gzip_stream


def packed(pieces: list[bytes], runs_only: bool) -> bytes:
    file = io.BytesIO()
    with gzip_stream(file, runs_only) as stream:
        for piece in pieces:
            stream.write(piece)
    return file.getvalue()


@pytest.mark.parametrize("runs_only", [True, False])
def test_what_is_written_is_read_by_gzip(runs_only: bool) -> None:
    pieces = [np.random.default_rng(0).normal(size=5000).tobytes(), b"", b"\0" * 70_000, b"end"]
    assert gzip.decompress(packed(pieces, runs_only)) == b"".join(pieces)
    assert gzip.decompress(packed([], runs_only)) == b""


def test_the_same_data_are_the_same_bytes() -> None:
    data = [b"abc" * 1000]
    assert packed(data, False) == packed(data, False)


def test_components_that_are_zero_take_no_space() -> None:
    field = np.zeros((50, 40, 3), np.float32)
    field[..., :2] = np.random.default_rng(0).normal(size=(50, 40, 2))
    still = field[..., 2].tobytes()
    assert len(packed([field.tobytes(order="F")], True)) < 0.95 * (field.nbytes - len(still))


def test_a_failure_leaves_an_incomplete_file() -> None:
    file = io.BytesIO()
    with pytest.raises(OSError, match="full"), gzip_stream(file, True) as stream:
        stream.write(b"data" * 1000)
        raise OSError("full")
    with pytest.raises(EOFError):
        gzip.decompress(file.getvalue())
