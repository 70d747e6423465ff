"""What a row of the table of file formats says: endings, content, and its functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src_core.errors import InputError

if TYPE_CHECKING:
    import nibabel as nib
    import numpy as np
    from numpy.typing import NDArray

    from src_core.cases.grid import Grid
    from src_core.cases.point_set import Axes, PointKind, PointSet
    from src_core.io.headers import Header

    Read = Callable[[Path], tuple[NDArray[Any], Grid]]
    ReadImage = Callable[[Path], tuple[NDArray[Any], Grid | nib.Nifti1Header]]
    WriteImage = Callable[[Path, NDArray[Any], nib.Nifti1Header], None]
    WriteField = Callable[..., None]
    ReadShape = Callable[[Path], tuple[tuple[int, ...], np.dtype[Any]]]
    ReadPoints = Callable[[Path, Axes | None], PointSet]
    WritePoints = Callable[[Path, PointSet], None]

__all__ = ["FieldConvention", "FileFormat", "PointFormat"]


@dataclass(frozen=True)
class FieldConvention:
    """How a displacement field is written: a choice of ``--field-format``.

    Attributes:
        name: the choice.
        words: which tools read it, in a few words.
        endings: of its files; the first is that of files the engine names.
        write: ``write(path, u, grid)`` writes (X, Y, Z, 3), LPS mm, on a grid to a file.
        kind: of the fields written, of ``src_core.io.field_kinds``; empty where files say
            themselves what they are.
        described: ``write`` takes words for the file's own description as a fourth argument.
    """

    name: str
    words: str
    endings: tuple[str, ...]
    write: WriteField
    kind: str = ""
    described: bool = False


@dataclass(frozen=True)
class FileFormat:
    """A row of the table.

    Attributes:
        name: what messages call it.
        endings: of its files, lower case.
        read_image: stored values, (X, Y, Z) or (X, Y, Z, T), and their grid, or the header to keep.
        write_image: writes values as ``read_image`` gives them, with the header they have in a
            NIfTI file, of which ``grid_of`` gives the grid.
        read_field: (X, Y, Z, 3), or (X, Y, Z, T, 3) with a field for each frame: in LPS mm, or
            as stored where there is a ``header``.
        header: what a file's header says of its values, from which their kind is decided.
        conventions: ways to write a field; none where it cannot be written.
        holds_field: whether a file is a field and no image, where there is no ``header``.
        holds_folder: whether a folder is an image, of which a file is one slice; None where no
            folder is.
        read_shape: shape and type of an image without its values, for estimates.
        check: refuses a damaged file that its library would read as something.
        picture: one slice, whose spacing is not in the file.
        extra: of this package, which a reader or writer needs.
    """

    name: str
    endings: tuple[str, ...]
    read_image: ReadImage | None = None
    write_image: WriteImage | None = None
    read_field: Read | None = None
    conventions: tuple[FieldConvention, ...] = ()
    header: Callable[[Path], Header] | None = None
    holds_field: Callable[[Path], bool] | None = None
    holds_folder: Callable[[Path], bool] | None = None
    read_shape: ReadShape | None = None
    check: Callable[[Path], None] | None = None
    picture: bool = False
    extra: str = ""

    def required(self, path: Path) -> AbstractContextManager[None]:
        """Reading or writing a file: a missing package becomes an error that says what to install.

        Raises:
            InputError: a package that the format needs is missing.
        """
        return _required(path, self.extra, "NIfTI (.nii, .nii.gz)")


@dataclass(frozen=True)
class PointFormat:
    """A row of the table of landmarks and surfaces.

    Attributes:
        name: what messages call it.
        kind: what its files hold.
        endings: of its files, lower case.
        read: the points, with axes for a file that does not state any.
        write: the file that points came from with other coordinates.
        extra: of this package, which it needs.
    """

    name: str
    kind: PointKind
    endings: tuple[str, ...]
    read: ReadPoints
    write: WritePoints
    extra: str = ""

    def required(self, path: Path) -> AbstractContextManager[None]:
        """As ``FileFormat.required``."""
        return _required(path, self.extra, "landmarks (.csv)")


@contextmanager
def _required(path: Path, extra: str, instead: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        if not extra:
            raise
        raise InputError(
            f"this format needs {error.name}, which is not installed",
            where=str(path),
            expected=f"{instead} without it",
            do=f"pip install napari-drdm[{extra}]",
        ) from error
