"""The random fields by name; ``Schedule.name`` chooses one, wherever fields are drawn."""

from __future__ import annotations

from collections.abc import Callable

from src_core.diffusion.multiscale_field import MultiscaleField
from src_core.diffusion.random_field import RandomField
from src_core.diffusion.release_field import ReleaseField
from src_core.diffusion.schedule import Schedule
from src_core.errors import ArgumentError, InputError

__all__ = ["RANDOM_FIELDS", "random_field", "register_random_field"]

RANDOM_FIELDS: dict[str, Callable[[Schedule], RandomField]] = {
    "diffeomorphic": MultiscaleField,
    "release": ReleaseField,
}


def random_field(schedule: Schedule) -> RandomField:
    """The random field that a schedule names.

    Raises:
        InputError: there is none of that name.
    """
    if schedule.name not in RANDOM_FIELDS:
        raise InputError(
            f"there is no random field called {schedule.name}",
            where="schedule.name",
            expected="one of: " + ", ".join(RANDOM_FIELDS),
        )
    return RANDOM_FIELDS[schedule.name](schedule)


def register_random_field(name: str, made: Callable[[Schedule], RandomField]) -> None:
    """Add a random field from outside this package; to models it is then like any other.

    Raises:
        ArgumentError: the name is taken.
    """
    if name in RANDOM_FIELDS:
        raise ArgumentError(f"register_random_field() 'name' must be new, got {name!r}")
    RANDOM_FIELDS[name] = made
