"""A gallery as a page that needs no other file, and the folder of both."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from html import escape
from pathlib import Path

from src_core.cases.synthetic import SYNTHETIC
from src_core.drawing.pages import (
    html_page,
    html_picture,
    html_swatch,
    html_table,
    png_bytes,
    save_page,
)
from src_core.drawing.planes import length_unit, orientation_text
from src_core.inspection.gallery import Gallery, GalleryEntry
from src_core.inspection.gallery_sheet import caption_numbers, gallery_sheet, range_text
from src_core.inspection.label_table import change_text, size_word
from src_core.io import open_atomically

__all__ = ["gallery_page", "save_gallery"]

_STYLE = """<style>
body { max-width: 96em; }
.tiles { display: flex; flex-wrap: wrap; gap: 1em .7em; }
figure { margin: 0; }
figcaption { font-size: .85em; font-variant-numeric: tabular-nums; line-height: 1.35; }
figcaption .far { float: right; }
figcaption .change { margin-right: .8em; white-space: nowrap; }
</style>"""


def save_gallery(gallery: Gallery, place: Path, columns: int | None = None) -> None:
    """Write ``gallery.png``, ``gallery.html`` and ``gallery.csv`` into a folder.

    Raises:
        InputError: they cannot be written there.
    """
    with open_atomically(place / "gallery.png") as file:
        file.write(png_bytes(gallery_sheet(gallery, columns), SYNTHETIC))
    save_page(place / "gallery.html", gallery_page(gallery))
    with open_atomically(place / "gallery.csv") as file:
        file.write(_csv(gallery).encode("utf-8"))


def gallery_page(gallery: Gallery) -> str:
    """The page, as HTML."""
    name = gallery.source.name
    source = gallery.strip.of_case(gallery.source, letters=True)
    body = [
        _STYLE,
        f"<h1>{escape(name)}: {len(gallery.seeds)} seeds at levels "
        f"{', '.join(map(str, gallery.levels))}</h1>",
        f'<p class="notice">{SYNTHETIC}</p>',
        f"<figure>{html_picture(source, 'source')}<figcaption><b>source</b></figcaption></figure>",
        f"<p>Model <b>{escape(gallery.model)}</b>. Numbers are the seed, the largest displacement, "
        f"and the change of each label's {size_word(gallery.source.grid)} in %.</p>",
        f"<p>{''.join(_key(gallery))}</p>",
        f'<p class="quiet">{escape(orientation_text(gallery.source))}</p>',
    ]
    for level in gallery.levels:
        entries = gallery.at_level(level)
        body.append(f"<h2>level {level}</h2>")
        body.append(f'<p class="quiet">{range_text(entries, length_unit(gallery.source))}</p>')
        tiles = "".join(_tile(gallery, entry) for entry in entries)
        body.append(f'<div class="tiles">{tiles}</div>')
    body += ["<h2>Numbers</h2>", _table(gallery)]
    return html_page(f"DRDM gallery: {name}", body)


def _key(gallery: Gallery) -> Iterator[str]:
    for value, colour in gallery.strip.colours.items():
        yield f"{html_swatch(colour)}label {value}&emsp;"


def _tile(gallery: Gallery, entry: GalleryEntry) -> str:
    words, unit = f"level {entry.level}, seed {entry.seed}", length_unit(gallery.source)
    changes = "".join(
        f'<span class="change">{html_swatch(colour)}{text}</span>'
        for colour, text in caption_numbers(entry, gallery.strip.colours)
    )
    return (
        f'<figure style="width:{entry.picture.width}px">{html_picture(entry.picture, words)}'
        f"<figcaption><b>seed {entry.seed}</b>"
        f'<span class="far">{entry.metrics["max_mm"]:.1f} {unit}</span><br>{changes}'
        "</figcaption></figure>"
    )


def _table(gallery: Gallery) -> str:
    labels, unit = list(gallery.strip.colours), length_unit(gallery.source)
    columns = ["level", "seed", f"max {unit}", f"mean {unit}", "smallest det J", "certified"]
    columns += [f"label {value}, %" for value in labels]
    rows = []
    for entry in gallery.entries:
        m = entry.metrics
        changes = [change_text(m["label_volume_change"][str(value)]) for value in labels]
        proof = "yes" if m["certified"] else "no"
        far = [f"{m['max_mm']:.2f}", f"{m['mean_mm']:.2f}", f"{m['min_det']:.3f}", proof]
        rows.append([str(entry.level), str(entry.seed), *far, *changes])
    return html_table(columns, rows, numbers=len(columns))


def _csv(gallery: Gallery) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    labels = list(gallery.strip.colours)
    numbers = ("max_mm", "mean_mm", "max_percent", "mean_percent", "min_det", "certified")
    changes = [f"label_{value}_volume_change_percent" for value in labels]
    writer.writerow(["level", "seed", *numbers, *changes])
    for entry in gallery.entries:
        m = entry.metrics
        own = [m["label_volume_change"][str(value)] for value in labels]
        writer.writerow([entry.level, entry.seed, *(m[name] for name in numbers), *own])
    return stream.getvalue()
