"""An import that is killed, or loses its database, leaves nothing behind (中断与重来)."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gridgis.config import Settings
from gridgis.services.context import init_city, open_context
from gridgis.services.imports import ImportRequest
from gridgis.services.ingest import case_digest, import_cases
from gridgis.store.cluster import Cluster
from gridgis.store.migrate import WRITER_ROLE

TOY = Path(__file__).resolve().parents[1] / "data" / "toy"
GRIDGIS = Path(sys.executable).with_name("gridgis")
ROWS = 20_000


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """Return a file that takes some seconds to import."""
    header, *rows = (TOY / "cases.csv").read_text(encoding="utf-8").splitlines()
    path = tmp_path_factory.mktemp("big") / "cases.csv"
    lines = [f"{n}-{rows[n % len(rows)]}" for n in range(ROWS)]
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(cluster, toy_template, big):
    """Return digest and seconds of an import that nobody disturbs."""
    name = cluster.clone(toy_template)
    context = open_context(cluster.settings(name))
    started = time.monotonic()
    import_cases(context, big, ImportRequest(crs="wgs84", rejects=big.with_name("r.csv")))
    took = time.monotonic() - started
    digest = case_digest(context)
    context.engine.dispose()
    cluster.drop(name)
    return digest, took


class Run:
    """`gridgis cases import` as a process of its own."""

    def __init__(self, server, context, path):
        database = context.engine.url.database
        self.context, self.rejects = context, path.with_name(f"{database}.csv")
        url = server.url(database, role=WRITER_ROLE)
        environment = os.environ | {"GRIDGIS_DATABASE_URL": url}
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            [GRIDGIS, "cases", "import", path, "--crs", "wgs84", "--rejects", self.rejects],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def backend(self, working_on):
        """Wait until the server works on a statement of the import, and return its process id."""
        for _ in range(3000):
            with self.context.engine.begin() as tx:
                found = tx.exec_driver_sql(
                    "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                    "AND pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE %s",
                    (working_on,),
                ).scalar()
            if found is not None:
                return found
            assert self.process.poll() is None, self.process.communicate()
            time.sleep(0.01)
        pytest.fail(f"the import never came to {working_on!r}")

    def end(self):
        """Wait for the end and return exit status and what was said on stderr."""
        _, error = self.process.communicate(timeout=120)
        return self.process.returncode, error


def count(context):
    """Return the number of cases and of files."""
    with context.engine.begin() as tx:
        return tuple(tx.exec_driver_sql(
            "SELECT (SELECT count(*) FROM core.case_record),"
            " (SELECT count(*) FROM core.import_file)"
        ).one())  # fmt: skip


def test_killed_three_times_and_run_again(toy, cluster, big, undisturbed):
    """SIGKILL at three random moments stores nothing; the next run ends like an undisturbed one."""
    chance = random.Random(20241125)  # noqa: S311 - moments, no secret
    for _ in range(3):
        run = Run(cluster.cluster, toy, big)
        run.backend("%")
        time.sleep(chance.uniform(0, 0.6) * undisturbed[1])
        run.process.send_signal(signal.SIGKILL)
        assert run.end()[0] == -signal.SIGKILL
        assert count(toy) == (0, 0)
        assert not run.rejects.exists()
    run = Run(cluster.cluster, toy, big)
    assert run.end()[0] == 0
    assert case_digest(toy) == undisturbed[0]


@pytest.mark.parametrize("statement", ["COPY%staged_case%", "%INSERT INTO core.case_record%"])
def test_a_server_that_ends_the_connection(statement, toy, cluster, big, undisturbed):
    """Losing the connection while rows are copied or stored is exit 4; running again is enough."""
    run = Run(cluster.cluster, toy, big)
    cluster.admin(f"SELECT pg_terminate_backend({run.backend(statement)})")
    status, error = run.end()
    assert status == 4
    assert "gridgis: the database does not answer" in error
    assert "Traceback" not in error
    assert count(toy) == (0, 0)
    assert Run(cluster.cluster, toy, big).end()[0] == 0
    assert case_digest(toy) == undisturbed[0]


def test_a_server_that_crashes(big, tmp_path):
    """A server process that dies without a word is exit 4 too, and nothing is stored."""
    server = Cluster(tmp_path / "state", durable=False)
    server.start()
    try:
        settings = Settings(data_dir=tmp_path / "state")
        context = init_city(settings, str(TOY / "profile"), database="toy_crash")
        run = Run(server, context, big)
        os.kill(run.backend("COPY%staged_case%"), signal.SIGKILL)
        status, error = run.end()
        context.engine.dispose()
    finally:
        server.remove()
    assert status == 4
    assert "gridgis: the database does not answer" in error
    assert "Traceback" not in error


def test_an_import_that_waits_says_so(toy, tmp_path):
    """While one import is under way the next one tells that it waits; then it goes in."""
    waiting, seen = threading.Event(), []
    request = ImportRequest(crs="wgs84", rejects=tmp_path / "rejects.csv")

    def listen(step, _rows, _total):
        if step == "waiting":
            waiting.set()

    with ThreadPoolExecutor() as pool:

        def hold(step, _rows, _total):
            if step == "storing":
                run = pool.submit(import_cases, toy, TOY / "cases.csv", request, progress=listen)
                seen.extend([run, waiting.wait(10)])

        first = import_cases(toy, TOY / "cases.csv", request, progress=hold)
        second, said = seen
        assert said
        assert (second.result().inserted, second.result().unchanged) == (0, first.inserted)


def test_imports_wait_for_each_other(toy, cluster, big, undisturbed):
    """Two imports of the same file at once: one waits and says so, then finds nothing new."""
    first, second = Run(cluster.cluster, toy, big), Run(cluster.cluster, toy, big)
    (one, _), (two, _) = first.end(), second.end()
    assert (one, two) == (0, 0)
    assert case_digest(toy) == undisturbed[0]
    with toy.engine.begin() as tx:
        changes = tx.exec_driver_sql(
            "SELECT inserted, updated, unchanged FROM core.import_file ORDER BY file_id"
        ).all()
    assert tuple(changes[0])[1:] == (0, 0)
    assert tuple(changes[1])[:2] == (0, 0)
