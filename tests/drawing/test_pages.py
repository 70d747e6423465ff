"""Pages in HTML: text stays text, and nothing is fetched."""

from __future__ import annotations

from html import escape
from pathlib import Path

from PIL import Image

from src_core.drawing.pages import html_page, html_picture, html_table, png_bytes, save_page
from tests.support.pages import content_of

HARMFUL = '<script src="https://a.b/c.js">"&\'</script>'


def test_a_page_holds_its_pictures_and_escapes_its_title(tmp_path: Path) -> None:
    picture = html_picture(Image.new("RGB", (8, 6), "#204060"), HARMFUL)
    page = html_page(HARMFUL, [picture, html_table(("a", "b"), [(escape(HARMFUL), "1")], 1)])
    found = content_of(save_page(tmp_path / "a.html", page).read_text(encoding="utf-8"))
    assert "script" not in found.tags and found.outside == []
    assert found.pictures[0].size == (8, 6)
    assert found.words.count(HARMFUL) == 2
    assert "default-src 'none'" in page


def test_the_reader_of_pages_notices_what_is_outside() -> None:
    for part in (
        '<img src="a.png">', '<a href="https://a.b">', "<style>a { background: url(x) }</style>",
        '<p onclick="x()">',
    ):  # fmt: skip
        assert content_of(html_page("a", [part])).outside


def test_a_png_carries_its_note() -> None:
    import io

    with Image.open(io.BytesIO(png_bytes(Image.new("RGB", (3, 4)), "a note"))) as picture:
        assert picture.text["Description"] == "a note"
