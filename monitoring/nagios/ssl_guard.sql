-- For action custom_query of check_postgres, with --warning=1 --critical=2:
-- 0 all is well, 1 warnings stand or the last check is too old, 2 critical alarms
-- stand or nobody checks.  The other column is its performance data.
SELECT CASE WHEN worker_pid IS NULL OR criticals > 0 THEN 2
            WHEN warnings > 0 OR next_check_at < now() - interval '15 minutes' THEN 1
            ELSE 0 END AS result,
       criticals + warnings AS alarms
FROM ssl_guard_status
