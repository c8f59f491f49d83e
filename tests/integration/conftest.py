"""The demo city with its last two months and their ledger, imported once for all tests of it."""

import pytest

from gridgis.cli.layers import load_layers, make_profile_cells
from gridgis.config import Settings
from gridgis.demo import write_demo
from gridgis.services.context import init_city
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import import_file


@pytest.fixture(scope="session")
def kunming(cluster, tmp_path_factory):
    """Return the demo city by the public way, its manifest and what became of each file."""
    settings = Settings(data_dir=cluster.state_dir)
    context = init_city(settings, "kunming", database="kunming_session")
    profile = context.profile()
    load_layers(context, profile)
    make_profile_cells(context, profile)
    folder = tmp_path_factory.mktemp("ledger")
    manifest = write_demo(profile, folder, months=2)
    results = {}
    for entry in manifest.files:
        request = ImportRequest(
            crs=entry.crs or None,
            kind=entry.kind,
            mapping=entry.mapping or None,
            synthetic=True,
            rejects=folder / f"{entry.path}.rejects.csv",
        )
        results[entry.path] = import_file(context, folder / entry.path, request)
    yield context, manifest, results
    context.engine.dispose()
    cluster.drop("kunming_session")
