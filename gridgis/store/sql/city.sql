-- name: save_city
-- The one city of this database; a newer profile version replaces names and extent.
INSERT INTO core.city (city_code, slug, name, name_en, language, time_zone, measuring_srid,
    cell_size_m, extent, profile_folder, profile_version)
VALUES (:city_code, :slug, :name, :name_en, :language, :time_zone, :measuring_srid,
    :cell_size_m, :extent, :profile_folder, :profile_version)
ON CONFLICT (only_row) DO UPDATE SET slug = excluded.slug, name = excluded.name,
    name_en = excluded.name_en, language = excluded.language, cell_size_m = excluded.cell_size_m,
    extent = excluded.extent, profile_folder = excluded.profile_folder,
    profile_version = excluded.profile_version;

-- name: read_city
-- Which city does this database hold?
SELECT city_code, slug, name, name_en, language, time_zone, measuring_srid, cell_size_m, extent,
    profile_folder, profile_version, synthetic,
    EXISTS (SELECT FROM core.category WHERE restricted) AS restricted
FROM core.city;

-- name: read_fixed
-- What a database fixes for good, whatever its revision.
SELECT measuring_srid, time_zone, profile_folder FROM core.city;

-- name: claim_nature
-- The first import decides whether rows here are synthetic; returns what holds now.
UPDATE core.city SET synthetic = coalesce(synthetic, :synthetic) RETURNING synthetic;

-- name: forget_runs
-- Runs that count a class by its code which nobody may see any more: they are counted again.
DELETE FROM runs.run WHERE run_id IN (
    SELECT run_id FROM runs.density_count
    WHERE subcategory_code = ANY(CAST(:codes AS text[])));

-- name: forget_drafts
DELETE FROM runs.report_issue WHERE status = 'draft';

-- name: save_group
INSERT INTO core.region_group (group_code, position, name, name_en)
VALUES (:group_code, :position, :name, :name_en);

-- name: save_category
INSERT INTO core.category (category_code, name, parent_code, parent_name, case_kind, restricted)
VALUES (:category_code, :name, :parent_code, :parent_name, :case_kind, :restricted);

-- name: save_source
INSERT INTO core.source_name (source, position, name, name_en, tier)
VALUES (:source, :position, :name, :name_en, :tier);

-- name: save_alias
INSERT INTO core.alias (kind, alias, code) VALUES (:kind, :alias, :code) ON CONFLICT DO NOTHING;

-- name: bump_data_version
UPDATE core.data_version SET version = version + 1 RETURNING version;

-- name: read_status
SELECT current_setting('server_version') AS postgresql, postgis_lib_version() AS postgis,
    (SELECT version_num FROM core.schema_version) AS schema,
    (SELECT count(*) FROM core.case_record) AS cases,
    (SELECT count(*) FROM core.unit_grid) AS cells,
    (SELECT count(*) FROM runs.run) AS runs;

-- name: save_assessment_type
INSERT INTO core.assessment_type (assessment_type, position, name, name_en)
VALUES (:assessment_type, :position, :name, :name_en);

-- name: save_subcategory_rule
INSERT INTO core.subcategory_rule (subcategory_code, valid_from, valid_to, assessment_type,
    base_weight)
VALUES (:subcategory_code, CAST(:valid_from AS date), CAST(:valid_to AS date), :assessment_type,
    :base_weight);

-- name: save_stage_limit
INSERT INTO core.stage_limit (code, stage, condition, amount, unit, valid_from, valid_to)
VALUES (:code, :stage, :condition, :amount, :unit, CAST(:valid_from AS date),
    CAST(:valid_to AS date));

-- name: save_work_span
INSERT INTO core.work_span (starts_at, ends_at, before_s, day_s)
VALUES (:starts_at, :ends_at, :before_s, :day_s);

-- name: save_regime
INSERT INTO core.regime (position, name, name_en, valid_from, valid_to)
VALUES (:position, :name, :name_en, CAST(:valid_from AS date), CAST(:valid_to AS date));

-- name: save_reminder
INSERT INTO core.reminder (stage, level, name, name_en, hours, sample)
VALUES (:stage, :level, :name, :name_en, :hours, :sample);

-- name: save_stuck_limit
INSERT INTO core.stuck_limit (hand_backs, unowned_hours, sample)
VALUES (:hand_backs, :unowned_hours, :sample);
