--
-- ssl_guard_findings: the catalogue.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ext_ssl_guard;
RESET client_min_messages;

-- a code each: well-formed, with its own SQLSTATE, with something to say
SELECT count(*) > 70 AS many, count(*) = count(DISTINCT code) AS codes_differ,
       count(*) = count(DISTINCT sqlstate) AS states_differ,
       bool_and(code ~ '^[a-z][a-z0-9_]+$' AND sqlstate ~ '^SG[0-9]{3}$' AND severity > 'ok'
                AND place <> '' AND message <> '' AND hint <> '') AS sound
  FROM ssl_guard_findings;

-- certificates, a CRL, a file, the server; one that is graded by place
SELECT code, sqlstate, severity, other_grades, place, enforceable
  FROM ssl_guard_findings
 WHERE code IN ('expired', 'weak_signature', 'scram_incompatible_signature', 'malformed_name',
                'crl_expired', 'permissions_too_open', 'reload_failed', 'identity_mismatch')
 ORDER BY sqlstate \gx

-- no other words
SELECT DISTINCT w COLLATE "C" AS place FROM ssl_guard_findings, regexp_split_to_table(place, ', ') AS w ORDER BY 1;
SELECT DISTINCT g COLLATE "C" AS grade FROM ssl_guard_findings, regexp_split_to_table(other_grades, ', ') AS g ORDER BY 1;

-- another grade is one of a place of the row, and a lighter one
SELECT code, place, other_grades
  FROM ssl_guard_findings AS f, regexp_split_to_table(other_grades, ', ') AS g
 WHERE split_part(g, ': ', 1) <> ALL (regexp_split_to_array(place, ', '))
    OR split_part(g, ': ', 2)::ssl_guard_severity >= f.severity;
