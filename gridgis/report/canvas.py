"""
What charts and maps share: the Chinese font, the canvas, the picture (绘图).

Equal input gives equal bytes. Nothing is fetched: the font is the system's Noto Sans CJK.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

import matplotlib as mpl
import numpy as np
from matplotlib import font_manager
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ft2font import FT2Font
from PIL import Image

from gridgis.errors import MissingExtra
from gridgis.report.plain import clean

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.font_manager import FontPath

SANS, SERIF = "Noto Sans CJK SC", "Noto Serif CJK SC"
WIDTH_IN = 156 / 25.4
"""Width of the text block of an official A4 document."""
CSS_DPI = 96
INK, QUIET, EDGE, ALARM = "#17222d", "#55636f", "#595959", "#b00020"
EXACT_COLOURS = 16
INVISIBLE = {"Cc", "Cf", "Zs", "Zl", "Zp"}
"""Categories of characters that need no glyph."""
GETA = "〓"
"""What Chinese printers set for a character that they do not have (空铅)."""

_RC: Any = {
    "font.family": [SANS],
    "font.size": 9.0,
    "text.color": INK,
    "text.parse_math": False,
    "axes.unicode_minus": False,
    "axes.edgecolor": EDGE,
    "axes.labelcolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#dde3e7",
    "grid.linewidth": 0.6,
    "hatch.linewidth": 0.5,
    "xtick.color": EDGE,
    "ytick.color": EDGE,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "legend.frameon": False,
}
_DRAWING = Lock()
"""Matplotlib's settings belong to the process."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart or map: a PNG of twice as many pixels as its place on screen has (图片)."""

    png: bytes
    width: int
    """In CSS pixels."""
    height: int
    alt: str
    """What it shows, for those who do not see it."""


def drawn(draw: Callable[[Figure], None], *, height_in: float, alt: str) -> Picture:
    """
    Return the picture that a function draws on an empty figure of the text block's width.

    Raises
    ------
    MissingExtra
        If there is no Chinese font: boxes in place of characters are never drawn.
    """
    font_path(SANS)
    with _DRAWING, mpl.rc_context(_RC):
        figure = Figure(figsize=(WIDTH_IN, height_in), dpi=2 * CSS_DPI, facecolor="white")
        canvas = FigureCanvasAgg(figure)
        draw(figure)
        canvas.draw()  # type: ignore[no-untyped-call]
        shades = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
        pixels = Image.fromarray(shades).convert("RGB")
    content = BytesIO()
    _of_few_colours(pixels).save(content, "PNG", compress_level=9)
    return Picture(
        content.getvalue(), round(WIDTH_IN * CSS_DPI), round(height_in * CSS_DPI), clean(alt)
    )


def _of_few_colours(pixels: Image.Image) -> Image.Image:
    """Return a picture of 256 colours, a quarter as large; those of areas stay exact."""
    few = pixels.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    palette = few.getpalette() or []
    red, green, blue = (np.asarray(band, dtype=np.int32).ravel() for band in pixels.split())
    shades, numbers = (red << 16) | (green << 8) | blue, np.asarray(few).ravel()
    found = sorted(pixels.getcolors(pixels.width * pixels.height) or [])
    for _, shade in found[-EXACT_COLOURS:]:
        r, g, b = cast("tuple[int, int, int]", shade)
        number = int(numbers[np.argmax(shades == (r << 16 | g << 8 | b))])
        palette[3 * number : 3 * number + 3] = [r, g, b]
    few.putpalette(palette)
    return few


def drawable(text: str) -> str:
    """Return a text on one line in which the font of the drawings has every character."""
    seen = "".join(char for char in clean(text) if unicodedata.category(char) != "Cf")
    return known_characters(" ".join(seen.split()), SANS)


def known_characters(text: str, *families: str) -> str:
    """Return a text with a geta mark for each character that none of the fonts has."""
    known = frozenset().union(*map(characters, families))
    strange = [
        char
        for char in set(text)
        if ord(char) not in known and unicodedata.category(char) not in INVISIBLE
    ]
    return text.translate(dict.fromkeys(map(ord, strange), GETA))


def shortened(text: str, most: int) -> str:
    """Return a drawable text of at most so many characters, with an ellipsis if it is cut."""
    whole = drawable(text)
    return whole if len(whole) <= most else f"{whole[: most - 1]}…"


@cache
def characters(family: str) -> frozenset[int]:
    """Return the code points of a font."""
    return frozenset(FT2Font(font_path(family)).get_charmap())


@cache
def font_path(family: str) -> FontPath:
    """
    Return where the system keeps a font.

    Raises
    ------
    MissingExtra
        If it is not installed.
    """
    try:
        return font_manager.fontManager.findfont(family, fallback_to_default=False)
    except ValueError as error:
        raise MissingExtra(
            f"font {family!r} is missing: sudo apt-get install fonts-noto-cjk"
        ) from error
