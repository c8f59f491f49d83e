"""The names that a city's files use, and the codes behind them (名称对照)."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gridgis.intake.mapping import header_key as folded

if TYPE_CHECKING:
    from gridgis.model.profile import CityProfile

_SEPARATORS = re.compile(r"[、,，;；/／|]|跨|及|与")
_SUFFIXES = "区县市"
_SHORTENED = 3
"""Letters from which on a name is also known without its 区, 县 or 市."""
_CLOSE = 0.4


@dataclass(frozen=True, slots=True)
class Names:
    """Look-ups of one profile; spaces, case and full width do not count."""

    category: dict[str, str]
    kind: dict[str, str]
    """Subcategory code to component or event."""
    parent: dict[str, str]
    """Subcategory code to category code."""
    source: dict[str, str]
    tier: dict[str, str]
    region: dict[str, str]
    category_names: tuple[str, ...]
    source_names: tuple[str, ...]

    @classmethod
    def of(cls, profile: CityProfile) -> Names:
        """Collect names, aliases and codes of a profile."""
        region: dict[str, str] = {}
        for entry in profile.regions:
            short = entry.name.rstrip(_SUFFIXES) if len(entry.name) >= _SHORTENED else entry.name
            for name in (entry.code, entry.name, entry.name_en, short, *entry.aliases):
                region.setdefault(folded(name), entry.code)
        region.pop("", None)
        return cls(
            category={
                folded(name): c.code
                for c in profile.categories
                for name in (c.name, *c.aliases, c.code)
            },
            kind={c.code: c.kind for c in profile.categories},
            parent={c.code: c.parent_code for c in profile.categories},
            source={
                folded(name): s.code
                for s in profile.sources
                for name in (s.name, s.name_en, *s.aliases, s.code)
                if name
            },
            tier={s.code: s.tier for s in profile.sources},
            region=region,
            category_names=tuple(c.name for c in profile.categories),
            source_names=tuple(s.name for s in profile.sources),
        )

    def find_category(self, text: str) -> str | None:
        """Return the code of a subcategory by any of its names."""
        return self.category.get(folded(text))

    def find_source(self, text: str) -> str | None:
        """Return a source by any of its names."""
        return self.source.get(folded(text))

    def find_region(self, text: str) -> tuple[str | None, bool]:
        """Return the region that a text names, and whether it names two or more (跨区)."""
        if folded(text) in self.region:
            return self.region[folded(text)], False
        parts = [folded(part) for part in _SEPARATORS.split(text) if part.strip()]
        found = {self.region[part] for part in parts if part in self.region}
        if len(found) > 1:
            return None, True
        return (found.pop() if found and len(parts) == 1 else None), False

    def close_categories(self, text: str) -> list[str]:
        """Return the names of the subcategories most like a text."""
        return difflib.get_close_matches(text, self.category_names, n=3, cutoff=_CLOSE)
