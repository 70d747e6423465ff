"""The pictures of the tutorial, by a script that uses the window as a person does.

    python tools/screenshots.py [--out docs/images] [--theme light] [--scene cine ...]

Real events on mouse and keyboard. Ends with 1 where the window told of an error on the way. What
the window remembers, and models that are imported, stay in a folder of their own that is removed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path


def main() -> int:
    """Play the scenes; 0 when all went well."""
    chosen = _parser().parse_args()
    room = Path(tempfile.gettempdir()) / "napari-drdm"  # pictures show paths: always the same
    room.mkdir()
    try:
        os.environ["NAPARI_CONFIG"] = str(room / "napari.yaml")
        _stay_in(room)
        errors = _play(chosen, room)
    finally:
        shutil.rmtree(room)
    for error in errors:
        print(f"error: {error}")
    return 1 if errors else 0


def _stay_in(room: Path) -> None:
    """Keep settings and models of the script out of the user's own."""
    from napari_drdm import settings
    from src_core.models import library

    settings.settings_file = lambda: room / "explorer.ini"
    library.user_folder = lambda: room / "models"
    shipped = shutil.copytree(library._shipped_folder(), room / "resources")
    library._shipped_folder = lambda: shipped


def _play(chosen: argparse.Namespace, room: Path) -> list[str]:
    from napari.utils.notifications import notification_manager
    from pictures.moments import LIGHT, SCENES
    from pictures.stage import Stage

    for name in chosen.scene or SCENES:
        with Stage(chosen.out, chosen.theme or ("light" if name in LIGHT else "dark")) as stage:
            SCENES[name](stage, room)
        (room / "explorer.ini").unlink(missing_ok=True)
        shutil.rmtree(room / "models", ignore_errors=True)
    grave = ("error", "warning")
    return [f"{r.severity}: {r.message}" for r in notification_manager.records
            if r.severity.value in grave]  # fmt: skip


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--theme", choices=("dark", "light"), help="of all scenes")
    parser.add_argument("--scene", nargs="*", help="some of them, as moments.py names them")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
