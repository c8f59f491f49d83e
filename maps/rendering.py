"""Templates: autoescaped, and an unknown name in one is an error (模板)."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from maps.text import Words


def render(name: str, say: Words, **values: object) -> str:
    """Return a template of `maps/templates` filled with values, in the language of the words."""
    return _templates().get_template(name).render(**values, t=say, lang=say.language)


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("maps"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
