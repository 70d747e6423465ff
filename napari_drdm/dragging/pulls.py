"""Points that are pulled or held, and how they came to be. No Qt, no viewer."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Place", "Pull", "PullHistory"]

#: LPS mm.
Place = tuple[float, float, float]


@dataclass(frozen=True)
class Pull:
    """A point of the anatomy and where it is to be, LPS mm.

    Attributes:
        start: where it is in the source.
        seen: where it was in the picture when it was taken.
        end: where it is to be.
    """

    start: Place
    seen: Place
    end: Place

    @property
    def held(self) -> bool:
        """Whether it only stays where it is."""
        return self.end == self.seen

    def to(self, end: Place) -> Pull:
        """The same point, to be elsewhere."""
        return replace(self, end=end)


class PullHistory:
    """The points now, and the way back.

    Attributes:
        pulls: the points now.
    """

    def __init__(self) -> None:
        self.pulls: tuple[Pull, ...] = ()
        self._before: list[tuple[Pull, ...]] = []

    @property
    def undoable(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._before)

    def change(self, pulls: tuple[Pull, ...]) -> bool:
        """Have other points; False where they are the same."""
        if pulls == self.pulls:
            return False
        self._before.append(self.pulls)
        self.pulls = pulls
        return True

    def undo(self) -> bool:
        """Have the points from before the last change; False where there was none."""
        if not self._before:
            return False
        self.pulls = self._before.pop()
        return True

    def forget(self) -> None:
        """Have no points, and no way back."""
        self.pulls, self._before = (), []
