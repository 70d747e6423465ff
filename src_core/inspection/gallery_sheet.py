"""A gallery as one picture for print: a block for each level, a tile with numbers for each seed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw

from src_core.cases.synthetic import SYNTHETIC
from src_core.drawing.lettering import fitted, line_height, text_width, write
from src_core.drawing.planes import length_unit, orientation_text
from src_core.inspection.gallery import Gallery, GalleryEntry
from src_core.inspection.label_table import change_text, size_word

__all__ = ["caption_numbers", "gallery_sheet", "range_text"]

_INK, _FAINT, _NOTICE = "#222222", "#555555", "#a04000"
_MARGIN, _GAP = 28, 12
#: Width by height that a sheet should have: a page with room for its legend.
_SHAPE = 0.71
#: Lines of label changes under a tile, at most.
_MOST_LINES = 3


def gallery_sheet(gallery: Gallery, columns: int | None = None) -> Image.Image:
    """The sheet; ``columns`` new cases are beside each other, by default as fits a page."""
    layout = _layout(gallery, columns)
    sheet = Image.new("RGB", layout.size, "white")
    y = _head(sheet, gallery, layout, _MARGIN)
    for level in gallery.levels:
        y = _block(sheet, gallery, layout, level, y)
    return sheet


def caption_numbers(entry: GalleryEntry, colours: dict[int, str]) -> list[tuple[str, str]]:
    """Colour and text of each label's change of volume."""
    changes = entry.metrics["label_volume_change"]
    lost = entry.metrics["labels_lost"]
    return [
        (colours.get(int(v), "#999999"), "lost" if int(v) in lost else change_text(change))
        for v, change in changes.items()
    ]


def range_text(entries: Sequence[GalleryEntry], unit: str) -> str:
    """From which to which largest displacement some new cases have."""
    longest = [entry.metrics["max_mm"] for entry in entries]
    return f"largest displacement {min(longest):.1f} to {max(longest):.1f} {unit}"


@dataclass(frozen=True)
class _Layout:
    """Sizes in pixels; ``text`` is the size of letters under tiles."""

    columns: int
    tile: tuple[int, int]
    text: int
    lines: int
    head: int
    size: tuple[int, int]

    @property
    def cell(self) -> tuple[int, int]:
        """Width and height of a tile with its caption."""
        rows = 1 + self.lines
        return self.tile[0], self.tile[1] + rows * line_height(self.text) + 6


def _layout(gallery: Gallery, columns: int | None) -> _Layout:
    seeds = len(gallery.seeds)
    every = [columns] if columns else range(1, seeds + 1)
    layouts = [_with_columns(gallery, min(count, seeds)) for count in every]
    return min(layouts, key=lambda one: _misfit(one, seeds))


def _misfit(layout: _Layout, seeds: int) -> float:
    """How far a sheet is from the shape of a page, with the share of places left empty."""
    places = math.ceil(seeds / layout.columns) * layout.columns
    shape = abs(math.log(layout.size[0] / layout.size[1] / _SHAPE))
    return shape + (places - seeds) / places


def _with_columns(gallery: Gallery, columns: int) -> _Layout:
    tile = gallery.entries[0].picture.size
    text = int(min(max(gallery.strip.side / 11, 12), 26))
    numbers = [caption_numbers(entry, gallery.strip.colours) for entry in gallery.entries]
    needed = max(len(_wrapped(one, tile[0], text)) for one in numbers)
    lines = min(needed, _MOST_LINES)
    width = max(columns * (tile[0] + _GAP) - _GAP, 2 * tile[0], 640) + 2 * _MARGIN
    head = max(tile[1] + line_height(text), 8 * line_height(text)) + 2 * line_height(2 * text)
    one = _Layout(columns, tile, text, lines, head, (width, 0))
    rows = math.ceil(len(gallery.seeds) / columns)
    block = line_height(round(1.3 * text)) + 8 + rows * (one.cell[1] + _GAP)
    height = 2 * _MARGIN + head + len(gallery.levels) * block
    return _Layout(columns, tile, text, lines, head, (width, height))


def _head(sheet: Image.Image, gallery: Gallery, layout: _Layout, y: int) -> int:
    """Title, source and legend; the height at which blocks begin."""
    text, room = layout.text, layout.size[0] - 2 * _MARGIN
    large = round(1.7 * text)
    title = f"{gallery.source.name}: {_count(len(gallery.seeds), 'seed')} at "
    title += f"{'levels' if len(gallery.levels) > 1 else 'level'} {_listed(gallery.levels)}"
    write(sheet, (_MARGIN, y + large), fitted(title, room, large, True), large, _INK, bold=True)
    y += line_height(large) + text
    source = gallery.strip.of_case(gallery.source, letters=True)
    write(sheet, (_MARGIN, y + text), "source", text, _INK, bold=True)
    top = y + line_height(text)
    sheet.paste(source, (_MARGIN, top))
    x = _MARGIN + source.width + 2 * _GAP
    _legend(sheet, gallery, layout, x, top)
    return _MARGIN + layout.head + text


def _legend(sheet: Image.Image, gallery: Gallery, layout: _Layout, x: int, y: int) -> None:
    text, room = layout.text, layout.size[0] - _MARGIN - x
    write(sheet, (x, y + text), fitted(SYNTHETIC, room, text, True), text, _NOTICE, bold=True)
    y += line_height(text)
    lines = [f"Model {gallery.model}. Under each tile: seed, largest displacement"]
    if gallery.strip.colours:
        lines[0] += f", change of each label's {size_word(gallery.source.grid)} in %."
    for paragraph in (*lines, _planes_line(gallery), orientation_text(gallery.source)):
        for line in _paragraph(paragraph, room, text):
            write(sheet, (x, y + text), line, text, _FAINT)
            y += line_height(text)
    labels = [(colour, f"label {value}") for value, colour in gallery.strip.colours.items()]
    _swatches(sheet, labels, (x, y), room, text, 2)


def _block(sheet: Image.Image, gallery: Gallery, layout: _Layout, level: int, y: int) -> int:
    """The tiles of one level; the height at which the next begins."""
    entries = gallery.at_level(level)
    size = round(1.3 * layout.text)
    words, far = f"level {level}", range_text(entries, length_unit(gallery.source))
    write(sheet, (_MARGIN, y + size), words, size, _INK, bold=True)
    after = _MARGIN + text_width(words, size, True) + size
    write(sheet, (after, y + size), far, layout.text, _FAINT)
    y += line_height(size) + 8
    width, height = layout.cell
    for number, entry in enumerate(entries):
        row, column = divmod(number, layout.columns)
        _cell(
            sheet,
            gallery,
            layout,
            entry,
            (_MARGIN + column * (width + _GAP), y + row * (height + _GAP)),
        )
    return y + math.ceil(len(entries) / layout.columns) * (height + _GAP)


def _cell(
    sheet: Image.Image, gallery: Gallery, layout: _Layout, entry: GalleryEntry, at: tuple[int, int]
) -> None:
    (x, y), text, width = at, layout.text, layout.tile[0]
    sheet.paste(entry.picture, at)
    base = y + layout.tile[1] + line_height(text) - text // 4
    seed, far = f"seed {entry.seed}", f"{entry.metrics['max_mm']:.1f} {length_unit(gallery.source)}"
    write(sheet, (x, base), seed, text, _INK, bold=True)
    if text_width(seed, text, True) + text_width(far, text) + text / 2 <= width:
        write(sheet, (x + width, base), far, text, _INK, anchor="rs")
    numbers = caption_numbers(entry, gallery.strip.colours)
    _swatches(sheet, numbers, (x, base + text // 4), width, text, layout.lines)


def _swatches(
    sheet: Image.Image,
    items: Sequence[tuple[str, str]],
    at: tuple[int, int],
    width: int,
    text: int,
    most: int,
) -> None:
    """Coloured squares, each with its text, in as many lines as are allowed."""
    draw = ImageDraw.Draw(sheet)
    y = at[1]
    for line in _wrapped(items, width, text)[:most]:
        x = float(at[0])
        base = y + text
        for colour, words in line:
            draw.rectangle((x, base - 0.72 * text, x + 0.72 * text, base), fill=colour)
            write(sheet, (x + text, base), words, text, _INK)
            x += _item_width(words, text)
        y += line_height(text)


def _wrapped(
    items: Sequence[tuple[str, str]], width: int, text: int
) -> list[list[tuple[str, str]]]:
    lines: list[list[tuple[str, str]]] = []
    left = 0.0
    for item in items:
        needed = _item_width(item[1], text)
        if not lines or needed - 0.45 * text > left:
            lines.append([])
            left = width
        lines[-1].append(item)
        left -= needed
    return lines


def _item_width(words: str, text: int) -> float:
    """Of a square, its text and the gap to the next; as wide as ``+99`` at least."""
    return 1.45 * text + max(text_width(words, text), text_width("+99", text))


def _paragraph(words: str, width: float, text: int) -> list[str]:
    lines = [""]
    for word in words.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, text) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _planes_line(gallery: Gallery) -> str:
    planes, shape = gallery.strip.planes, gallery.source.grid.shape
    where = ", ".join(f"{'xyz'[plane.axis]} = {plane.index}" for plane in planes)
    if len(planes) > 1:
        return f"Shown: planes {where}."
    of = shape[planes[0].axis]
    how = {"shared": "one deformation for all slices", "each": "a deformation for each slice"}
    return f"Shown: slice {where}" + (f" of {of}; {how[gallery.slices]}." if of > 1 else ".")


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(map(str, values))
