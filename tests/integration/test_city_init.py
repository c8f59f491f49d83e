"""`gridgis city init` checks the geometry of a profile as `boundaries load` does (建库检查)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest

from gridgis.config import Settings
from gridgis.services.context import city_list, open_context
from gridgis.services.regions import grid_versions, read_areas

GRIDGIS = Path(sys.executable).with_name("gridgis")
TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
DATABASE = "city_init"
CELL_LAYER = """
[[layers]]
kind = "cell"
file = "geometry/cells.geojson"
crs = "wgs84"
quality = "surveyed"
"""


@pytest.fixture
def profile(tmp_path):
    """Return a copy of the toy profile."""
    return shutil.copytree(TOY / "profile", tmp_path / "profile")


@pytest.fixture
def gridgis(cluster, tmp_path):
    """Return a function that runs the command on the cluster of this run."""
    environment = {key: value for key, value in os.environ.items() if "GRIDGIS" not in key}
    environment["GRIDGIS_DATA_DIR"] = str(cluster.state_dir)

    def run(*words):
        return subprocess.run(  # noqa: S603 - our own command
            [GRIDGIS, *map(str, words)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    yield run
    cluster.drop(DATABASE)


@pytest.fixture
def init(gridgis, profile):
    """Return a function that sets up a city from the profile."""
    return lambda: gridgis("city", "init", "--profile", profile, "--database", DATABASE)


def edit(path, change):
    """Rewrite a geometry file by a function of its frame."""
    frame = change(gpd.read_file(path))
    path.unlink()
    frame.to_file(path)


def stored(cluster):
    """Return the districts and the versions of the grid that were stored."""
    context = open_context(cluster.settings(DATABASE))
    found = read_areas(context, "district"), grid_versions(context)
    context.engine.dispose()
    return found


def twice(frame):
    """Give the second area the code of the first."""
    return frame.assign(code=[frame["code"][0], *frame["code"][:1], *frame["code"][2:]])


def misnumbered(frame):
    """Give the last area a code that is none."""
    return frame.assign(code=[*frame["code"][:-1], "12345"])


def wider(frame):
    """Let the first area reach into its neighbours."""
    return frame.set_geometry([frame.geometry[0].buffer(0.001), *frame.geometry[1:]])


@pytest.mark.filterwarnings("ignore:Geometry is in a geographic CRS")
@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("district", twice, "repeated code: 990901"),
        ("district", wider, "overlap: 990901"),
        ("street", misnumbered, "bad code: code '12345'"),
    ],
)
def test_a_faulty_layer_of_a_profile_is_refused(init, profile, cluster, kind, change, said):
    """A repeated code, an overlap and a bad code are named; nothing is stored."""
    edit(profile / "geometry" / f"{kind}s.geojson", change)
    done = init()
    assert done.returncode == 2
    assert said in done.stderr
    assert f"{kind}s.geojson: the topology has faults" in done.stderr
    assert stored(cluster)[0].empty


def test_districts_of_a_profile_are_recognised_by_name(init, profile, cluster):
    """A layer without codes takes those of regions.csv, as a loaded file does."""
    path = profile / "geometry" / "districts.geojson"
    edit(path, lambda frame: frame.drop(columns="code"))
    done = init()
    assert done.returncode == 0, done.stderr
    assert stored(cluster)[0]["code"].tolist() == ["990901", "990902", "990903"]


def test_a_faulty_cell_layer_of_a_profile_is_refused(init, profile, cluster):
    """Cells with one code twice are no unit grid; mended, they join the areas."""
    path = profile / "geometry" / "cells.geojson"
    shutil.copy(TOY / "cells.geojson", path)
    toml = profile / "city.toml"
    toml.write_text(toml.read_text(encoding="utf-8") + CELL_LAYER, encoding="utf-8")
    edit(path, twice)
    done = init()
    assert done.returncode == 2
    assert "repeated code: 990901" in done.stderr
    assert not stored(cluster)[1]
    shutil.copy(TOY / "cells.geojson", path)
    assert init().returncode == 0
    (version,) = stored(cluster)[1]
    assert version["cell_count"] == 60


def web_mercator(profile):
    """Let a profile measure in Web Mercator."""
    toml = profile / "city.toml"
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text.replace("EPSG:3067", "EPSG:3857"), encoding="utf-8")
    return toml


def test_a_bad_measuring_crs_makes_no_database(init, profile, cluster):
    """Web Mercator is refused before a database is fixed to it; the right one then works."""
    toml = web_mercator(profile)
    done = init()
    assert done.returncode == 2
    assert "measuring CRS EPSG:3857" in done.stderr
    assert DATABASE not in city_list(Settings(data_dir=cluster.state_dir))
    toml.write_text(toml.read_text(encoding="utf-8").replace("EPSG:3857", "EPSG:3067"))
    assert init().returncode == 0


def test_districts_loaded_later_check_the_measuring_crs(init, gridgis, profile, cluster):
    """A profile without geometry shows a bad measuring CRS when its districts come."""
    toml = web_mercator(profile)
    text = toml.read_text(encoding="utf-8")
    toml.write_text(text[: text.index("[[layers]]")], encoding="utf-8")
    assert init().returncode == 0
    file = profile / "geometry" / "districts.geojson"
    done = gridgis("boundaries", "load", file, "--kind", "district", "--crs", "wgs84")
    assert done.returncode == 2
    assert "measuring CRS EPSG:3857" in done.stderr
    assert stored(cluster)[0].empty
