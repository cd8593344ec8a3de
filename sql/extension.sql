--
-- What CREATE EXTENSION makes: objects, columns, comments.
--
SET client_min_messages = warning;
DROP EXTENSION IF EXISTS ext_ssl_guard CASCADE;
RESET client_min_messages;
CREATE EXTENSION ext_ssl_guard;

-- psql's \dx+ lists row types since 17
SELECT pg_describe_object(d.classid, d.objid, 0) AS object
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
 WHERE e.extname = 'ext_ssl_guard' AND d.deptype = 'e'
   AND NOT (d.classid = 'pg_type'::regclass
            AND d.objid NOT IN ('ssl_guard_severity'::regtype, 'ssl_guard_certificate'::regtype))
 ORDER BY pg_describe_object(d.classid, d.objid, 0) COLLATE "C";

\d ssl_guard_certificates
\d ssl_guard_crls
\d ssl_guard_files
\d ssl_guard_hosts
\d ssl_guard_hba
\d ssl_guard_settings
\d ssl_guard_alarms
\d ssl_guard_status
\d ssl_guard_client_certificates
\d ssl_guard_handshake_failures
\d ssl_guard_sessions
\d ssl_guard_transport
\d ssl_guard_resets
\d ssl_guard_findings
\d ssl_guard_certificate
SELECT enum_range(NULL::ssl_guard_severity);

-- functions that have no view
SELECT f AS function, pg_get_function_arguments(f::regprocedure) AS arguments, pg_get_function_result(f::regprocedure) AS result
  FROM unnest(ARRAY['ssl_guard_check()', 'ssl_guard_inspect(text, text)', 'ssl_guard_inspect(bytea, text)',
                    'ssl_guard_session_certificate()', 'ssl_guard_identity_check(name, text)',
                    'ssl_guard_reset_client_certificates()', 'ssl_guard_reset(text)']) AS f \gx

-- every object has a comment
SELECT pg_describe_object(d.classid, d.objid, 0) AS without_comment
  FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
 WHERE e.extname = 'ext_ssl_guard'
   AND d.classid IN ('pg_proc'::regclass, 'pg_class'::regclass, 'pg_type'::regclass)
   AND pg_describe_object(d.classid, d.objid, 0) NOT LIKE 'type %ssl\_guard\_%[]'
   AND coalesce(obj_description(d.objid, d.classid::regclass::name), '') = ''
   AND NOT (d.classid = 'pg_type'::regclass
            AND d.objid NOT IN ('ssl_guard_severity'::regtype, 'ssl_guard_certificate'::regtype))
 ORDER BY 1;
-- and so has every column of a view or type
SELECT a.attrelid::regclass AS relation, a.attname AS column_without_comment
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE (c.oid IN (SELECT d.objid FROM pg_depend d JOIN pg_extension e ON e.oid = d.refobjid
                   WHERE e.extname = 'ext_ssl_guard' AND d.deptype = 'e' AND d.classid = 'pg_class'::regclass)
        OR c.reltype = 'ssl_guard_certificate'::regtype)
   AND coalesce(col_description(a.attrelid, a.attnum), '') = ''
 ORDER BY 1, 2;
-- a certificate's columns are explained in the same words everywhere
SELECT a.attname, col_description(a.attrelid, a.attnum) AS in_type, col_description(v.attrelid, v.attnum) AS in_view
  FROM pg_attribute a JOIN pg_attribute v ON v.attname = a.attname
 WHERE a.attrelid = 'ssl_guard_certificate'::regclass AND v.attrelid = 'ssl_guard_certificates'::regclass AND a.attnum > 0
   AND (col_description(a.attrelid, a.attnum) <> col_description(v.attrelid, v.attnum) OR a.atttypid <> v.atttypid);
-- all of them are in the view
SELECT a.attname AS not_in_view
  FROM pg_attribute a
 WHERE a.attrelid = 'ssl_guard_certificate'::regclass AND a.attnum > 0 AND NOT EXISTS
       (SELECT FROM pg_attribute v WHERE v.attrelid = 'ssl_guard_certificates'::regclass AND v.attname = a.attname);

-- nothing is SECURITY DEFINER
SELECT count(*) AS security_definer
  FROM pg_proc p JOIN pg_depend d ON d.objid = p.oid AND d.classid = 'pg_proc'::regclass
  JOIN pg_extension e ON e.oid = d.refobjid AND d.refclassid = 'pg_extension'::regclass
 WHERE e.extname = 'ext_ssl_guard' AND p.prosecdef;

-- severities rise
SELECT 'ok'::ssl_guard_severity < 'notice' AND 'notice'::ssl_guard_severity < 'warning'
   AND 'warning'::ssl_guard_severity < 'critical' AS rising;

-- relocatable: the views and the enum go along
CREATE SCHEMA guard;
ALTER EXTENSION ext_ssl_guard SET SCHEMA guard;
SELECT count(*) >= 0 AS works FROM guard.ssl_guard_certificates WHERE severity >= 'ok';
SELECT count(*) >= 0 AS works FROM guard.ssl_guard_files;
SELECT count(*) >= 0 AS works FROM guard.ssl_guard_crls;
SELECT count(*) > 70 AS works FROM guard.ssl_guard_findings WHERE severity > 'ok';
DROP EXTENSION ext_ssl_guard;
CREATE EXTENSION ext_ssl_guard SCHEMA guard;
SELECT count(*) >= 0 AS works FROM guard.ssl_guard_files WHERE severity IN ('ok', 'notice', 'warning', 'critical');
DROP EXTENSION ext_ssl_guard;
DROP SCHEMA guard;
CREATE EXTENSION ext_ssl_guard;
