"""NIfTI files voxel for voxel: stored values, header as it is, the same bytes every time.

Nothing is scaled on the way, and nothing is allocated that the file cannot hold.
"""

from __future__ import annotations

import gzip
import io
import math
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, cast

import nibabel as nib
import numpy as np
from nibabel.spatialimages import HeaderDataError
from numpy.typing import NDArray

from src_core.cases.checks import check_type
from src_core.errors import InputError
from src_core.io.atomic import open_atomically
from src_core.io.formats import NIFTI, format_named, listed
from src_core.io.gzip_stream import GzipStream, gzip_stream

__all__ = ["MAX_BYTES", "MOST_PACKED", "read_header", "read_nifti", "read_shape", "write_nifti"]

MAX_BYTES = 8 << 30
#: Bytes that deflate packs into one, at most.
MOST_PACKED = 1032
_CHUNK = 16 << 20
_EXTENSIONS = 1 << 20
_GZIP_MAGIC = b"\x1f\x8b"
_FORMATS: dict[int, tuple[type[Any], bytes, slice]] = {
    348: (nib.Nifti1Header, b"n+1\0", slice(344, 348)),
    540: (nib.Nifti2Header, b"n+2\0", slice(4, 8)),
}


def read_nifti(path: str | Path) -> tuple[NDArray[Any], nib.Nifti1Header]:
    """Stored values, of the header's own shape and in native byte order, and the header.

    Raises:
        InputError: no such file, not a NIfTI file, damaged, larger than it can be or than 8 GiB,
            or not real numbers.
    """
    with _opened(Path(path)) as (stream, at_most):
        return _read(stream, Path(path), at_most)


def read_header(path: str | Path) -> nib.Nifti1Header:
    """The header alone, with its extensions.

    Raises:
        InputError: no such file, or not a NIfTI file.
    """
    with _opened(Path(path)) as (stream, _):
        header, blob = _read_header(stream, Path(path))
        offset = min(float(np.nan_to_num(header["vox_offset"])), _EXTENSIONS)
        blob += stream.read(max(0, int(offset) - len(blob)))
        _read_extensions(header, bytes(blob[header.sizeof_hdr : max(0, int(offset))]))
        return header


def read_shape(path: str | Path) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """Shape and stored type of an image, from its header.

    Raises:
        InputError: no such file, or not a NIfTI file.
    """
    dtype, shape = _layout(read_header(path), Path(path))
    return shape, dtype


def write_nifti(path: str | Path, data: NDArray[Any], header: nib.Nifti1Header) -> None:
    """Write values in the header's type and byte order behind the header as it is.

    Raises:
        InputError: it cannot be written, or the name is not .nii or .nii.gz.
    """
    if format_named(path) is not NIFTI:
        raise InputError(
            "the name has no known ending", where=str(path), expected=" or ".join(NIFTI.endings)
        )
    with open_atomically(path) as file:
        if str(path).lower().endswith(".gz"):
            with gzip_stream(file, runs_only=header.get_data_dtype().kind == "f") as stream:
                _write(stream, data, header)
        else:
            _write(file, data, header)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], int]]:
    """The file's bytes, unpacked, and how many there are at most; errors become one line."""
    try:
        with path.open("rb") as file:
            compressed = file.peek(2)[:2] == _GZIP_MAGIC
            stream = cast("IO[bytes]", gzip.GzipFile(fileobj=file)) if compressed else file
            yield stream, path.stat().st_size * (MOST_PACKED if compressed else 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged("the compressed data end early or are damaged", path) from error
    except FileNotFoundError as error:
        raise InputError(
            "no such file", where=str(path), expected="an image file", do="check the path"
        ) from error
    except OSError as error:
        folder = path.is_dir()
        raise InputError(
            "this is a folder" if folder else f"the file cannot be read ({error.strerror})",
            where=str(path),
            expected="an image file" if folder else "a readable file",
            do="name a file in it" if folder else "check its permissions",
        ) from error


def _read_checksum(stream: IO[bytes]) -> None:
    """Reach the checksum of compressed data; what follows is ignored, as gzip does."""
    try:
        stream.read(_CHUNK)
    except gzip.BadGzipFile as error:
        if not str(error).startswith("Not a gzipped file"):
            raise


def _read(stream: IO[bytes], path: Path, at_most: int) -> tuple[NDArray[Any], nib.Nifti1Header]:
    header, blob = _read_header(stream, path)
    dtype, shape = _layout(header, path)
    offset, size = int(header["vox_offset"]), dtype.itemsize * math.prod(shape)
    _check_size(offset + size, at_most, path)
    while len(blob) < offset + size:
        chunk = stream.read(min(_CHUNK, offset + size - len(blob)))
        if not chunk:
            raise _damaged(f"the file ends {offset + size - len(blob)} bytes early", path)
        blob += chunk
    _read_checksum(stream)
    _read_extensions(header, bytes(blob[header.sizeof_hdr : offset]))
    data = np.frombuffer(blob, dtype, math.prod(shape), offset).reshape(shape, order="F")
    native = data.astype(dtype.newbyteorder("="), copy=False)
    return np.require(native, requirements=["ALIGNED"]), header


def _read_header(stream: IO[bytes], path: Path) -> tuple[nib.Nifti1Header, bytearray]:
    blob = bytearray(stream.read(540))
    for order, endianness in (("little", "<"), ("big", ">")):
        size = int.from_bytes(blob[:4], order)  # type: ignore[arg-type]
        if size not in _FORMATS or len(blob) < size:
            continue
        kind, magic, place = _FORMATS[size]
        if blob[place] == magic:
            return kind(bytes(blob[:size]), endianness=endianness, check=False), blob
    raise InputError(
        "the file is empty" if not blob else "this is not a NIfTI file",
        where=str(path),
        expected=listed(),
        do=f"export the image as {NIFTI.endings[0]}",
    )


def _layout(header: nib.Nifti1Header, path: Path) -> tuple[np.dtype[Any], tuple[int, ...]]:
    axes = int(header["dim"][0])
    shape = tuple(int(n) for n in header["dim"][1 : axes + 1])
    if not 1 <= axes <= 7 or min(shape) < 1:
        raise InputError(
            f"the header says {axes} axes of {' x '.join(map(str, shape))} voxels",
            where=str(path),
            expected="1 to 7 axes of at least one voxel",
            do="export the image again",
        )
    if not np.isfinite(header["vox_offset"]) or header["vox_offset"] < header.single_vox_offset:
        header["vox_offset"] = header.single_vox_offset
    try:
        dtype = np.dtype(header.get_data_dtype())
    except (KeyError, HeaderDataError) as error:
        raise _damaged(f"the header says data type {int(header['datatype'])}", path) from error
    check_type(dtype, str(path))
    return dtype, shape


def _check_size(needed: int, at_most: int, path: Path) -> None:
    if needed > at_most:
        raise _damaged(f"the header promises {needed} bytes, more than the file can hold", path)
    if needed > MAX_BYTES:
        raise InputError(
            f"the image takes {needed} bytes",
            where=str(path),
            expected=f"at most {MAX_BYTES >> 30} GiB",
            do="crop or split it",
        )


def _read_extensions(header: nib.Nifti1Header, raw: bytes) -> None:
    if len(raw) < 16 or not raw[0]:
        return
    swapped = header.endianness != nib.Nifti1Header().endianness
    parser: Any = header.exts_klass
    with warnings.catch_warnings(), suppress(Exception):  # its parsers raise whatever they meet
        warnings.simplefilter("ignore")
        header.extensions = parser.from_fileobj(io.BytesIO(raw[4:]), len(raw) - 4, swapped)


def _write(stream: IO[bytes] | GzipStream, data: NDArray[Any], header: nib.Nifti1Header) -> None:
    needed = header.single_vox_offset + header.extensions.get_sizeondisk()
    if header["vox_offset"] < needed:
        header = header.copy()
        header["vox_offset"] = needed
    front = io.BytesIO()
    header.write_to(front)
    stream.write(front.getvalue().ljust(int(header["vox_offset"]), b"\0"))
    for part in _pieces(data):
        stream.write(part.astype(header.get_data_dtype(), copy=False).tobytes(order="F"))


def _pieces(data: NDArray[Any]) -> Iterator[NDArray[Any]]:
    """An array in the order of the file, whole, or by its last axes where it is large."""
    if data.nbytes <= _CHUNK or data.ndim < 2:
        yield data
    else:
        for one in range(data.shape[-1]):
            yield from _pieces(data[..., one])


def _damaged(what: str, path: Path) -> InputError:
    return InputError(
        what, where=str(path), expected="a complete NIfTI file", do="copy or export it again"
    )
