"""Marks values that come from a quick check, so that nobody takes them for the result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lenet_search.look.words import counted

if TYPE_CHECKING:
    import plotly.graph_objects as go


@dataclass(frozen=True)
class Quick:
    """Why values are not yet the result: `mark` for titles, `why` for JSON, `warning` in a sentence; else empty."""

    mark: str = ""
    why: str = ""
    warning: str = ""

    @classmethod
    def check(cls, *reasons: str) -> "Quick":
        """A quick check, for one reason or more; empty ones do not count."""
        why = "; ".join(reason for reason in reasons if reason)
        return cls("quick", why, f"Quick check, not a result: {why}.") if why else cls()

    @classmethod
    def few_seeds(cls, seeds: int, usual: int) -> "Quick":
        """Everything is complete but the number of seeds."""
        if seeds >= usual:
            return cls()
        count = counted(seeds, "seed")
        so = "which does not show how much seeds differ" if seeds == 1 else "so the intervals are wide"
        return cls(count, f"{count} instead of {usual}", f"Only {count} instead of {usual}, {so}.")

    def __bool__(self) -> bool:
        return bool(self.why)

    def title(self, text: str) -> str:
        """A title with the mark: "Slices (quick)"."""
        return f"{text} ({self.mark})" if self.mark else text

    def figure(self, figure: "go.Figure") -> "go.Figure":
        """The figure, with the mark in its title."""
        return figure.update_layout(title_text=self.title(figure.layout.title.text))


def images_left_out(limit: int, images: Mapping[str, Any]) -> str:
    """What `data.limit` means for a result on `images` (`data.Split.describe()`), in words; empty if it uses all."""
    used = images.get("train", 0) + images.get("validation", 0)
    return f"only the first {limit:,} training images were used" if limit and used >= limit else ""
