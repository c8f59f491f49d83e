"""
The embedded default: a private PostGIS cluster on a unix socket (内置数据库).

Debian's PostgreSQL and PostGIS packages, a cluster of our own, no TCP, no system service. The
server never runs as root; as root the tools drop to the unprivileged user `postgres`.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import socket
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from gridgis.errors import MissingExtra, StoreUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import IO

BOOTSTRAP_ROLE = "gridgis"
SERVER_USER = "postgres"
SYSTEM_ROOT = Path("/var/lib/gridgis")
SYSTEM_LIBRARY = Path("/usr/lib/postgresql")
SYSTEM_SHARE = Path("/usr/share/postgresql")
SOCKET_LIMIT = 107
START_TIMEOUT_S = 30
PORT = 5432

_SERVER_SETTINGS = {
    "listen_addresses": "''",
    "jit": "off",
    "timezone": "UTC",
    "shared_preload_libraries": "''",
    "shared_buffers": "256MB",
    "work_mem": "32MB",
    "maintenance_work_mem": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "60",
}


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installed PostgreSQL that has PostGIS."""

    major: int
    folder: Path

    def __call__(self, name: str) -> str:
        """Return the path of one program."""
        return str(self.folder / name)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a cluster lives."""

    data: Path
    socket: Path


def find_binaries() -> Binaries:
    """
    Return the newest PostgreSQL with PostGIS on this machine.

    Raises
    ------
    MissingExtra
        If none is installed; the message holds the line that installs it.
    """
    found = [
        Binaries(int(folder.name), folder / "bin")
        for folder in SYSTEM_LIBRARY.glob("*")
        if folder.name.isdigit()
        and (folder / "bin" / "initdb").exists()
        and (SYSTEM_SHARE / folder.name / "extension" / "postgis.control").exists()
    ]
    if not found:
        raise MissingExtra(
            "no PostgreSQL with PostGIS found: install it with "
            "`sudo apt-get install postgresql-15-postgis-3` (or the newest "
            "postgresql-N-postgis-3 of your release), or set GRIDGIS_DATABASE_URL"
        )
    return max(found, key=lambda binaries: binaries.major)


class Cluster:
    """
    One private cluster below a state folder.

    Parameters
    ----------
    state_dir : Path
        Folder of local state; `cluster.json` in it records where the cluster lives.
    durable : bool
        Off only in tests: a crash may then lose data.
    """

    def __init__(self, state_dir: Path, *, durable: bool = True) -> None:
        self.state_dir = state_dir.absolute()
        self.durable = durable

    def url(self, database: str, *, role: str) -> str:
        """Return the connection URL of a database for a role."""
        socket = str(self._place().socket).replace("/", "%2F")
        return f"postgresql+psycopg://{role}@/{database}?host={socket}&port={PORT}"

    def exists(self) -> bool:
        """Tell whether the cluster was made."""
        place = self._recorded()
        return place is not None and (place.data / "PG_VERSION").exists()

    def running(self) -> bool:
        """Tell whether the server answers."""
        place = self._recorded()
        return place is not None and self._answers(place)

    def start(self) -> Place:
        """Create the cluster if needed, start it if needed, and return its place."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        with self._lock() as lock:
            place = self._place()
            if not (place.data / "PG_VERSION").exists():
                self._initialise(place, lock)
            self._check_major(place)
            self._prepare_socket(place)
            if not self._answers(place):
                self._start(place)
        return place

    def stop(self) -> bool:
        """Stop the server; return whether it was running."""
        place = self._recorded()
        if place is None or self._pg_ctl(place, "status").returncode != 0:
            return False
        done = self._pg_ctl(place, "stop", "-m", "fast", "-w")
        if done.returncode != 0:
            raise StoreUnavailable(f"the server did not stop: {_last_line(done)}")
        return True

    def remove(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        place = self._recorded()
        if place is not None:
            for folder in (place.data, _partial(place.data), place.socket):
                shutil.rmtree(folder, ignore_errors=True)
            if place.data.is_relative_to(SYSTEM_ROOT):
                shutil.rmtree(place.data.parent, ignore_errors=True)
        for name in ("cluster.json", "city.json"):
            (self.state_dir / name).unlink(missing_ok=True)

    def log_tail(self) -> str:
        """Return the last lines of the server log."""
        place = self._place()
        log = place.data / "server.log"
        if not log.exists():
            return ""
        return "\n".join(log.read_text(errors="replace").splitlines()[-5:])

    # ----------------------------------------------------------------- place

    def _recorded(self) -> Place | None:
        record = self.state_dir / "cluster.json"
        if not record.exists():
            return None
        stored = json.loads(record.read_text())
        return Place(Path(stored["data"]), Path(stored["socket"]))

    def _place(self) -> Place:
        recorded = self._recorded()
        if recorded is not None:
            return recorded
        place = self._choose_place()
        self.state_dir.mkdir(parents=True, exist_ok=True)
        record = {"data": str(place.data), "socket": str(place.socket)}
        write_record(self.state_dir / "cluster.json", record)
        return place

    def _choose_place(self) -> Place:
        """Prefer the state folder; as root probe that the server user can reach it."""
        self.state_dir.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(str(self.state_dir).encode()).hexdigest()[:12]
        root = self.state_dir
        if os.geteuid() == 0 and not _reachable(root):
            root = SYSTEM_ROOT / digest
        folder = root / "run"
        if len(str(folder / f".s.PGSQL.{PORT}")) > SOCKET_LIMIT:
            folder = _runtime() / f"gridgis-{os.geteuid()}-{digest}"
        return Place(root / "pg", folder)

    @contextmanager
    def _lock(self) -> Iterator[IO[str]]:
        with (self.state_dir / "cluster.lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle

    # ------------------------------------------------------------- lifecycle

    def _initialise(self, place: Place, lock: IO[str]) -> None:
        """Make the data folder under another name first: a half-made one must not look whole."""
        binaries = find_binaries()
        for folder in (SYSTEM_ROOT, place.data.parent):
            if place.data.is_relative_to(folder) and not folder.exists():
                folder.mkdir(parents=True)
                folder.chmod(0o755)  # ours, and the server must pass it whatever the umask
        partial = _partial(place.data)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o700)
        _give_to_server(partial)
        done = _as_server(
            binaries("initdb"), "-D", str(partial), "-U", BOOTSTRAP_ROLE,
            "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8",
            keep=lock,  # were we killed, the next one waits until this initdb has ended
        )  # fmt: skip
        if done.returncode != 0:
            shutil.rmtree(partial, ignore_errors=True)
            raise StoreUnavailable(f"initdb failed: {_last_line(done)}")
        try:
            partial.rename(place.data)
        except OSError as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise StoreUnavailable(
                f"{place.data} is in the way of a new cluster ({error.strerror}): remove it"
            ) from error

    def _check_major(self, place: Place) -> None:
        """Refuse a data folder that no installed server can open."""
        major = int((place.data / "PG_VERSION").read_text().split(".")[0])
        if not (SYSTEM_LIBRARY / str(major) / "bin" / "postgres").exists():
            raise MissingExtra(
                f"the data in {place.data} were made by PostgreSQL {major}, which is not "
                f"installed: install postgresql-{major}-postgis-3"
            )

    def _prepare_socket(self, place: Place) -> None:
        place.socket.mkdir(mode=0o700, parents=True, exist_ok=True)
        if place.socket.is_symlink() or place.socket.stat().st_uid not in _trusted_owners():
            raise StoreUnavailable(f"{place.socket} belongs to somebody else: remove it")
        place.socket.chmod(0o700)
        _give_to_server(place.socket)

    def _start(self, place: Place) -> None:
        """Start; orphans of a killed server may hold the folder for a while, so retry."""
        settings = dict(_SERVER_SETTINGS)
        if not self.durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        options += f" -k {place.socket} -p {PORT}"
        deadline = time.monotonic() + START_TIMEOUT_S
        while True:
            done = self._pg_ctl(
                place, "start", "-w", "-t", str(START_TIMEOUT_S),
                "-l", str(place.data / "server.log"), "-o", options,
            )  # fmt: skip
            if done.returncode == 0:
                return
            if time.monotonic() > deadline:
                raise StoreUnavailable(
                    f"the embedded server did not start: {_last_line(done)}; "
                    f"its log ends with: {self.log_tail()}"
                )
            time.sleep(0.5)

    def _answers(self, place: Place) -> bool:
        """Tell whether the server lives: a number in its pid file may be another process today."""
        if self._pg_ctl(place, "status").returncode != 0:
            return False
        with socket.socket(socket.AF_UNIX) as probe:
            try:
                probe.connect(str(place.socket / f".s.PGSQL.{PORT}"))
            except OSError:
                return False
        return True

    def _pg_ctl(self, place: Place, *arguments: str) -> subprocess.CompletedProcess[str]:
        version = place.data / "PG_VERSION"
        if not version.exists():
            return subprocess.CompletedProcess([], 4, "", "no cluster")
        folder = SYSTEM_LIBRARY / version.read_text().split(".")[0].strip() / "bin"
        return _as_server(str(folder / "pg_ctl"), "-D", str(place.data), *arguments)


def write_record(path: Path, record: Mapping[str, str]) -> None:
    """Write a small JSON file whole or not at all: a torn one would stop every later command."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(record))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _partial(data: Path) -> Path:
    return data.with_name(f"{data.name}.partial")


def _runtime() -> Path:
    """Return a folder for short-lived private folders with a short path."""
    if os.geteuid() == 0:
        return Path("/run")
    return Path(os.environ.get("XDG_RUNTIME_DIR") or "/tmp")  # noqa: S108 - a private folder in it


def _trusted_owners() -> set[int]:
    owners = {os.geteuid()}
    if os.geteuid() == 0:
        owners.add(_server_uid())
    return owners


def _server_uid() -> int:
    import pwd  # noqa: PLC0415 - a Unix-only module, needed as root alone

    try:
        return pwd.getpwnam(SERVER_USER).pw_uid
    except KeyError as error:
        raise MissingExtra(
            f"the user {SERVER_USER} does not exist: install postgresql-N-postgis-3"
        ) from error


def _give_to_server(folder: Path) -> None:
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER, SERVER_USER)


def _reachable(folder: Path) -> bool:
    """Tell whether the server user can traverse every ancestor of a folder."""
    return _as_server("/usr/bin/test", "-x", str(folder)).returncode == 0


def _as_server(*command: str, keep: IO[str] | None = None) -> subprocess.CompletedProcess[str]:
    """
    Run a program as the unprivileged server user, in the root folder, without our locale.

    It holds the file `keep` open as long as it lives, and with it a lock on that file.
    """
    prefix: list[str] = []
    if os.geteuid() == 0:
        _server_uid()
        prefix = [
            "/usr/bin/setpriv", f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}",
            "--init-groups", "--",
        ]  # fmt: skip
    environment = {
        name: value for name, value in os.environ.items() if not re.match(r"PG|LC_|LANG", name)
    }
    # Output goes to files of pg_ctl's own: a pipe would be held open by the server for ever.
    return subprocess.run(  # noqa: S603 - fixed programs, no shell
        [*prefix, *command],
        cwd="/",
        env={**environment, "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL if "start" in command else subprocess.PIPE,
        stderr=subprocess.DEVNULL if "start" in command else subprocess.STDOUT,
        text=True,
        check=False,
        pass_fds=() if keep is None else (keep.fileno(),),
    )


def _last_line(done: subprocess.CompletedProcess[str]) -> str:
    lines = (done.stdout or "").strip().splitlines()
    return lines[-1] if lines else f"exit status {done.returncode}"
