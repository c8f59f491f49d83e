-- name: intake
-- Cases that count in the period, by their own day of counting.
SELECT k.case_no, k.region_key,
    k.source, k.tier, k.self_handled, k.case_kind, k.class_code AS subcategory_code, k.counted_at,
    1 AS weight, true AS n
FROM core.reported_case AS k
WHERE k.counted_at >= :start_at AND k.counted_at < :end_at

-- name: closing
-- Cases that were to be closed in the period, or before and still open at its start; weighted. A
-- case that was closed before the month it is due in counts in that month.
SELECT k.case_no, k.region_key,
    k.tier, r.assessment_type, k.class_code AS subcategory_code, k.due_at, k.closed_at,
    coalesce(r.base_weight, 1) AS weight,
    k.due_at >= :start_at AS due,
    k.due_at >= :start_at AND coalesce(k.closed_at <= k.due_at, false) AS on_time,
    k.due_at >= :start_at AND NOT coalesce(k.closed_at <= k.due_at, false) AS overdue,
    true AS cumulative,
    coalesce(k.closed_at < :end_at, false) AS closed,
    NOT coalesce(k.closed_at < :end_at, false) AS unclosed,
    k.due_at >= :start_at AND coalesce(k.closed_at < :end_at, false) AS closed_due,
    k.due_at < :start_at AS carried_over
FROM core.reported_case AS k
CROSS JOIN core.city AS c
LEFT JOIN core.subcategory_rule AS r ON r.subcategory_code = k.subcategory_code
    AND r.valid_from <= (coalesce(k.filed_at, k.accepted_at, k.reported_at)
        AT TIME ZONE c.time_zone)::date
    AND r.valid_to > (coalesce(k.filed_at, k.accepted_at, k.reported_at)
        AT TIME ZONE c.time_zone)::date
WHERE NOT k.self_handled AND k.voided_at IS NULL AND k.due_at < :end_at
  AND (k.due_at >= :start_at OR k.closed_at IS NULL OR k.closed_at >= :start_at)

-- name: tasks
SELECT t.task_no, t.case_no, k.region_key,
    k.class_code AS subcategory_code, t.due_at, t.dispatched_at, t.is_rework, t.is_hand_back, 1 AS weight,
    true AS due, coalesce(t.dispatched_at <= t.due_at, false) AS on_time,
    NOT coalesce(t.dispatched_at <= t.due_at, false) AS overdue
FROM core.dispatch_task AS t JOIN core.reported_case AS k USING (case_no)
WHERE t.due_at >= :start_at AND t.due_at < :end_at AND k.voided_at IS NULL

-- name: response
-- The first complaint of each case from the hotline (接诉即办), by the day its response is due.
SELECT f.complaint_no, f.case_no, f.complained_at, f.response_due_at, f.responded_at,
    CASE WHEN k.case_no IS NULL THEN coalesce(f.stated_region_code, 'unlocated')
        ELSE k.region_key END AS region_key,
    1 AS weight, true AS due,
    coalesce(f.responded_at <= f.response_due_at, false) AS responded,
    coalesce(d.disposed, k.disposed_at < :end_at, false) AS disposed,
    s.satisfied IS NOT NULL AS called, coalesce(s.satisfied, false) AS satisfied
FROM (
    SELECT DISTINCT ON (case_no IS NULL, coalesce(case_no, complaint_no)) *
    FROM core.complaint WHERE source = 'hotline_12345'
    ORDER BY case_no IS NULL, coalesce(case_no, complaint_no), complained_at, complaint_no
) AS f
LEFT JOIN core.reported_case AS k USING (case_no)
LEFT JOIN LATERAL (SELECT b.disposed FROM core.call_back AS b
    WHERE b.complaint_no = f.complaint_no AND b.disposed IS NOT NULL
    ORDER BY b.called_at DESC LIMIT 1) AS d ON true
LEFT JOIN LATERAL (SELECT b.satisfied FROM core.call_back AS b
    WHERE b.complaint_no = f.complaint_no AND b.satisfied IS NOT NULL
    ORDER BY b.called_at DESC LIMIT 1) AS s ON true
WHERE f.response_due_at >= :start_at AND f.response_due_at < :end_at

-- name: complaints
SELECT p.complaint_no, p.case_no, p.complained_at, p.source,
    CASE WHEN NOT coalesce(k.restricted, false) THEN p.place END AS place,
    CASE WHEN k.case_no IS NULL THEN coalesce(p.stated_region_code, 'unlocated')
        ELSE k.region_key END AS region_key,
    k.class_code AS subcategory_code, 1 AS weight, true AS n
FROM core.complaint AS p LEFT JOIN core.reported_case AS k USING (case_no)
WHERE p.complained_at >= :start_at AND p.complained_at < :end_at

-- name: whistles
SELECT w.whistle_no, w.level, w.region_key,
    w.blown_at, w.title, w.participants, w.cases, w.resolved_at, 1 AS weight, true AS n
FROM core.reported_whistle AS w WHERE w.blown_at >= :start_at AND w.blown_at < :end_at

-- name: whistles_resolved
SELECT w.whistle_no, w.level, w.region_key,
    w.blown_at, w.title, w.participants, w.cases, w.resolved_at, 1 AS weight, true AS n
FROM core.reported_whistle AS w WHERE w.resolved_at >= :start_at AND w.resolved_at < :end_at

-- name: checks
-- Cases that were checked in the period, by the last check (结案质量).
SELECT q.case_no, k.region_key,
    q.checked_at, q.result, q.problem, q.checker, 1 AS weight, true AS checked,
    q.result = 'substandard' AS substandard
FROM (
    SELECT DISTINCT ON (case_no) * FROM core.quality_check
    WHERE checked_at >= :start_at AND checked_at < :end_at ORDER BY case_no, checked_at DESC
) AS q JOIN core.reported_case AS k USING (case_no)

-- name: key_cases
SELECT k.case_no, k.region_key,
    k.class_code AS subcategory_code, k.closed_at, 1 AS weight, true AS resolved
FROM core.reported_case AS k
WHERE k.is_key AND k.closed_at >= :start_at AND k.closed_at < :end_at

-- name: rectification
-- Cases of a region to work off: open at the end of the period, or closed too late in it.
SELECT k.case_no, coalesce(c.name, k.subcategory_code) AS subcategory, s.name AS street,
    k.address_text, k.due_at, k.closed_at, k.disposing_org
FROM core.reported_case AS k
LEFT JOIN core.category AS c ON c.category_code = k.subcategory_code
LEFT JOIN LATERAL (
    SELECT x.name FROM core.street AS x WHERE x.street_code = k.street_code
    ORDER BY x.valid_from DESC LIMIT 1
) AS s ON true
WHERE k.region_key = :region AND NOT k.self_handled AND k.voided_at IS NULL
  AND k.due_at < :end_at AND (coalesce(k.closed_at >= :end_at, true)
    OR k.due_at >= :start_at AND k.closed_at > k.due_at)
ORDER BY coalesce(k.closed_at < :end_at, false), k.due_at, k.case_no;

-- name: counts_any
-- Does any case count in a month (YYYYMM)?
SELECT EXISTS (SELECT FROM core.case_record WHERE month = :month);

-- name: days
-- Cases by the local day on which they count.
SELECT (k.counted_at AT TIME ZONE c.time_zone)::date AS day, count(*) AS cases
FROM core.case_record AS k CROSS JOIN core.city AS c
WHERE k.counted_at >= :start_at AND k.counted_at < :end_at GROUP BY 1 ORDER BY 1;

-- name: keep_draft
-- The draft of a month, in place of the one before; the number after the last signed issue.
INSERT INTO runs.report_issue (month, region_code, issue_no, status, data_version, model)
SELECT :month, :region_code, coalesce(max(i.issue_no) FILTER (WHERE i.status = 'signed'), 0) + 1,
    'draft', (SELECT version FROM core.data_version), CAST(:model AS jsonb)
FROM runs.report_issue AS i WHERE i.month = :month AND i.region_code = :region_code
ON CONFLICT (month, region_code, issue_no) DO UPDATE SET model = excluded.model,
    data_version = excluded.data_version, made_at = now()
    WHERE report_issue.status = 'draft'
RETURNING issue_no;

-- name: sign_draft
UPDATE runs.report_issue SET status = 'signed', signed_by = :signed_by, signed_at = now()
WHERE month = :month AND region_code = :region_code AND status = 'draft'
RETURNING issue_no;

-- name: read_issue
-- An issue of a month: the one asked for, or the newest.
SELECT issue_no, status, data_version, model, made_at, signed_by, signed_at,
    data_version <> (SELECT version FROM core.data_version) AS outdated
FROM runs.report_issue
WHERE month = :month AND region_code = :region_code
  AND (CAST(:issue_no AS integer) IS NULL OR issue_no = :issue_no)
ORDER BY issue_no DESC LIMIT 1;

-- name: read_signed
-- The newest signed issue of a month.
SELECT issue_no, model FROM runs.report_issue
WHERE month = :month AND region_code = :region_code AND status = 'signed'
ORDER BY issue_no DESC LIMIT 1;

-- name: list_issues
SELECT month, region_code, issue_no, status, data_version, made_at, signed_by, signed_at
FROM runs.report_issue ORDER BY month DESC, region_code, issue_no DESC;

-- name: keep_text
INSERT INTO runs.report_text (month, region_code, paragraph, edited, author)
VALUES (:month, :region_code, :paragraph, :edited, :author)
ON CONFLICT (month, region_code, paragraph) DO UPDATE SET edited = excluded.edited,
    author = excluded.author, edited_at = now();

-- name: drop_text
DELETE FROM runs.report_text
WHERE month = :month AND region_code = :region_code AND paragraph = :paragraph;

-- name: read_texts
SELECT paragraph, edited FROM runs.report_text
WHERE month = :month AND region_code = :region_code;

-- name: data_version
SELECT version FROM core.data_version;
