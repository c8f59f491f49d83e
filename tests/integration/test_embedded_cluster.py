"""The embedded cluster can be killed while it is made (内置数据库)."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gridgis.config import Settings
from gridgis.errors import StoreUnavailable
from gridgis.services import context
from gridgis.store.cluster import Cluster

START = """
import sys
from pathlib import Path
from gridgis.store.cluster import Cluster
Cluster(Path(sys.argv[1]), durable=False).start()
"""


@pytest.fixture
def state(tmp_path):
    """Return the state folder of a cluster that is removed in the end."""
    yield tmp_path / "state"
    Cluster(tmp_path / "state").remove()


def begun(server):
    """Tell whether initdb has written its first file."""
    return server.exists() or any(server._place().data.parent.glob("pg*/PG_VERSION"))


@pytest.mark.parametrize("victim", ["group", "process"])
def test_a_kill_while_the_cluster_is_made_costs_nothing(victim, state):
    """After SIGKILL, with or without initdb, the next start makes a whole cluster."""
    server = Cluster(state, durable=False)
    killed = subprocess.Popen([sys.executable, "-c", START, state], start_new_session=True)  # noqa: S603 - our own program
    while not begun(server):
        assert killed.poll() is None
        time.sleep(0.005)
    (os.killpg if victim == "group" else os.kill)(killed.pid, signal.SIGKILL)
    assert killed.wait() == -signal.SIGKILL
    place = server.start()
    assert server.running()
    assert [path.name for path in place.data.parent.glob("pg*")] == ["pg"]


def test_what_is_in_the_way_of_a_cluster_is_named(state):
    """A folder that holds something else is left alone and named."""
    server = Cluster(state, durable=False)
    data = server._place().data
    data.mkdir(parents=True)
    (data / "photo.jpg").touch()
    with pytest.raises(StoreUnavailable, match="is in the way of a new cluster"):
        server.start()
    assert (data / "photo.jpg").exists()


def torn(path, text):
    """Write half a text and fail, as a full disk does."""
    with path.open("w") as handle:
        handle.write(text[: len(text) // 2])
    raise OSError(28, "disk full")


def test_records_are_written_whole_or_not_at_all(state, monkeypatch):
    """A disk that is full leaves the earlier record of cluster and city, and no torn file."""
    settings = Settings(data_dir=state)
    server = Cluster(state)
    place = server._place()
    context._remember(settings, "first")
    before = sorted(state.iterdir())
    monkeypatch.setattr(Path, "write_text", torn)
    with pytest.raises(OSError, match="disk full"):
        context._remember(settings, "second")
    (state / "cluster.json").rename(state / "kept.json")
    with pytest.raises(OSError, match="disk full"):
        server._place()
    (state / "kept.json").rename(state / "cluster.json")
    assert (context.database_in_use(settings), server._place()) == ("first", place)
    assert sorted(state.iterdir()) == before
