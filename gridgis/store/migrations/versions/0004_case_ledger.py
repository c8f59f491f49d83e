"""The case ledger: events, tasks, complaints, whistles, checks, and the rules (案件台账)."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CASES = """
ALTER TABLE core.case_record
    ADD COLUMN is_key boolean NOT NULL DEFAULT false,
    ADD COLUMN act_first boolean NOT NULL DEFAULT false,
    ADD COLUMN check_result text CHECK (check_result IN ('pass', 'substandard')),
    ADD COLUMN due_stated_at timestamptz;
UPDATE core.case_record SET due_stated_at = due_at WHERE due_at IS NOT NULL;
COMMENT ON COLUMN core.case_record.due_stated_at IS
    'the deadline on the case row; due_at also counts extensions, suspensions and the limits';
CREATE INDEX case_due ON core.case_record (due_at);
CREATE INDEX case_key ON core.case_record (closed_at) WHERE is_key;
CREATE INDEX case_newest ON core.case_record ((greatest(reported_at, verified_at, accepted_at,
    filed_at, dispatched_at, disposed_at, checked_at, closed_at, voided_at, suspended_at)));
CREATE INDEX case_lasting ON core.case_record (closed_at)
    WHERE NOT self_handled AND (closed_at IS NULL OR closed_at - listed_at > interval '7 days');
COMMENT ON INDEX core.case_lasting IS
    'Few cases are open for long: those open at a moment are these and the ones of the week before';
"""

_RESTRICTED = """
ALTER TABLE core.category ADD COLUMN restricted boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN core.category.restricted IS
    'cases of the class count in totals only (受限类): on no map, in no list, in no export';
CREATE OR REPLACE FUNCTION runs.counted(
    run integer, level text, category text, channel text, region text,
    OUT place text, OUT n bigint
) RETURNS SETOF record LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN level = 'city' THEN 'city'
            WHEN d.no_cell_reason = 'restricted' THEN 'restricted'
            WHEN level = 'cell' THEN coalesce(d.cell_code, d.no_cell_reason)
            WHEN level = 'block500' THEN coalesce(CAST(u.block_500 AS text), d.no_cell_reason)
            WHEN level = 'block1000' THEN coalesce(CAST(u.block_1000 AS text), d.no_cell_reason)
            WHEN level = 'street' THEN coalesce(d.street_code,
                CASE d.no_cell_reason WHEN 'no_point' THEN 'no_point' ELSE 'outside_streets' END)
            WHEN level = 'district' THEN d.region_key
            ELSE coalesce(d.district_code, 'no_district') END,
        CAST(sum(d.n) AS bigint)
    FROM runs.counts(run, category, channel, region) AS d
    JOIN runs.run AS x ON x.run_id = d.run_id
    LEFT JOIN core.unit_grid AS u ON level IN ('block500', 'block1000')
     AND u.grid_version = x.grid_version AND u.cell_code = d.cell_code
    GROUP BY 1
$$;
"""

_REGION_KEY = """
CREATE FUNCTION core.region_key(region text, method text, located boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(region, CASE WHEN method = 'cross_area' THEN 'cross_area'
        WHEN NOT located THEN 'unlocated' ELSE 'other' END)
$$;
COMMENT ON FUNCTION core.region_key IS 'Region of a case in tables, or why it has none';
CREATE VIEW core.reported_case AS
SELECT k.*, coalesce(c.restricted, false) AS restricted,
    CASE WHEN c.restricted THEN 'restricted'
        ELSE core.region_key(k.region_code, k.region_method, k.geom IS NOT NULL) END AS region_key,
    CASE WHEN c.restricted THEN 'restricted' ELSE k.subcategory_code END AS class_code
FROM core.case_record AS k
LEFT JOIN core.category AS c ON c.category_code = k.subcategory_code;
COMMENT ON VIEW core.reported_case IS
    'Cases as reports count them: those of restricted classes (受限类) without class and region';
"""

_EVENTS = """
CREATE TABLE core.case_event (
    case_no   text NOT NULL,
    event_key text NOT NULL,
    revision  smallint NOT NULL,
    stage     text NOT NULL CHECK (stage IN ('reported', 'verified', 'accepted', 'filed',
        'dispatched', 'returned', 'act_first', 'disposed', 'checked', 'closed', 'suspended',
        'resumed', 'extended', 'reminded', 'voided', 'reopened')),
    at        timestamptz NOT NULL,
    due_at    timestamptz,
    result    text CHECK (result IN ('pass', 'substandard')),
    org       text,
    actor     text,
    note      text,
    file_id   integer NOT NULL,
    row_no    integer NOT NULL,
    PRIMARY KEY (case_no, event_key, revision)
);
COMMENT ON TABLE core.case_event IS
    'Append only: a corrected event is a further revision of its key, the highest one holds';
CREATE INDEX case_event_aside ON core.case_event (stage, case_no, at) WHERE stage IN ('returned',
    'act_first', 'suspended', 'resumed', 'extended', 'reminded', 'reopened');
COMMENT ON INDEX core.case_event_aside IS 'Events that no stage time of a case tells';
CREATE INDEX case_event_revised ON core.case_event (case_no, event_key, revision)
    WHERE revision > 1;
CREATE VIEW core.current_event AS
SELECT e.* FROM core.case_event AS e WHERE NOT EXISTS (
    SELECT FROM core.case_event AS l WHERE l.case_no = e.case_no AND l.event_key = e.event_key
        AND l.revision > e.revision AND l.revision > 1);
COMMENT ON VIEW core.current_event IS 'Events without those that a further revision corrected';
"""

_RECORDS = """
CREATE TABLE core.dispatch_task (
    task_no        text PRIMARY KEY,
    case_no        text NOT NULL,
    due_at         timestamptz NOT NULL,
    dispatched_at  timestamptz,
    dispatcher_org text,
    disposing_org  text,
    is_rework      boolean NOT NULL,
    is_hand_back   boolean NOT NULL,
    file_id        integer NOT NULL REFERENCES core.import_file,
    row_no         integer NOT NULL
);
CREATE INDEX task_due ON core.dispatch_task (due_at);
CREATE INDEX task_case ON core.dispatch_task (case_no);
CREATE INDEX task_dispatched ON core.dispatch_task (dispatched_at);
CREATE INDEX task_hand_back ON core.dispatch_task (case_no) WHERE is_hand_back;
CREATE TABLE core.complaint (
    complaint_no       text PRIMARY KEY,
    case_no            text,
    source             text NOT NULL,
    complained_at      timestamptz NOT NULL,
    response_due_at    timestamptz,
    responded_at       timestamptz,
    stated_region      text,
    stated_region_code text,
    place              text,
    description        text,
    file_id            integer NOT NULL REFERENCES core.import_file,
    row_no             integer NOT NULL
);
CREATE INDEX complaint_case ON core.complaint (case_no);
CREATE INDEX complaint_at ON core.complaint (complained_at);
CREATE TABLE core.call_back (
    complaint_no text NOT NULL,
    called_at    timestamptz NOT NULL,
    disposed     boolean,
    satisfied    boolean,
    note         text,
    file_id      integer NOT NULL REFERENCES core.import_file,
    row_no       integer NOT NULL,
    PRIMARY KEY (complaint_no, called_at)
);
CREATE TABLE core.whistle (
    whistle_no         text PRIMARY KEY,
    level              text NOT NULL CHECK (level IN ('city', 'district', 'street')),
    stated_region      text NOT NULL,
    stated_region_code text,
    blown_at           timestamptz NOT NULL,
    title              text,
    participants       text,
    cases              text,
    resolved_at        timestamptz,
    file_id            integer NOT NULL REFERENCES core.import_file,
    row_no             integer NOT NULL
);
CREATE TABLE core.quality_check (
    case_no    text NOT NULL,
    checked_at timestamptz NOT NULL,
    result     text NOT NULL CHECK (result IN ('pass', 'substandard')),
    problem    text,
    checker    text,
    file_id    integer NOT NULL REFERENCES core.import_file,
    row_no     integer NOT NULL,
    PRIMARY KEY (case_no, checked_at)
);
CREATE INDEX quality_check_at ON core.quality_check (checked_at);
"""

_RULES = """
CREATE TABLE core.assessment_type (
    assessment_type text PRIMARY KEY, position integer NOT NULL, name text NOT NULL,
    name_en text NOT NULL
);
CREATE TABLE core.subcategory_rule (
    subcategory_code text NOT NULL,
    valid_from       date NOT NULL,
    valid_to         date NOT NULL,
    assessment_type  text,
    base_weight      numeric NOT NULL CHECK (base_weight > 0),
    PRIMARY KEY (subcategory_code, valid_from),
    CHECK (valid_from < valid_to)
);
COMMENT ON TABLE core.subcategory_rule IS
    'Assessment type and folding weight of a subcategory from one change to the next';
CREATE TABLE core.stage_limit (
    code       text NOT NULL,
    stage      text NOT NULL CHECK (stage IN ('dispatch', 'dispose')),
    condition  text NOT NULL,
    amount     numeric NOT NULL CHECK (amount > 0),
    unit       text NOT NULL CHECK (unit IN ('work_hours', 'work_days', 'urgent_hours')),
    valid_from date NOT NULL,
    valid_to   date NOT NULL,
    PRIMARY KEY (code, stage, condition, valid_from)
);
CREATE TABLE core.work_span (
    starts_at timestamptz PRIMARY KEY,
    ends_at   timestamptz NOT NULL,
    before_s  bigint NOT NULL UNIQUE,
    day_s     integer NOT NULL,
    CHECK (starts_at < ends_at)
);
COMMENT ON TABLE core.work_span IS
    'Working hours; before_s: working seconds before the span, day_s: those of a whole day';
CREATE TABLE core.regime (
    position integer PRIMARY KEY, name text NOT NULL, name_en text NOT NULL,
    valid_from date NOT NULL, valid_to date NOT NULL
);
CREATE FUNCTION core.worked_s(moment timestamptz) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT before_s + extract(epoch FROM least(moment, ends_at) - starts_at)
        FROM core.work_span WHERE starts_at <= moment ORDER BY starts_at DESC LIMIT 1
    ), (SELECT 0 FROM core.work_span
        WHERE starts_at > moment AND starts_at < moment + interval '14 days' LIMIT 1))
$$;
COMMENT ON FUNCTION core.worked_s IS
    'Working seconds of the calendar before a moment; NULL long before it begins';
CREATE FUNCTION core.deadline(start_at timestamptz, amount numeric, unit text)
RETURNS timestamptz LANGUAGE sql STABLE AS $$
    WITH l AS MATERIALIZED (
        SELECT core.worked_s(start_at) + amount * CASE unit WHEN 'work_hours' THEN 3600
            ELSE (SELECT day_s FROM core.work_span ORDER BY starts_at LIMIT 1) END AS target
        WHERE unit <> 'urgent_hours'
    )
    SELECT CASE WHEN unit = 'urgent_hours' THEN start_at + amount * interval '1 hour' ELSE (
        SELECT CASE WHEN l.target <= s.before_s + extract(epoch FROM s.ends_at - s.starts_at)
            THEN s.starts_at + (l.target - s.before_s) * interval '1 second' END
        FROM l CROSS JOIN LATERAL (
            SELECT * FROM core.work_span AS w
            WHERE w.before_s < CAST(ceil(l.target) AS bigint) ORDER BY w.before_s DESC LIMIT 1
        ) AS s) END
$$;
COMMENT ON FUNCTION core.deadline IS
    'When an amount of working time after a moment is over; NULL outside the calendar';
CREATE FUNCTION core.disposal_due(subcategory text, since timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT core.deadline(since, r.amount, r.unit) FROM core.stage_limit AS r, core.city AS c
    WHERE r.stage = 'dispose' AND r.condition = '' AND starts_with(subcategory, r.code)
      AND daterange(r.valid_from, r.valid_to) @> (since AT TIME ZONE c.time_zone)::date
    ORDER BY length(r.code) DESC LIMIT 1
$$;
COMMENT ON FUNCTION core.disposal_due IS
    'Deadline of disposal by the limit of the day on which a case was filed';
"""

_OPEN_WORK = """
CREATE TABLE core.reminder (
    stage   text NOT NULL CHECK (stage IN ('dispatch', 'dispose')),
    level   smallint NOT NULL CHECK (level > 0),
    name    text NOT NULL,
    name_en text NOT NULL,
    hours   numeric NOT NULL,
    sample  boolean NOT NULL,
    PRIMARY KEY (stage, level)
);
COMMENT ON COLUMN core.reminder.hours IS 'natural hours after the deadline; negative: before it';
CREATE TABLE core.stuck_limit (
    only_row      boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    hand_backs    smallint NOT NULL CHECK (hand_backs > 0),
    unowned_hours numeric NOT NULL CHECK (unowned_hours > 0),
    sample        boolean NOT NULL
);
COMMENT ON TABLE core.stuck_limit IS
    'Hand-backs, and hours without an organisation, from which a case is stuck';
CREATE FUNCTION core.dispatched_to(number text, moment timestamptz) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT coalesce((
        SELECT t.disposing_org FROM core.dispatch_task AS t
        WHERE t.case_no = number AND t.disposing_org IS NOT NULL AND t.dispatched_at <= moment
        ORDER BY t.dispatched_at DESC, t.task_no LIMIT 1
    ), (
        SELECT e.org FROM core.current_event AS e
        WHERE e.case_no = number AND e.stage = 'dispatched' AND e.org IS NOT NULL
          AND e.at <= moment
        ORDER BY e.at DESC, e.event_key LIMIT 1
    ))
$$;
COMMENT ON FUNCTION core.dispatched_to IS
    'Organisation that a case was dispatched to last, by its tasks or else its events';
"""

_REPORTS = """
CREATE TABLE runs.report_issue (
    month        text NOT NULL,
    region_code  text NOT NULL,
    issue_no     integer NOT NULL,
    status       text NOT NULL CHECK (status IN ('draft', 'signed')),
    data_version bigint NOT NULL,
    model        jsonb NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now(),
    signed_by    text,
    signed_at    timestamptz,
    PRIMARY KEY (month, region_code, issue_no),
    CHECK ((status = 'signed') = (signed_by IS NOT NULL)),
    CHECK ((signed_by IS NULL) = (signed_at IS NULL))
);
COMMENT ON TABLE runs.report_issue IS
    'Issues of monthly reports; region_code is empty for the whole city. A signed one stays';
CREATE UNIQUE INDEX report_draft ON runs.report_issue (month, region_code)
    WHERE status = 'draft';
CREATE TABLE runs.report_text (
    month       text NOT NULL,
    region_code text NOT NULL,
    paragraph   text NOT NULL,
    edited      text NOT NULL,
    author      text NOT NULL,
    edited_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (month, region_code, paragraph)
);
COMMENT ON TABLE runs.report_text IS
    'What an analyst wrote in place of a generated paragraph';
"""

_WHISTLES = r"""
CREATE VIEW core.reported_whistle AS
SELECT w.*, CASE WHEN EXISTS (
        SELECT FROM regexp_split_to_table(w.cases, '[、，,；;\s]+') AS n (case_no)
        JOIN core.reported_case AS k USING (case_no) WHERE k.restricted) THEN 'restricted'
    ELSE coalesce(w.stated_region_code, 'unlocated') END AS region_key
FROM core.whistle AS w;
COMMENT ON VIEW core.reported_whistle IS
    'Whistles as reports count them; one about a restricted case is shown to nobody';
"""

_GRANTS = """
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'gridgis_writer') THEN
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA core, runs
            TO gridgis_writer;
        REVOKE INSERT, UPDATE, DELETE ON core.schema_version FROM gridgis_writer;
        REVOKE UPDATE, DELETE ON core.case_event FROM gridgis_writer;
    END IF;
END $$;
"""


def upgrade() -> None:
    """Create the tables of the ledger; events can only be added."""
    for block in (
        _CASES, _RESTRICTED, _REGION_KEY, _EVENTS, _RECORDS, _RULES, _OPEN_WORK, _REPORTS,
        _WHISTLES, _GRANTS,
    ):  # fmt: skip
        op.get_bind().exec_driver_sql(block)
