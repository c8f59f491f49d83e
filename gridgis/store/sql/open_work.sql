-- name: as_of
-- The newest stage time that is not in the future: so far the data reach. A case with a stage time
-- in the future tells nothing.
SELECT greatest(
    (SELECT max(greatest(reported_at, verified_at, accepted_at, filed_at, dispatched_at,
        disposed_at, checked_at, closed_at, voided_at, suspended_at)) FROM core.case_record
     WHERE greatest(reported_at, verified_at, accepted_at, filed_at, dispatched_at, disposed_at,
        checked_at, closed_at, voided_at, suspended_at) <= now()),
    (SELECT max(dispatched_at) FROM core.dispatch_task WHERE dispatched_at <= now()),
    (SELECT max(at) FROM core.case_event WHERE at <= now() AND stage IN ('returned', 'act_first',
        'suspended', 'resumed', 'extended', 'reminded', 'reopened')));

-- name: reminders
SELECT stage, level, name, name_en, hours, sample FROM core.reminder ORDER BY stage, level;

-- name: stuck_limit
SELECT hand_backs, unowned_hours, sample FROM core.stuck_limit;

-- name: one_process
-- Sums over few rows: starting helpers would take longer.
SET LOCAL max_parallel_workers_per_gather = 0;

-- name: items
-- What is open at a moment (待办): a task not dispatched, a case not closed. Parts of a WITH.
-- Events that were corrected do not count. detour: cases that were suspended or reopened, which
-- their stage times tell only as it is now.
detour AS MATERIALIZED (
    SELECT e.case_no, bool_or(e.stage = 'reopened') AS reopened,
        bool_or(e.stage <> 'reopened') AS rested,
        (array_agg(e.stage ORDER BY e.at DESC, e.stage)
            FILTER (WHERE e.stage <> 'reopened' AND e.at <= :at))[1] = 'suspended' AS resting
    FROM core.case_event AS e
    WHERE e.stage IN ('suspended', 'resumed', 'reopened') AND NOT EXISTS (
        SELECT FROM core.case_event AS later WHERE later.case_no = e.case_no
          AND later.event_key = e.event_key AND later.revision > 1
          AND later.revision > e.revision)
    GROUP BY e.case_no
), open_case AS MATERIALIZED (
    SELECT k.case_no, k.restricted AND NOT :restricted AS hidden, k.subcategory_code,
        core.region_key(k.region_code, k.region_method, k.geom IS NOT NULL) AS region_key,
        k.street_code, k.geom IS NOT NULL AS located, k.disposing_org, k.due_at, k.reported_at,
        coalesce(k.accepted_at, k.filed_at) AS accepted_at,
        coalesce(CASE WHEN d.rested THEN d.resting ELSE k.suspended_at <= :at END, false)
            AS resting,
        coalesce(CASE WHEN k.dispatched_at <= :at THEN true ELSE (
            SELECT min(t.dispatched_at) FROM core.dispatch_task AS t WHERE t.case_no = k.case_no
        ) <= :at END, false) AS dispatched
    FROM core.reported_case AS k LEFT JOIN detour AS d USING (case_no)
    WHERE NOT k.self_handled AND k.listed_at <= :at
      AND (k.closed_at IS NULL OR k.closed_at > :at) AND (k.voided_at IS NULL OR k.voided_at > :at)
      AND (k.listed_at > CAST(:at AS timestamptz) - interval '7 days' OR k.closed_at IS NULL
        OR k.closed_at - k.listed_at > interval '7 days')
      AND CASE WHEN d.reopened THEN (
            SELECT e.stage FROM core.current_event AS e
            WHERE e.case_no = k.case_no AND e.stage IN ('closed', 'reopened') AND e.at <= :at
            ORDER BY e.at DESC, e.stage DESC LIMIT 1
        ) IS DISTINCT FROM 'closed' ELSE true END
      AND (CAST(:district AS text) IS NULL OR k.region_code = :district)
      AND (CAST(:street AS text) IS NULL OR k.street_code = :street)
      AND (CAST(:category AS text) IS NULL OR starts_with(k.subcategory_code, :category))
), handed_back AS MATERIALIZED (
    SELECT n.case_no, CAST(greatest(sum(n.events), sum(n.tasks)) AS integer) AS hand_backs
    FROM (
        SELECT e.case_no, 1 AS events, 0 AS tasks FROM core.case_event AS e
        WHERE e.stage = 'returned' AND e.at <= :at AND NOT EXISTS (
            SELECT FROM core.case_event AS later WHERE later.case_no = e.case_no
              AND later.event_key = e.event_key AND later.revision > 1
              AND later.revision > e.revision)
        UNION ALL
        SELECT t.case_no, 0, 1 FROM core.dispatch_task AS t WHERE t.is_hand_back
    ) AS n GROUP BY n.case_no
), limited AS (
    SELECT 'dispose' AS stage, o.case_no AS item_no, o.disposing_org AS org, o.due_at AS limit_at,
        CAST(:soon_dispose AS interval) AS soon, o.*
    FROM open_case AS o WHERE o.accepted_at <= :at
    UNION ALL
    SELECT 'dispatch', t.task_no, coalesce(t.disposing_org, o.disposing_org), t.due_at,
        CAST(:soon_dispatch AS interval), o.*
    FROM core.dispatch_task AS t JOIN open_case AS o USING (case_no)
    WHERE t.dispatched_at IS NULL OR t.dispatched_at > :at
), judged AS (
    SELECT l.stage, l.item_no, l.case_no, l.hidden, l.subcategory_code, l.region_key,
        l.street_code, l.located, l.org, l.limit_at, coalesce(h.hand_backs, 0) AS hand_backs,
        coalesce(l.accepted_at, l.reported_at) AS since_at,
        NOT l.dispatched AND l.org IS NULL AS unowned,
        CASE WHEN l.hidden THEN 'restricted' WHEN l.resting THEN 'suspended'
            WHEN l.limit_at IS NULL THEN 'no_limit' WHEN l.limit_at < :at THEN 'overdue'
            WHEN l.limit_at <= CAST(:at AS timestamptz) + l.soon THEN 'due_soon'
            ELSE 'in_time' END AS state
    FROM limited AS l LEFT JOIN handed_back AS h USING (case_no)
    WHERE (CAST(:stage AS text) IS NULL OR l.stage = :stage)
      AND (NOT l.hidden OR (CAST(:district AS text) IS NULL AND CAST(:street AS text) IS NULL
        AND CAST(:category AS text) IS NULL))
), item AS MATERIALIZED (
    SELECT j.*, p.proposal FROM judged AS j CROSS JOIN LATERAL (SELECT CASE
        WHEN j.unowned AND j.since_at < CAST(:at AS timestamptz) - CAST(:unowned AS interval)
            THEN 'act_first'
        WHEN j.hand_backs >= :hand_backs THEN 'whistle' END AS proposal) AS p
    WHERE CAST(:stuck AS boolean) IS NULL OR :stuck = (p.proposal IS NOT NULL)
)

-- name: page
-- The items after a position, those with the earliest limit first; and all of them counted.
, page AS (
    SELECT i.* FROM item AS i
    WHERE NOT i.hidden AND CASE WHEN CAST(:state AS text) IS NULL THEN i.state <> 'suspended'
            ELSE i.state = :state END
      AND (CAST(:after_no AS text) IS NULL
        OR (coalesce(i.limit_at, 'infinity'), i.stage, i.item_no)
            > (CAST(:after_at AS timestamptz), :after_stage, :after_no))
    ORDER BY coalesce(i.limit_at, 'infinity'), i.stage, i.item_no LIMIT :limit
), counted AS (
    SELECT jsonb_agg(to_jsonb(s)) AS counts FROM (
        SELECT i.stage, i.state, count(*) AS items, count(*) FILTER (WHERE i.located) AS located,
            count(i.proposal) AS stuck
        FROM item AS i WHERE CAST(:count AS boolean) GROUP BY i.stage, i.state
    ) AS s
)
SELECT n.counts, p.stage, p.item_no, p.case_no,
    CASE WHEN p.stage = 'dispatch' THEN p.item_no END AS task_no, p.subcategory_code,
    c.name AS subcategory_name, k.source, s.name AS source_name, p.region_key,
    (SELECT r.name FROM core.region AS r WHERE r.region_code = p.region_key
     ORDER BY r.valid_from DESC LIMIT 1) AS region_name,
    p.street_code,
    (SELECT t.name FROM core.street AS t WHERE t.street_code = p.street_code
     ORDER BY t.valid_from DESC LIMIT 1) AS street_name,
    k.cell_code, coalesce(p.org, core.dispatched_to(p.case_no, :at)) AS disposing_org, k.is_key,
    p.since_at, p.limit_at, p.state, p.hand_backs, p.proposal, ST_X(k.geom) AS lon,
    ST_Y(k.geom) AS lat
FROM counted AS n LEFT JOIN page AS p ON true
LEFT JOIN core.case_record AS k ON k.case_no = p.case_no
LEFT JOIN core.category AS c ON c.category_code = p.subcategory_code
LEFT JOIN core.source_name AS s ON s.source = k.source
ORDER BY coalesce(p.limit_at, 'infinity'), p.stage, p.item_no

-- name: summary
-- Items per group of one kind (分组统计); restricted classes are one group without any other fact.
, told AS (
    SELECT i.stage, i.state, i.proposal, i.limit_at,
        CASE WHEN i.state = 'overdue'
            THEN extract(epoch FROM CAST(:at AS timestamptz) - i.limit_at) / 3600 END AS hours,
        CASE WHEN i.hidden THEN 'restricted' ELSE CASE :by WHEN 'region' THEN i.region_key
            WHEN 'street' THEN coalesce(i.street_code,
                CASE WHEN i.located THEN 'outside_streets' ELSE 'unlocated' END)
            WHEN 'subcategory' THEN i.subcategory_code
            WHEN 'organisation' THEN coalesce(i.org, core.dispatched_to(i.case_no, :at), '')
            WHEN 'lateness' THEN CASE WHEN i.state = 'overdue' THEN '+' || width_bucket(
                extract(epoch FROM CAST(:at AS timestamptz) - i.limit_at) / 3600,
                CAST(:edges AS numeric[])) ELSE i.state END
            END END AS code
    FROM item AS i
    WHERE CASE WHEN CAST(:state AS text) IS NULL THEN i.state <> 'suspended'
            ELSE i.state = :state END
), grouped AS (
    SELECT t.stage, t.code, count(*) AS items,
        count(*) FILTER (WHERE t.state = 'overdue') AS overdue,
        count(*) FILTER (WHERE t.state = 'due_soon') AS due_soon,
        count(*) FILTER (WHERE t.state = 'in_time') AS in_time,
        count(*) FILTER (WHERE t.state = 'no_limit') AS no_limit,
        count(*) FILTER (WHERE t.state = 'suspended') AS suspended,
        count(*) FILTER (WHERE t.state = 'restricted') AS restricted,
        count(t.proposal) FILTER (WHERE t.state <> 'restricted') AS stuck,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY t.hours) AS median_hours,
        max(t.hours) AS most_hours
    FROM told AS t GROUP BY t.stage, t.code
)
SELECT g.*, CASE :by
    WHEN 'region' THEN (SELECT r.name FROM core.region AS r WHERE r.region_code = g.code
        ORDER BY r.valid_from DESC LIMIT 1)
    WHEN 'street' THEN (SELECT s.name FROM core.street AS s WHERE s.street_code = g.code
        ORDER BY s.valid_from DESC LIMIT 1)
    WHEN 'subcategory' THEN (SELECT c.name FROM core.category AS c
        WHERE c.category_code = g.code)
    WHEN 'organisation' THEN nullif(g.code, '') END AS name,
    CASE :by WHEN 'region' THEN (SELECT r.name_en FROM core.region AS r
        WHERE r.region_code = g.code ORDER BY r.valid_from DESC LIMIT 1) END AS name_en
FROM grouped AS g ORDER BY g.stage, g.code

-- name: report_lateness
-- From discovery to report (上报时延), of the cases that count in a period.
SELECT CASE WHEN grouping(t.source) = 0 THEN 'source' WHEN grouping(t.region_key) = 0
        THEN 'region' ELSE 'all' END AS by,
    coalesce(t.source, t.region_key) AS code, count(*) AS cases, count(t.minutes) AS known,
    percentile_cont(0.5) WITHIN GROUP (ORDER BY t.minutes) AS median_minutes,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY t.minutes) AS p90_minutes,
    CASE WHEN grouping(t.source) = 0
        THEN (SELECT s.name FROM core.source_name AS s WHERE s.source = t.source)
        ELSE (SELECT r.name FROM core.region AS r WHERE r.region_code = t.region_key
            ORDER BY r.valid_from DESC LIMIT 1) END AS name,
    CASE WHEN grouping(t.source) = 0
        THEN (SELECT s.name_en FROM core.source_name AS s WHERE s.source = t.source)
        ELSE (SELECT r.name_en FROM core.region AS r WHERE r.region_code = t.region_key
            ORDER BY r.valid_from DESC LIMIT 1) END AS name_en
FROM (
    SELECT k.source, k.region_key,
        CAST(extract(epoch FROM k.reported_at - k.discovered_at) / 60 AS double precision)
            AS minutes
    FROM core.reported_case AS k
    WHERE k.counted_at >= :start_at AND k.counted_at < :end_at
      AND k.listed_at >= :start_at AND k.listed_at < :end_at
) AS t
GROUP BY GROUPING SETS ((), (t.source), (t.region_key))
ORDER BY 1, 2
