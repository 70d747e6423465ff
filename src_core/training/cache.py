"""Fitted images in memory up to a limit; beyond it, in a file that is mapped instead of read."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from src_core.errors import InputError, OptionName, Phrase
from src_core.io.atomic import partial_name

__all__ = ["ImageCache"]


class ImageCache:
    """Collects images of one shape, uint8; a context manager that leaves nothing half-written.

    Args:
        limit: bytes of images kept in memory.
        file: where they go beyond that; the folder is made then.
    """

    def __init__(self, limit: float, file: Path) -> None:
        self.limit, self.file = limit, file
        self._kept: list[Tensor] = []
        self._count = 0
        self._stream: BinaryIO | None = None
        self._partial = file.with_name(partial_name(file.name))
        self._made_folder = False

    def __enter__(self) -> ImageCache:
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            self._stream.close()
            with suppress(OSError):
                self._partial.unlink()
        if self._made_folder:
            with suppress(OSError):
                self.file.parent.rmdir()

    def add(self, image: Tensor) -> None:
        """Keep an image (1, 1, *size), uint8."""
        self._kept.append(image)
        self._count += 1
        if self._stream is not None or self._count * image.numel() > self.limit:
            self._spill()

    def images(self) -> Tensor:
        """All of them: (N, 1, *size), uint8, in memory or mapped from the file."""
        if self._stream is None:
            return torch.cat(self._kept)
        self._stream.close()
        self._stream = None
        os.replace(self._partial, self.file)
        count = self._count * self._shape.numel()
        mapped = torch.from_file(str(self.file), size=count, dtype=torch.uint8)
        return mapped.view(self._count, *self._shape[1:])

    def _spill(self) -> None:
        try:
            if self._stream is None:
                self._made_folder = not self.file.parent.exists()
                self.file.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self._partial.open("xb")
            for image in self._kept:
                self._stream.write(image.contiguous().numpy().data)
        except OSError as error:
            raise InputError(
                f"the images do not fit into memory and cannot be written ({error.strerror})",
                where=str(self.file),
                do=Phrase("allow more ", OptionName("memory"), ", or choose another folder"),
            ) from error
        self._shape = self._kept[-1].shape
        self._kept.clear()
