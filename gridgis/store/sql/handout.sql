-- name: cases
-- Cases as they came, in the fields of an import; the numbers of a point under their own CRS.
SELECT k.case_no, coalesce(c.name, k.subcategory_code) AS subcategory,
    coalesce(s.name, k.source) AS source, k.description, k.address_text, k.stated_region,
    k.src_x AS x, k.src_y AS y, k.src_crs AS crs, k.cell_code_stated, k.severity,
    k.disposing_org, k.self_handled, k.is_key, k.discovered_at, k.reported_at, k.verified_at,
    k.accepted_at, k.filed_at, k.dispatched_at, k.due_stated_at AS due_at, k.disposed_at,
    k.checked_at, k.closed_at, k.voided_at, k.suspended_at
FROM core.reported_case AS k
LEFT JOIN core.category AS c ON c.category_code = k.subcategory_code
LEFT JOIN core.source_name AS s ON s.source = k.source
WHERE (CAST(:month AS integer) IS NULL OR k.month = :month)
  AND (:restricted OR NOT k.restricted) ORDER BY k.case_no;

-- name: events
-- A row a case: the events that came in such rows, so with the stage as their key.
SELECT e.case_no, max(e.at) FILTER (WHERE e.stage = 'reported') AS reported_at,
    max(e.at) FILTER (WHERE e.stage = 'verified') AS verified_at,
    max(e.at) FILTER (WHERE e.stage = 'accepted') AS accepted_at,
    max(e.at) FILTER (WHERE e.stage = 'filed') AS filed_at,
    max(e.at) FILTER (WHERE e.stage = 'dispatched') AS dispatched_at,
    max(e.at) FILTER (WHERE e.stage = 'disposed') AS disposed_at,
    max(e.at) FILTER (WHERE e.stage = 'checked') AS checked_at,
    max(e.at) FILTER (WHERE e.stage = 'closed') AS closed_at,
    max(e.at) FILTER (WHERE e.stage = 'suspended') AS suspended_at,
    max(e.at) FILTER (WHERE e.stage = 'voided') AS voided_at,
    max(e.due_at) AS due_at, max(e.result) AS result, max(e.org) AS org, max(e.actor) AS actor,
    max(e.note) AS note
FROM core.current_event AS e JOIN core.reported_case AS k USING (case_no)
WHERE e.event_key = e.stage AND (CAST(:month AS integer) IS NULL OR k.month = :month)
  AND (:restricted OR NOT k.restricted)
GROUP BY e.case_no ORDER BY e.case_no;

-- name: event_log
-- A row an event: those that are not in the rows by case.
SELECT e.case_no, e.stage, e.at,
    CASE WHEN starts_with(e.event_key, '#') THEN substr(e.event_key, 2) END AS event_no,
    e.due_at, e.result, e.org, e.actor, e.note
FROM core.current_event AS e JOIN core.reported_case AS k USING (case_no)
WHERE e.event_key <> e.stage AND (CAST(:month AS integer) IS NULL OR k.month = :month)
  AND (:restricted OR NOT k.restricted)
ORDER BY e.case_no, e.at;

-- name: tasks
SELECT t.task_no, t.case_no, t.due_at, t.dispatched_at, t.dispatcher_org, t.disposing_org,
    t.is_rework, t.is_hand_back
FROM core.dispatch_task AS t JOIN core.reported_case AS k USING (case_no)
WHERE (CAST(:month AS integer) IS NULL OR k.month = :month)
  AND (:restricted OR NOT k.restricted) ORDER BY t.task_no;

-- name: complaints
SELECT p.complaint_no, p.case_no, coalesce(s.name, p.source) AS source, p.complained_at,
    p.response_due_at, p.responded_at, p.stated_region, p.place, p.description
FROM core.complaint AS p
LEFT JOIN core.source_name AS s ON s.source = p.source
LEFT JOIN core.reported_case AS k USING (case_no) CROSS JOIN core.city AS c
WHERE (CAST(:month AS integer) IS NULL OR :month = CAST(to_char(p.complained_at
    AT TIME ZONE c.time_zone, 'YYYYMM') AS integer))
  AND (:restricted OR NOT coalesce(k.restricted, false))
ORDER BY p.complaint_no;

-- name: callbacks
SELECT b.complaint_no, b.called_at, b.disposed, b.satisfied, b.note
FROM core.call_back AS b JOIN core.complaint AS p USING (complaint_no)
LEFT JOIN core.reported_case AS k USING (case_no) CROSS JOIN core.city AS c
WHERE (CAST(:month AS integer) IS NULL OR :month = CAST(to_char(p.complained_at
    AT TIME ZONE c.time_zone, 'YYYYMM') AS integer))
  AND (:restricted OR NOT coalesce(k.restricted, false))
ORDER BY b.complaint_no, b.called_at;

-- name: whistles
SELECT w.whistle_no, w.level, w.stated_region, w.blown_at, w.title, w.participants, w.cases,
    w.resolved_at
FROM core.reported_whistle AS w CROSS JOIN core.city AS c
WHERE (CAST(:month AS integer) IS NULL OR :month = CAST(to_char(w.blown_at
    AT TIME ZONE c.time_zone, 'YYYYMM') AS integer))
  AND (:restricted OR w.region_key <> 'restricted')
ORDER BY w.whistle_no;

-- name: checks
SELECT q.case_no, q.checked_at, q.result, q.problem, q.checker
FROM core.quality_check AS q JOIN core.reported_case AS k USING (case_no)
WHERE (CAST(:month AS integer) IS NULL OR k.month = :month)
  AND (:restricted OR NOT k.restricted) ORDER BY q.case_no, q.checked_at;
