"""What a page in HTML holds, and whether it asks for anything outside itself."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from html.parser import HTMLParser

from PIL import Image

__all__ = ["PageContent", "content_of"]

_FETCHING = {"src", "href", "data", "action", "srcset", "poster", "background"}


class PageContent(HTMLParser):
    """Tags, text, pictures and addresses of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text: list[str] = []
        self.outside: list[str] = []
        self.pictures: list[Image.Image] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name.startswith("on"):
                self.outside.append(f"{name}={value}")
            if name not in _FETCHING:
                continue
            if tag == "img" and (value or "").startswith("data:image/png;base64,"):
                self.pictures.append(Image.open(io.BytesIO(b64decode((value or "").split(",")[1]))))
            else:
                self.outside.append(f"{name}={value}")

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        self.outside += re.findall(r"url\([^)]*\)|@import[^;]*", data)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self.text).split())


def content_of(page: str) -> PageContent:
    parser = PageContent()
    parser.feed(page)
    parser.close()
    return parser
