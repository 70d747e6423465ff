"""What a row of the table of file formats says: endings, content, and its functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from src_core.errors import InputError

if TYPE_CHECKING:
    import nibabel as nib
    import numpy as np
    from numpy.typing import NDArray

    from src_core.cases.grid import Grid

    Read = Callable[[Path], tuple[NDArray[Any], Grid]]
    ReadImage = Callable[[Path], tuple[NDArray[Any], Grid | nib.Nifti1Header]]
    WriteImage = Callable[[Path, NDArray[Any], nib.Nifti1Header], None]
    WriteField = Callable[[Path, NDArray[Any], Grid], None]
    ReadShape = Callable[[Path], tuple[tuple[int, ...], np.dtype[Any]]]

__all__ = ["FieldConvention", "FileFormat"]


@dataclass(frozen=True)
class FieldConvention:
    """How a displacement field is written: a choice of ``--field-format``.

    Attributes:
        name: the choice.
        words: which tools read it, in a few words.
        endings: of its files; the first is that of files the engine names.
        write: writes (X, Y, Z, 3), LPS mm, on a grid to a file.
        read: a file in this convention; None where the format's own reader decides.
    """

    name: str
    words: str
    endings: tuple[str, ...]
    write: WriteField
    read: Read | None = None


@dataclass(frozen=True)
class FileFormat:
    """A row of the table.

    Attributes:
        name: what messages call it.
        endings: of its files, lower case.
        read_image: stored values, (X, Y, Z) or (X, Y, Z, T), and their grid, or the header to keep.
        write_image: writes values as ``read_image`` gives them, with the header they have in a
            NIfTI file, of which ``grid_of`` gives the grid.
        read_field: (X, Y, Z, 3), or (X, Y, Z, T, 3) with a field for each frame, in LPS mm.
        conventions: ways to write a field; none where it cannot be written.
        holds_field: whether a file is a field and no image; None where none is.
        holds_folder: whether a folder is an image, of which a file is one slice; None where no
            folder is.
        read_shape: shape and type of an image without its values, for estimates.
        picture: one slice, whose spacing is not in the file.
        extra: of this package, which a reader or writer needs.
    """

    name: str
    endings: tuple[str, ...]
    read_image: ReadImage | None = None
    write_image: WriteImage | None = None
    read_field: Read | None = None
    conventions: tuple[FieldConvention, ...] = ()
    holds_field: Callable[[Path], bool] | None = None
    holds_folder: Callable[[Path], bool] | None = None
    read_shape: ReadShape | None = None
    picture: bool = False
    extra: str = ""

    @contextmanager
    def required(self, path: Path) -> Iterator[None]:
        """Reading or writing a file: a missing package becomes an error that says what to install.

        Raises:
            InputError: a package that the format needs is missing.
        """
        try:
            yield
        except ImportError as error:
            if not self.extra:
                raise
            raise InputError(
                f"this format needs {error.name}, which is not installed",
                where=str(path),
                expected="NIfTI (.nii, .nii.gz) without it",
                do=f"pip install napari-drdm[{self.extra}]",
            ) from error
