"""What the file of a session says: layers, results and settings; checked when it is read."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from src_core.generation.options import Options

__all__ = [
    "FormRecord",
    "LayerRecord",
    "ModelRecord",
    "PlaceRecord",
    "SearchRecord",
    "SessionRecord",
    "ShapeRecord",
    "VariantRecord",
]

#: A file or folder inside the session's own folder: no root, no drive, nothing above it.
_PART = r"[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*"
InsidePath = Annotated[str, StringConstraints(pattern=rf"^(?:sources|variants)/{_PART}$")]
LayerId = Annotated[str, StringConstraints(pattern=r"^[a-z]+-[0-9]+$")]
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Row = tuple[float, ...]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", protected_namespaces=())


class PlaceRecord(_Record):
    """Where a layer lies, as napari takes it."""

    scale: Row
    translate: Row
    rotate: tuple[Row, ...]
    shear: Row
    affine: tuple[Row, ...]
    units: tuple[str, ...]
    axis_labels: tuple[str, ...]


class ShapeRecord(_Record):
    """One shape: its type, and its corners in the layer's own coordinates."""

    kind: str
    corners: tuple[Row, ...]


class LayerRecord(_Record):
    """An image, labels, or the shapes of a region.

    Attributes:
        file: the user's own file, absolute; None where the session stores the values.
        stored: the file within the session that holds them, None where ``file`` does.
        sha256: of the values, as recipes have it; empty for shapes.
        plane: a single slice, (Y, X).
        look: colours, contrast and the like, by napari's names.
        about: what this package knows of the layer: its affine, names of labels.
    """

    id: LayerId
    kind: Literal["image", "labels", "shapes"]
    name: str
    file: str | None = None
    stored: InsidePath | None = None
    sha256: Digest | Literal[""] = ""
    plane: bool = False
    place: PlaceRecord
    look: dict[str, Any] = Field(default_factory=dict)
    about: dict[str, Any] = Field(default_factory=dict)
    shapes: tuple[ShapeRecord, ...] = ()


class ModelRecord(_Record):
    """A model by its file's digest; name and place help to find it."""

    name: str
    sha256: Digest
    file: str


class VariantRecord(_Record):
    """A result; what it was made from is in the recipe in its folder, with metrics and picture."""

    name: str
    source: LayerId
    labels: LayerId | None = None
    extras: tuple[LayerId, ...] = ()
    model: ModelRecord
    options: Options
    pinned: bool = False
    folder: InsidePath


class SearchRecord(_Record):
    """The search of the section Distribution: seeds wanted, of which label, size and tries."""

    wanted: int
    label: str | None
    low: float
    high: float
    tries: int


class FormRecord(_Record):
    """The explorer's form.

    Attributes:
        settings: what it remembers from one start to the next, by those names.
        targets: as texts.
        sections: titles of those that are open.
        shown: the place among the results of the one on view.
    """

    settings: dict[str, Any]
    image: LayerId | None = None
    labels: LayerId | None = None
    extras: tuple[LayerId, ...] = ()
    region: LayerId | None = None
    model: ModelRecord | None = None
    targets: tuple[str, ...] = ()
    search: SearchRecord | None = None
    sections: tuple[str, ...] = ()
    shown: int | None = None


class SessionRecord(_Record):
    """All of a session, results newest first.

    Attributes:
        software: the version that wrote it.
    """

    format: Literal["napari-drdm session"] = "napari-drdm session"
    version: Literal[1] = 1
    software: str
    layers: tuple[LayerRecord, ...]
    variants: tuple[VariantRecord, ...]
    form: FormRecord

    @model_validator(mode="after")
    def _refers_to_layers_that_it_has(self) -> SessionRecord:
        known = [layer.id for layer in self.layers]
        named = [i for v in self.variants for i in (v.source, v.labels, *v.extras)]
        form = self.form
        named += [form.image, form.labels, *form.extras, form.region]
        missing = {i for i in named if i is not None} - set(known)
        if missing or len(set(known)) < len(known):
            raise ValueError(f"layers are missing or named twice: {sorted(missing)}")
        return self
