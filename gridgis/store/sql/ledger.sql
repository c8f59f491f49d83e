-- name: unknown_cases
-- Rows of a case that is not there.
SELECT s.row_no, s.case_no AS value FROM staged_record AS s
LEFT JOIN core.case_record AS k USING (case_no)
WHERE s.case_no IS NOT NULL AND k.case_no IS NULL
GROUP BY 1, 2 ORDER BY 1;

-- name: unknown_complaints
SELECT s.row_no, s.complaint_no AS value FROM staged_record AS s
LEFT JOIN core.complaint AS k USING (complaint_no)
WHERE k.complaint_no IS NULL ORDER BY 1;

-- name: match_events
-- What a staged event is to those already there: the same one, a correction of one, or a new one.
CREATE TEMP TABLE matched_event ON COMMIT DROP AS
WITH held AS MATERIALIZED (
    SELECT e.* FROM core.current_event AS e
    WHERE e.case_no IN (SELECT case_no FROM staged_record)
)
SELECT s.row_no, s.case_no, coalesce(m.event_key, k.event_key, s.event_key) AS event_key, s.stage,
    s.at, s.due_at, s.result, s.org, s.actor, s.note,
    coalesce(m.revision, k.revision, 0) AS held_revision,
    m.event_key IS NOT NULL AND m.due_at IS NOT DISTINCT FROM s.due_at
        AND m.result IS NOT DISTINCT FROM s.result AND m.org IS NOT DISTINCT FROM s.org
        AND m.actor IS NOT DISTINCT FROM s.actor AND m.note IS NOT DISTINCT FROM s.note AS same
FROM staged_record AS s
LEFT JOIN held AS m ON m.case_no = s.case_no AND m.stage = s.stage AND m.at = s.at
LEFT JOIN held AS k ON k.case_no = s.case_no AND k.event_key = s.event_key;

-- name: illegal_events
-- The first event of each case that cannot follow the one before it, in the order of time.
WITH held AS MATERIALIZED (
    SELECT NULL::integer AS row_no, e.case_no, e.stage, e.at, e.result
    FROM core.current_event AS e
    WHERE e.case_no IN (SELECT case_no FROM matched_event) AND NOT EXISTS (
        SELECT FROM matched_event AS m WHERE m.case_no = e.case_no AND m.event_key = e.event_key)
    UNION ALL
    SELECT row_no, case_no, stage, at, result FROM matched_event
), ordered AS (
    SELECT h.*, r.rank, r.moves,
        row_number() OVER w AS position,
        sum(CASE WHEN h.stage IN ('closed', 'voided') THEN 1 WHEN h.stage = 'reopened' THEN -1
            ELSE 0 END) OVER w
            - CASE WHEN h.stage IN ('closed', 'voided') THEN 1 WHEN h.stage = 'reopened' THEN -1
              ELSE 0 END AS ended,
        sum(CASE h.stage WHEN 'suspended' THEN 1 WHEN 'resumed' THEN -1 ELSE 0 END) OVER w
            - CASE h.stage WHEN 'suspended' THEN 1 WHEN 'resumed' THEN -1 ELSE 0 END AS resting
    FROM held AS h
    JOIN unnest(CAST(:stages AS text[]), CAST(:ranks AS integer[]), CAST(:moves AS boolean[]))
        AS r (stage, rank, moves) USING (stage)
    WINDOW w AS (PARTITION BY h.case_no ORDER BY h.at, r.rank ROWS UNBOUNDED PRECEDING)
), moved AS (
    SELECT case_no, position, lag(stage) OVER w AS previous, lag(result) OVER w AS previous_result
    FROM ordered WHERE moves WINDOW w AS (PARTITION BY case_no ORDER BY position)
), judged AS (
    SELECT o.row_no, o.case_no, o.position, o.stage, o.at, CASE
        WHEN o.stage = 'suspended' AND o.resting > 0 THEN 'suspended'
        WHEN o.stage = 'resumed' AND o.resting < 1 THEN coalesce(m.previous, '')
        WHEN NOT o.moves AND o.ended > 0 THEN 'closed'
        WHEN NOT o.moves AND o.position = 1 THEN ''
        WHEN o.moves AND o.stage = 'closed' AND m.previous = 'checked'
            AND m.previous_result = 'substandard' THEN 'substandard'
        WHEN o.moves AND NOT (coalesce(m.previous, '') || '>' || o.stage = ANY(
            CAST(:legal AS text[]))) THEN coalesce(m.previous, '')
        END AS previous
    FROM ordered AS o LEFT JOIN moved AS m USING (case_no, position)
), first AS (
    SELECT DISTINCT ON (case_no) case_no, position, stage, at, previous
    FROM judged WHERE previous IS NOT NULL ORDER BY case_no, position
), after_held AS (
    SELECT f.case_no FROM first AS f JOIN ordered AS o USING (case_no)
    WHERE o.position >= f.position AND o.row_no IS NULL GROUP BY f.case_no
)
SELECT o.row_no, min(o.position) <= min(f.position) AS is_first, f.stage, f.previous,
    to_char(f.at AT TIME ZONE (SELECT time_zone FROM core.city), 'YYYY-MM-DD HH24:MI:SS') AS at
FROM first AS f
JOIN ordered AS o USING (case_no)
LEFT JOIN after_held AS a USING (case_no)
WHERE o.row_no IS NOT NULL AND (o.position >= f.position OR a.case_no IS NOT NULL)
GROUP BY o.row_no, f.stage, f.previous, f.at ORDER BY 1;

-- name: drop_matched
DELETE FROM matched_event WHERE row_no = ANY(:rows);

-- name: add_events
-- New events, and corrections as further revisions; counted by the rows of the file.
WITH added AS (
    INSERT INTO core.case_event (case_no, event_key, revision, stage, at, due_at, result, org,
        actor, note, file_id, row_no)
    SELECT case_no, event_key, held_revision + 1, stage, at, due_at, result, org, actor, note,
        :file_id, row_no
    FROM matched_event WHERE NOT same ORDER BY case_no, event_key
)
SELECT count(*) FILTER (WHERE fresh) AS inserted,
    count(*) FILTER (WHERE NOT fresh AND changed) AS updated, count(*) AS rows
FROM (SELECT bool_and(held_revision = 0) AS fresh, bool_or(NOT same) AS changed
    FROM matched_event GROUP BY row_no) AS r;

-- name: touched_cases
CREATE TEMP TABLE touched ON COMMIT DROP AS
SELECT DISTINCT case_no FROM matched_event WHERE NOT same;

-- name: touched_by_cases
-- Cases of this file whose stages are told by events.
CREATE TEMP TABLE touched ON COMMIT DROP AS
SELECT s.case_no FROM staged_case AS s
WHERE EXISTS (SELECT FROM core.case_event AS e WHERE e.case_no = s.case_no);

-- name: project_events
-- The stage times of cases as their events tell them. A deadline is the last one stated, longer by
-- the suspensions that began after it was set. A case that was disposed of again waits for its check.
WITH held AS MATERIALIZED (
    SELECT e.* FROM core.current_event AS e JOIN touched USING (case_no)
), base AS (
    SELECT DISTINCT ON (case_no) case_no, due_at, at FROM held
    WHERE due_at IS NOT NULL ORDER BY case_no, at DESC, event_key
), pause AS (
    SELECT case_no, at, stage, lead(at) OVER w AS until, lead(stage) OVER w AS next_stage
    FROM held WHERE stage IN ('suspended', 'resumed') WINDOW w AS (PARTITION BY case_no ORDER BY at)
), paused AS (
    SELECT p.case_no, sum(p.until - p.at) FILTER (WHERE p.at >= coalesce(b.at, '-infinity'))
        AS length, max(p.at) FILTER (WHERE p.until IS NULL) AS since
    FROM pause AS p LEFT JOIN base AS b USING (case_no)
    WHERE p.stage = 'suspended' GROUP BY p.case_no
), ended AS (
    SELECT case_no, max(at) FILTER (WHERE stage = 'closed') AS closed_at,
        max(at) FILTER (WHERE stage = 'reopened') AS reopened_at,
        min(at) FILTER (WHERE stage = 'accepted') AS accepted_at,
        min(at) FILTER (WHERE stage = 'verified') AS verified_at,
        min(at) FILTER (WHERE stage = 'filed') AS filed_at,
        min(at) FILTER (WHERE stage = 'dispatched') AS dispatched_at,
        max(at) FILTER (WHERE stage = 'disposed') AS disposed_at,
        max(at) FILTER (WHERE stage = 'checked') AS checked_at,
        max(at) FILTER (WHERE stage = 'voided') AS voided_at,
        bool_or(stage = 'act_first') AS act_first,
        max(at) FILTER (WHERE result = 'pass') AS passed_at,
        max(at) FILTER (WHERE result = 'substandard') AS failed_at
    FROM held GROUP BY case_no
), told AS (
    SELECT e.*, b.due_at AS base_due_at, p.since AS suspended_at,
        coalesce(p.length, interval '0') AS rest
    FROM ended AS e LEFT JOIN base AS b USING (case_no) LEFT JOIN paused AS p USING (case_no)
), settled AS (
    SELECT t.case_no, coalesce(t.verified_at, k.verified_at) AS verified_at,
        coalesce(t.accepted_at, k.accepted_at) AS accepted_at,
        coalesce(t.filed_at, k.filed_at) AS filed_at, t.dispatched_at, t.disposed_at,
        CASE WHEN t.checked_at >= t.disposed_at THEN t.checked_at END AS checked_at,
        CASE WHEN t.reopened_at > t.closed_at THEN NULL ELSE t.closed_at END
            AS closed_at,
        t.voided_at, t.suspended_at, t.act_first,
        CASE WHEN t.failed_at > coalesce(t.passed_at, '-infinity') THEN 'substandard'
            WHEN t.passed_at IS NOT NULL THEN 'pass' END AS check_result,
        coalesce(t.base_due_at, k.due_stated_at,
            core.disposal_due(k.subcategory_code, coalesce(t.filed_at, k.filed_at, t.accepted_at,
            k.accepted_at))) + t.rest AS due_at
    FROM told AS t JOIN core.case_record AS k USING (case_no)
)
UPDATE core.case_record AS k SET verified_at = s.verified_at, accepted_at = s.accepted_at,
    filed_at = s.filed_at, dispatched_at = s.dispatched_at, disposed_at = s.disposed_at,
    checked_at = s.checked_at, closed_at = s.closed_at, voided_at = s.voided_at,
    suspended_at = s.suspended_at, act_first = s.act_first, check_result = s.check_result,
    due_at = s.due_at, updated_at = now()
FROM settled AS s
WHERE k.case_no = s.case_no AND ROW(k.verified_at, k.accepted_at, k.filed_at, k.dispatched_at,
    k.disposed_at, k.checked_at, k.closed_at, k.voided_at, k.suspended_at, k.act_first,
    k.check_result, k.due_at) IS DISTINCT FROM ROW(s.verified_at, s.accepted_at, s.filed_at,
    s.dispatched_at, s.disposed_at, s.checked_at, s.closed_at, s.voided_at, s.suspended_at,
    s.act_first, s.check_result, s.due_at);

-- name: limit_cases
-- Deadlines by the limits of their day for cases of this file that state none (处置时限).
UPDATE core.case_record AS k SET due_at = d.due_at
FROM (
    SELECT k.case_no, core.disposal_due(k.subcategory_code, coalesce(k.filed_at, k.accepted_at))
        AS due_at
    FROM staged_case AS s JOIN core.case_record AS k USING (case_no)
    WHERE s.due_at IS NULL AND k.due_at IS NULL AND NOT k.self_handled
) AS d
WHERE k.case_no = d.case_no AND d.due_at IS NOT NULL;

-- name: ledger_digest
-- One hash over all events and records, whatever the order in which they came.
SELECT md5(string_agg(part, '' ORDER BY part)) AS digest FROM (
    SELECT md5(CAST(ROW('event', case_no, stage, at, due_at, result, org, actor, note) AS text))
        AS part FROM core.current_event
    UNION ALL SELECT md5(CAST(ROW('task', task_no, case_no, due_at, dispatched_at) AS text))
        FROM core.dispatch_task
    UNION ALL SELECT md5(CAST(ROW('complaint', complaint_no, case_no, source, complained_at,
        response_due_at, responded_at) AS text)) FROM core.complaint
    UNION ALL SELECT md5(CAST(ROW('call', complaint_no, called_at, disposed, satisfied) AS text))
        FROM core.call_back
    UNION ALL SELECT md5(CAST(ROW('whistle', whistle_no, level, stated_region_code, blown_at)
        AS text)) FROM core.whistle
    UNION ALL SELECT md5(CAST(ROW('check', case_no, checked_at, result) AS text))
        FROM core.quality_check
) AS p;
