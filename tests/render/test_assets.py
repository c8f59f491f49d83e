"""What is shipped: locked, licensed, complete in both languages, and without outside links."""

import json
import re
import runpy
import shutil
import string
from pathlib import Path

import pytest

from gridgis.errors import ConfigError
from maps import vendor
from maps.text import LANGUAGES, words

ROOT = Path(__file__).parents[2]
MAPS = ROOT / "maps"
OWN = [p for p in MAPS.rglob("*") if p.suffix in {".html", ".js", ".css", ".py", ".svg", ".json"}
       and "vendor" not in p.relative_to(MAPS).parts]  # fmt: skip
NAMED = re.compile(r"http://www\.w3\.org/2000/svg|https\?://|://")
"""The namespace of SVG, and patterns that look for addresses."""


def test_every_vendored_file_equals_its_lock():
    """Size, SHA-256 and licence text of every file; nothing unlisted."""
    vendor.check()
    assert {a.package for a in vendor.assets()} == {"maplibre-gl", "leaflet", "jquery"}


@pytest.mark.parametrize("change", ["byte", "missing", "unlisted"])
def test_a_changed_vendored_file_is_named(change, tmp_path, monkeypatch):
    """One byte more, a file less or a file more fails the check."""
    copy = tmp_path / "static"
    shutil.copytree(MAPS / "static", copy)
    monkeypatch.setattr(vendor, "_static", lambda: copy)
    file = copy / "vendor" / vendor.folder("jquery") / "jquery.min.js"
    if change == "byte":
        file.write_bytes(file.read_bytes() + b"\n")
    elif change == "missing":
        file.unlink()
    else:
        file.with_name("more.js").write_text("")
    with pytest.raises(ConfigError, match=r"jquery\.min\.js|more\.js"):
        vendor.check()


def test_notices_are_those_of_the_lock():
    """THIRD_PARTY_NOTICES.md is what tools/vendor.py writes."""
    tool = runpy.run_path(str(ROOT / "tools" / "vendor.py"))
    assert (ROOT / "THIRD_PARTY_NOTICES.md").read_text("utf-8") == tool["notices"]()


@pytest.mark.parametrize("path", OWN, ids=lambda path: str(path.relative_to(MAPS)))
def test_no_own_file_names_another_host(path):
    """Nothing of ours refers to an address outside."""
    text = NAMED.sub("", re.sub(r"^\s*// .*$", "", path.read_text("utf-8"), flags=re.MULTILINE))
    assert not re.findall(r"(?:https?:)?//[\w-]+\.\w+", text)


def test_languages_have_the_same_texts_with_the_same_placeholders():
    """No raw key and no missing number in either language."""
    texts = {lang: words(lang).texts for lang in LANGUAGES}
    keys = {lang: set(found) for lang, found in texts.items()}
    assert keys["zh-CN"] == keys["en"]
    for key in keys["en"]:
        fields = [
            {name for _, name, _, _ in string.Formatter().parse(texts[lang][key]) if name}
            for lang in LANGUAGES
        ]
        assert fields[0] == fields[1], key


def test_every_text_is_used():
    """A text that nothing shows is not kept."""
    source = "\n".join(path.read_text("utf-8") for path in OWN if path.suffix != ".json")
    families = ("month.", "kind.", "rest.", "error.", "legend.title.", "js.status.", "js.layer.",
                "file.level.", "export.", "legend.places.", "open.told.")  # fmt: skip
    unused = [
        key for key in words("en").texts
        if not key.startswith(families)
        and not any(f'"{name}"' in source for name in (key, key.removeprefix("js.")))
    ]  # fmt: skip
    assert unused == []


def test_page_state_is_escaped_json(served):
    """The data block of the page is JSON, and closes no script."""
    html = served.client.get("/map").text
    block = html.split('id="state" data-swap>')[1].split("</script>")[0]
    assert json.loads(block)["month"] == "2024-03"
    assert "<" not in block


def test_vendored_files_are_kept_and_own_ones_asked_again(served):
    """Caching follows the version in the folder; modules are JavaScript; text is gzipped."""
    module = f"/static/vendor/{vendor.folder('maplibre-gl')}/maplibre-gl.mjs"
    answer = served.client.get(module, headers={"Accept-Encoding": "gzip"})
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
    assert answer.headers["content-encoding"] == "gzip"
    plain = served.client.get(module, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == answer.content == vendor.read(module.removeprefix("/static/vendor/"))
    own = served.client.get("/static/app/main.js")
    assert own.headers["cache-control"] == "no-cache"
    again = served.client.get("/static/app/main.js", headers={"If-None-Match": own.headers["etag"]})
    assert again.status_code == 304


def test_home_leads_to_the_map(served):
    """`/` redirects to `/map`, which is never kept without asking."""
    answer = served.client.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/map")
    page = served.client.get("/map")
    assert page.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in page.headers["content-security-policy"]
