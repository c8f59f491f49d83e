"""
Errors that say what was given, what is allowed and what to do (错误).

::

    GridgisError
    ├── ConfigError          MissingExtra ProfileInvalid ForeignPackage
    ├── InputError           SchemaError CodeError CrsError PeriodError
    │                        GeometryError TopologyError LimitExceeded
    ├── NotFoundError        CaseNotFound CellNotFound DistrictNotFound RunNotFound
    ├── GeocodingError       OutsideCity
    ├── AnalysisError        EmptyPeriod NotComparable UnitMismatch
    └── StoreError           StoreUnavailable MigrationRequired ConcurrentRun

Classes know nothing of HTTP or exit codes; ``api.errors`` and ``gridgis.cli.exits`` hold one
table each. ``code`` is stable, ``context`` is for logs and for ``--json``.
"""

from __future__ import annotations

from typing import ClassVar


class GridgisError(Exception):
    """Base of every error that gridgis raises on purpose."""

    code: ClassVar[str] = "gridgis_error"

    def __init__(self, message: str, **context: object) -> None:
        super().__init__(message)
        self.message = message
        self.context: dict[str, object] = context


class ConfigError(GridgisError):
    """The installation or the settings are wrong (配置错误)."""

    code = "config_error"


class MissingExtra(ConfigError):
    """A system package or program is missing."""

    code = "missing_extra"


class ProfileInvalid(ConfigError):
    """The city profile has faults; all of them are listed at once (城市配置有误)."""

    code = "profile_invalid"


class ForeignPackage(ConfigError):
    """Another distribution shadows one of the four packages."""

    code = "foreign_package"


class InputError(GridgisError, ValueError):
    """A value given by the caller cannot be used (输入有误)."""

    code = "input_error"


class SchemaError(InputError):
    """A file or a table lacks a column or has another shape (表结构不符)."""

    code = "schema_error"


class CodeError(InputError):
    """A division, cell or category code is malformed or unknown (编码有误)."""

    code = "code_error"


class CrsError(InputError):
    """A coordinate reference system is missing, unknown or contradicts another (坐标系有误)."""

    code = "crs_error"


class PeriodError(InputError):
    """A month or period is malformed or empty (时段有误)."""

    code = "period_error"


class GeometryError(InputError):
    """A geometry cannot be used; the feature is named (几何有误)."""

    code = "geometry_error"


class TopologyError(GeometryError):
    """Areas overlap, leave gaps or are slivers; the features are named (拓扑有误)."""

    code = "topology_error"


class LimitExceeded(InputError):
    """A hard cap is exceeded; the message names the cap and what to use instead (超出上限)."""

    code = "limit_exceeded"


class NotFoundError(GridgisError, LookupError):
    """A named thing does not exist (未找到)."""

    code = "not_found"


class CaseNotFound(NotFoundError):
    """No case has this number (无此案件)."""

    code = "case_not_found"


class CellNotFound(NotFoundError):
    """No cell has this code (无此单元网格)."""

    code = "cell_not_found"


class DistrictNotFound(NotFoundError):
    """No region has this code (无此区域)."""

    code = "district_not_found"


class RunNotFound(NotFoundError):
    """No finished run answers this question (尚未计算)."""

    code = "run_not_found"


class GeocodingError(GridgisError):
    """A place cannot be located (无法定位)."""

    code = "geocoding_error"


class OutsideCity(GeocodingError):
    """The point lies in no region of the city (不在本市范围内)."""

    code = "outside_city"


class AnalysisError(GridgisError):
    """An analysis cannot be carried out on this input (无法分析)."""

    code = "analysis_error"


class EmptyPeriod(AnalysisError):
    """The period holds no counted case (该时段无案件)."""

    code = "empty_period"


class NotComparable(AnalysisError):
    """Two results stand on different grids (口径不可比)."""

    code = "not_comparable"


class UnitMismatch(AnalysisError):
    """Two counts of different units met; this is a bug (计量单位不一致)."""

    code = "unit_mismatch"


class StoreError(GridgisError):
    """The database refuses or cannot answer (数据库错误)."""

    code = "store_error"


class StoreUnavailable(StoreError):
    """The database is away (数据库不可用)."""

    code = "store_unavailable"


class MigrationRequired(StoreError):
    """The schema of the database is older or newer than the code (需要迁移)."""

    code = "migration_required"


class ConcurrentRun(StoreError):
    """Another process is doing the same work (任务正在运行)."""

    code = "concurrent_run"
