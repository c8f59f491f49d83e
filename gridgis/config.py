"""
Settings from the environment (配置); nothing is read when this module is imported.

=====================  ==========================================================
variable               meaning
=====================  ==========================================================
GRIDGIS_DATABASE_URL   an outside PostGIS (>= 3.3); set, no cluster is ever started
GRIDGIS_DATA_DIR       folder of the embedded cluster and of local state (`.gridgis`)
=====================  ==========================================================
"""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where the data live (运行设置); built by the command line and the app factory only."""

    model_config = SettingsConfigDict(env_prefix="GRIDGIS_", frozen=True, extra="ignore")

    database_url: SecretStr | None = None
    data_dir: Path = Path(".gridgis")
