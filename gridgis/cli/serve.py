"""`gridgis serve`: the web service, on loopback (网页服务)."""

from __future__ import annotations

import ipaddress
from typing import Annotated

import typer

from gridgis.cli.guard import check_one_root
from gridgis.cli.output import note
from gridgis.config import Settings
from gridgis.errors import InputError


def serve(
    *,
    host: Annotated[str, typer.Option(help="A loopback address.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="TCP port.", min=1, max=65535)] = 8000,
) -> None:
    """Serve map, look-up and tiles on this machine (网页服务)."""
    check_one_root()
    _require_loopback(host)
    _require_free(host, port)
    note(f"gridgis serves http://{host}:{port}/map (Ctrl-C stops it)")
    import uvicorn  # noqa: PLC0415 - half a second that no other command needs

    from api.app import create_app  # noqa: PLC0415

    uvicorn.run(create_app(Settings()), host=host, port=port, log_level="warning",
                timeout_graceful_shutdown=20, server_header=False)  # fmt: skip


def _require_loopback(host: str) -> None:
    name = "127.0.0.1" if host == "localhost" else host
    try:
        loopback = ipaddress.ip_address(name).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise InputError(
            f"host {host!r}: this version has no sign-in yet and binds to loopback only "
            "(127.0.0.1 or ::1)"
        )


def _require_free(host: str, port: int) -> None:
    import socket  # noqa: PLC0415 - one use

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise InputError(
                f"port {port} on {host} is in use: stop what runs there or choose --port"
            ) from error
