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
-- What a staged event is to those already there: the same one, a correction of one, or a new one. Its
-- own key tells; without one, an event of the same stage and time that no other row of the file means.
-- What the file has no column for stays as it is.
CREATE TEMP TABLE matched_event ON COMMIT DROP AS
WITH held AS MATERIALIZED (
    SELECT e.* FROM core.current_event AS e
    WHERE e.case_no IN (SELECT case_no FROM staged_record)
), near AS (
    SELECT s.row_no, s.case_no, s.event_key AS own_key, h.event_key,
        row_number() OVER (PARTITION BY s.case_no, s.event_key ORDER BY h.event_key) AS pick,
        row_number() OVER (PARTITION BY h.case_no, h.event_key
            ORDER BY s.row_no, s.event_key) AS claim
    FROM staged_record AS s
    JOIN held AS h ON h.case_no = s.case_no AND h.stage = s.stage AND h.at = s.at
    WHERE NOT (starts_with(s.event_key, '#') AND starts_with(h.event_key, '#'))
      AND NOT EXISTS (SELECT FROM held AS x
          WHERE x.case_no = s.case_no AND x.event_key = s.event_key)
      AND NOT EXISTS (SELECT FROM staged_record AS y
          WHERE y.case_no = h.case_no AND y.event_key = h.event_key)
), told AS (
    SELECT s.row_no, s.case_no, coalesce(h.event_key, s.event_key) AS event_key, s.stage, s.at,
        CASE WHEN 'due_at' = ANY(g.names) THEN s.due_at ELSE h.due_at END AS due_at,
        CASE WHEN 'result' = ANY(g.names) THEN s.result ELSE h.result END AS result,
        CASE WHEN 'org' = ANY(g.names) THEN s.org ELSE h.org END AS org,
        CASE WHEN 'actor' = ANY(g.names) THEN s.actor ELSE h.actor END AS actor,
        CASE WHEN 'note' = ANY(g.names) THEN s.note ELSE h.note END AS note,
        coalesce(h.revision, 0) AS held_revision, h.stage AS held_stage, h.at AS held_at,
        ROW(h.due_at, h.result, h.org, h.actor, h.note) AS held_rest
    FROM staged_record AS s
    CROSS JOIN (SELECT CAST(:given AS text[]) AS names) AS g
    LEFT JOIN near AS n ON n.row_no = s.row_no AND n.case_no = s.case_no
        AND n.own_key = s.event_key AND n.pick = 1 AND n.claim = 1
    LEFT JOIN held AS h ON h.case_no = s.case_no
        AND h.event_key = coalesce(n.event_key, s.event_key)
)
SELECT row_no, case_no, event_key, stage, at, due_at, result, org, actor, note, held_revision,
    held_revision > 0 AND stage = held_stage AND at = held_at
        AND held_rest IS NOT DISTINCT FROM ROW(due_at, result, org, actor, note) AS same
FROM told;

-- name: illegal_events
-- The first event of each case that cannot follow the one before it, in the order of time; at one
-- time, in the order of the files and their rows. What is the same as a stored event is that event.
WITH held AS MATERIALIZED (
    SELECT NULL::integer AS row_no, e.case_no, e.stage, e.at, e.result, e.file_id,
        e.row_no AS turn
    FROM core.current_event AS e
    WHERE e.case_no IN (SELECT case_no FROM matched_event WHERE NOT same) AND NOT EXISTS (
        SELECT FROM matched_event AS m
        WHERE m.case_no = e.case_no AND m.event_key = e.event_key AND NOT m.same)
    UNION ALL
    SELECT row_no, case_no, stage, at, result, NULL, row_no FROM matched_event WHERE NOT same
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
    WINDOW w AS (PARTITION BY h.case_no ORDER BY h.at, h.file_id NULLS LAST, h.turn, r.rank
        ROWS UNBOUNDED PRECEDING)
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
-- the suspensions that began after it was set and before it was over. A case that was disposed of
-- again waits for its check.
WITH held AS MATERIALIZED (
    SELECT e.* FROM core.current_event AS e JOIN touched USING (case_no)
), base AS (
    SELECT DISTINCT ON (case_no) case_no, due_at, at FROM held
    WHERE due_at IS NOT NULL ORDER BY case_no, at DESC, event_key
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
    SELECT e.case_no, coalesce(e.verified_at, k.verified_at) AS verified_at,
        coalesce(e.accepted_at, k.accepted_at) AS accepted_at,
        coalesce(e.filed_at, k.filed_at) AS filed_at, e.dispatched_at, e.disposed_at,
        CASE WHEN e.checked_at >= e.disposed_at THEN e.checked_at END AS checked_at,
        CASE WHEN e.reopened_at >= e.closed_at THEN NULL ELSE e.closed_at END AS closed_at,
        e.voided_at, e.act_first,
        CASE WHEN e.failed_at > coalesce(e.passed_at, '-infinity') THEN 'substandard'
            WHEN e.passed_at IS NOT NULL THEN 'pass' END AS check_result,
        coalesce(b.at, '-infinity') AS set_at,
        coalesce(b.due_at, k.due_stated_at, CASE WHEN NOT k.self_handled THEN
            core.disposal_due(k.subcategory_code, coalesce(e.filed_at, k.filed_at, e.accepted_at,
            k.accepted_at)) END) AS due_at
    FROM ended AS e JOIN core.case_record AS k USING (case_no) LEFT JOIN base AS b USING (case_no)
), pause AS (
    SELECT case_no, at, stage, lead(at) OVER w AS until
    FROM held WHERE stage IN ('suspended', 'resumed')
    WINDOW w AS (PARTITION BY case_no ORDER BY at, file_id, row_no)
), rest AS (
    SELECT p.case_no, p.at, p.until, t.due_at, coalesce(sum(p.until - p.at) OVER (
        PARTITION BY p.case_no ORDER BY p.at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), interval '0') AS earlier
    FROM pause AS p JOIN told AS t USING (case_no)
    WHERE p.stage = 'suspended' AND p.at >= t.set_at
), rested AS (
    SELECT case_no, sum(until - at) FILTER (WHERE at < due_at + earlier) AS length
    FROM rest GROUP BY case_no
), resting AS (
    SELECT case_no, max(at) AS since FROM pause
    WHERE stage = 'suspended' AND until IS NULL GROUP BY case_no
), settled AS (
    SELECT t.case_no, t.verified_at, t.accepted_at, t.filed_at, t.dispatched_at, t.disposed_at,
        t.checked_at, t.closed_at, t.voided_at,
        CASE WHEN t.closed_at IS NULL AND t.voided_at IS NULL THEN p.since END AS suspended_at,
        t.act_first, t.check_result, t.due_at + coalesce(r.length, interval '0') AS due_at
    FROM told AS t LEFT JOIN rested AS r USING (case_no) LEFT JOIN resting AS p USING (case_no)
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
    OFFSET 0  -- once a case, not once for the filter and once for the value
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
