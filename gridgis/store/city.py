"""The city row and the profile's small tables (城市与目录)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from gridgis.errors import StoreError
from gridgis.model.city import City
from gridgis.store.engine import query
from gridgis.store.rules import save_rules

if TYPE_CHECKING:
    from gridgis.model.profile import CityProfile


NO_CITY = "the database holds no city yet: run `gridgis city init --profile NAME`"


def save_profile(tx: Connection, profile: CityProfile, *, folder: str) -> None:
    """Write the city row, catalogue, sources and aliases; what a database fixes cannot change."""
    _refuse_other_city(tx, profile)
    tx.execute(
        query("city", "save_city"),
        {
            "city_code": profile.code, "slug": profile.slug, "name": profile.name,
            "name_en": profile.name_en, "language": profile.language,
            "time_zone": profile.time_zone, "measuring_srid": profile.measuring_srid,
            "cell_size_m": profile.cell_size_m, "extent": list(profile.extent),
            "profile_folder": folder, "profile_version": profile.version,
        },
    )  # fmt: skip
    _forget_restricted(tx, [c.code for c in profile.categories if c.restricted])
    tx.execute(text("DELETE FROM core.region_group"))
    tx.execute(text("DELETE FROM core.category"))
    tx.execute(text("DELETE FROM core.source_name"))
    tx.execute(text("DELETE FROM core.alias"))
    _insert(tx, "save_group", [
        {"group_code": group.code, "position": position, "name": group.name,
         "name_en": group.name_en}
        for position, group in enumerate(profile.groups)
    ])  # fmt: skip
    _insert(tx, "save_category", [
        {"category_code": category.code, "name": category.name,
         "parent_code": category.parent_code, "parent_name": category.parent_name,
         "case_kind": category.kind, "restricted": category.restricted}
        for category in profile.categories
    ])  # fmt: skip
    _insert(tx, "save_source", [
        {"source": source.code, "position": position, "name": source.name,
         "name_en": source.name_en, "tier": source.tier or None}
        for position, source in enumerate(profile.sources)
    ])  # fmt: skip
    _insert(tx, "save_alias", [
        {"kind": kind, "alias": alias, "code": entry.code}
        for kind, entries in (("category", profile.categories), ("source", profile.sources),
                              ("region", profile.regions), ("street", profile.streets))
        for entry in entries for alias in entry.aliases
    ])  # fmt: skip
    save_rules(tx, profile)


def read_city(tx: Connection) -> City:
    """
    Return the city of this database.

    Raises
    ------
    StoreError
        If no city was initialised in it.
    """
    row = tx.execute(query("city", "read_city")).one_or_none()
    if row is None:
        raise StoreError(NO_CITY)
    west, south, east, north = row.extent
    return City(
        code=row.city_code, slug=row.slug, name=row.name, name_en=row.name_en,
        language=row.language, time_zone=row.time_zone, measuring_srid=row.measuring_srid,
        cell_size_m=row.cell_size_m, extent=(west, south, east, north),
        profile_folder=row.profile_folder, profile_version=row.profile_version,
        synthetic=row.synthetic, restricted=row.restricted,
    )  # fmt: skip


def read_fixed(tx: Connection) -> tuple[int, str, str]:
    """
    Return measuring SRID, time zone and profile folder of a database of any revision.

    Raises
    ------
    StoreError
        If no city was initialised in it.
    """
    row = tx.execute(query("city", "read_fixed")).one_or_none()
    if row is None:
        raise StoreError(NO_CITY)
    return int(row.measuring_srid), str(row.time_zone), str(row.profile_folder)


def claim_nature(tx: Connection, *, synthetic: bool) -> None:
    """
    Mark the database as synthetic or real at its first import (合成数据与真实数据不混存).

    Raises
    ------
    StoreError
        If the database already holds rows of the other nature.
    """
    found = tx.scalar(query("city", "claim_nature"), {"synthetic": synthetic})
    if found is not None and bool(found) != synthetic:
        held, given = ("synthetic", "real") if found else ("real", "synthetic")
        raise StoreError(
            f"this database holds {held} rows and refuses {given} ones: real and synthetic data "
            "never mix. Make another database with `gridgis city init --profile NAME --database "
            "NAME`; `gridgis city use --database NAME` changes between them",
            holds=held, given=given,
        )  # fmt: skip


def bump_data_version(tx: Connection) -> int:
    """Count one change of the data; cursors and caches see it."""
    return int(tx.scalar(query("city", "bump_data_version")) or 0)


def read_status(tx: Connection) -> dict[str, object]:
    """Return versions and row counts."""
    return dict(tx.execute(query("city", "read_status")).mappings().one())


def _forget_restricted(tx: Connection, codes: list[str]) -> None:
    """Drop runs and drafts that name a class which is restricted from now on (受限类)."""
    runs = tx.execute(query("city", "forget_runs"), {"codes": codes}).rowcount
    if runs:
        tx.execute(query("city", "forget_drafts"))


def _insert(tx: Connection, name: str, rows: list[dict[str, object]]) -> None:
    if rows:
        tx.execute(query("city", name), rows)


def _refuse_other_city(tx: Connection, profile: CityProfile) -> None:
    row = tx.execute(query("city", "read_city")).one_or_none()
    if row is None:
        return
    fixed = (row.city_code, row.measuring_srid, row.time_zone)
    given = (profile.code, profile.measuring_srid, profile.time_zone)
    if fixed != given:
        raise StoreError(
            f"this database belongs to city {fixed[0]} (SRID {fixed[1]}, {fixed[2]}) for good; "
            f"the profile says {given[0]} (SRID {given[1]}, {given[2]}): make another database "
            "with `gridgis city init --profile NAME --database NAME`"
        )
