"""Brings pages from outside docs/ into the site, and points links at the place they have there."""

from __future__ import annotations

import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[1]

#: Files of the repository, and what they are called in the site.
PAGES = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "README.md": "overview.md",
    "SECURITY.md": "security.md",
    "resources/restricted/README.md": "restricted-models.md",
}
FILES = {
    "CITATION.cff": "citation.txt",
    "LICENSE": "license.txt",
    "constraints.txt": "constraints.txt",
    "pyproject.toml": "pyproject.toml",
}

_SITE = {**PAGES, **FILES}
_SOURCE = {site: source for source, site in _SITE.items()}
_LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")


def on_files(files: Files, config: Any) -> Files:
    """Add the files that lie outside docs/."""
    for source, site in _SITE.items():
        files.append(File.generated(config, site, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    """Links as the repository has them, made links as the site has them."""
    source = _SOURCE.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def moved(link: re.Match[str]) -> str:
        target, anchor = link[1], link[2] or ""
        if "://" in target:
            return link[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        site = _SITE.get(path, path.removeprefix("docs/"))
        return f"]({posixpath.relpath(site, posixpath.dirname(page.file.src_uri) or '.')}{anchor})"

    return _LINK.sub(moved, markdown)
