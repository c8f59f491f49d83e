"""Error classes to exit codes: 0 done, 1 unexpected, 2 bad input, 3 not found, 4 store (退出码)."""

from __future__ import annotations

from gridgis import errors

EXITS: dict[type[errors.GridgisError], int] = {
    errors.GridgisError: 1,
    errors.ConfigError: 2,
    errors.InputError: 2,
    errors.NotFoundError: 3,
    errors.GeocodingError: 2,
    errors.AnalysisError: 2,
    errors.UnitMismatch: 1,
    errors.StoreError: 4,
}


def exit_code(error: errors.GridgisError) -> int:
    """Return the exit code of an error: the one of its nearest class in the table."""
    return next(EXITS[kind] for kind in type(error).__mro__ if kind in EXITS)
