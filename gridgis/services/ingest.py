"""Import files of cases: read, place, store, all or nothing (案件导入)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import shapely

from gridgis.errors import InputError
from gridgis.intake.points import datum_check
from gridgis.intake.reader import read_cases
from gridgis.intake.rejects import reject_writer
from gridgis.intake.validate import CASE_SCHEMA
from gridgis.store.cases import (
    CaseLoad,
    FileFacts,
    Merged,
    RejectRow,
    content_digest,
    region_polygons,
)
from gridgis.store.city import claim_nature
from gridgis.store.engine import begin

if TYPE_CHECKING:
    from gridgis.intake.mapping import CaseMapping
    from gridgis.model.profile import CityProfile
    from gridgis.services.context import Context
    from gridgis.store.engine import Connection

DATUM_SAMPLE = 20_000
KEPT_REJECTS = 100_000
"""Rejects kept in the database per file; the rejects file holds all."""

Progress = Callable[[int], None]
