"""Pages in HTML that need no other file and no network; pictures are inside, text is escaped."""

from __future__ import annotations

import io
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from pathlib import Path

from PIL import Image

from src_core.io.atomic import open_atomically

__all__ = ["html_page", "html_picture", "html_swatch", "html_table", "png_bytes", "save_page"]

_STYLE = """
:root { color-scheme: light; }
body { background: #fff; color: #222; font: 15px/1.45 system-ui, "Segoe UI", Arial, sans-serif;
  margin: 1.6em auto; max-width: 62em; padding: 0 1.2em; }
h1 { font-size: 1.5em; margin: 0 0 .2em; overflow-wrap: anywhere; }
h2 { font-size: 1.1em; margin: 1.3em 0 .4em; }
p { margin: .35em 0; max-width: 52em; }
.notice { border: 1.5px solid #a04000; border-radius: 4px; color: #a04000; display: inline-block;
  font-weight: 600; margin: .4em 0 .6em; padding: .15em .6em; }
.warning { color: #a04000; font-weight: 600; }
.quiet { color: #555; font-size: .9em; }
img { display: block; height: auto; max-width: 100%; }
.columns { align-items: flex-start; display: flex; flex-wrap: wrap; gap: 0 2.5em; }
table { border-collapse: collapse; font-size: .93em; font-variant-numeric: tabular-nums; }
th, td { border-bottom: 1px solid #ddd; padding: .18em .9em .18em 0; text-align: left;
  vertical-align: top; }
thead th { border-bottom: 1.5px solid #777; }
td.number, th.number { text-align: right; }
pre { background: #f6f6f6; border-radius: 4px; font-size: .78em; line-height: 1.35; padding: .7em;
  overflow-wrap: anywhere; white-space: pre-wrap; }
.swatch { border-radius: 2px; display: inline-block; height: .75em; margin-right: .4em;
  width: .75em; }
@media print { body { font-size: 10.5px; margin: 0; max-width: none; padding: 0; }
  pre { font-size: 7px; } }
"""
#: The browser fetches nothing and runs nothing, whatever the text of the page is.
_POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


def html_page(title: str, body: Sequence[str]) -> str:
    """A whole page; ``title`` is text, ``body`` are parts that are HTML already."""
    return "\n".join(
        [
            "<!DOCTYPE html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title>",
            f"<style>{_STYLE}</style>",
            "</head>",
            "<body>",
            *body,
            "</body>",
            "</html>",
            "",
        ]
    )


def html_picture(picture: Image.Image | bytes, words: str, width: int = 0) -> str:
    """A picture, or the bytes of a PNG, inside the page; ``words`` describe it."""
    data = picture if isinstance(picture, bytes) else png_bytes(picture)
    wide = f' width="{width}"' if width else ""
    encoded = b64encode(data).decode("ascii")
    return f'<img src="data:image/png;base64,{encoded}" alt="{escape(words)}"{wide}>'


def html_swatch(colour: str) -> str:
    """A small square of a colour."""
    return f'<span class="swatch" style="background:{escape(colour)}"></span>'


def html_table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: int = 0) -> str:
    """A table of cells that are HTML already; the last ``numbers`` columns are numbers."""
    first = max((len(row) for row in [columns, *rows]), default=0) - numbers
    head = f"<thead>{_row(columns, 'th', first)}</thead>" if any(columns) else ""
    return f"<table>{head}<tbody>{''.join(_row(row, 'td', first) for row in rows)}</tbody></table>"


def png_bytes(picture: Image.Image, note: str = "") -> bytes:
    """A picture as a PNG; ``note`` is written into its description."""
    from PIL.PngImagePlugin import PngInfo

    info, stream = PngInfo(), io.BytesIO()
    if note:
        info.add_text("Description", note)
    picture.save(stream, format="PNG", pnginfo=info)
    return stream.getvalue()


def save_page(path: Path, page: str) -> Path:
    """Write a page, whole or not at all.

    Raises:
        InputError: it cannot be written there.
    """
    with open_atomically(path) as file:
        file.write(page.encode("utf-8"))
    return path


def _row(cells: Sequence[str], kind: str, first_number: int) -> str:
    marks = ('class="number"' if i >= first_number else "" for i in range(len(cells)))
    written = (
        f"<{f'{kind} {mark}'.strip()}>{cell}</{kind}>"
        for mark, cell in zip(marks, cells, strict=True)
    )
    return f"<tr>{''.join(written)}</tr>"
