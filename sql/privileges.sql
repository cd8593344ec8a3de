--
-- Who may do what: PUBLIC nothing but its own certificate, pg_monitor may read.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ext_ssl_guard;
RESET client_min_messages;

CREATE ROLE regress_ssl_guard_nobody;
CREATE ROLE regress_ssl_guard_monitor IN ROLE pg_monitor;

\set VERBOSITY terse
SET ROLE regress_ssl_guard_nobody;
SELECT count(*) FROM ssl_guard_certificates;
SELECT count(*) FROM ssl_guard_crls;
SELECT count(*) FROM ssl_guard_files;
SELECT count(*) FROM ssl_guard_hosts;
SELECT count(*) FROM ssl_guard_hba;
SELECT count(*) FROM ssl_guard_settings;
SELECT count(*) FROM ssl_guard_findings;
SELECT count(*) FROM ssl_guard_alarms;
SELECT count(*) FROM ssl_guard_status;
SELECT count(*) FROM ssl_guard_sessions;
SELECT count(*) FROM ssl_guard_transport;
SELECT count(*) FROM ssl_guard_resets;
SELECT count(*) FROM ssl_guard_list_certificates();
SELECT count(*) FROM ssl_guard_list_crls();
SELECT count(*) FROM ssl_guard_list_files();
SELECT count(*) FROM ssl_guard_list_hosts();
SELECT count(*) FROM ssl_guard_list_hba();
SELECT count(*) FROM ssl_guard_list_settings();
SELECT count(*) FROM ssl_guard_list_findings();
SELECT count(*) FROM ssl_guard_list_sessions();
SELECT count(*) FROM ssl_guard_list_transport();
SELECT count(*) FROM ssl_guard_list_resets();
SELECT ssl_guard_reset('transport');
SELECT count(*) FROM ssl_guard_list_alarms();
SELECT count(*) FROM ssl_guard_read_status();
SELECT count(*) FROM ssl_guard_check();
SELECT count(*) FROM ssl_guard_inspect('x');
SELECT count(*) FROM ssl_guard_inspect('x'::bytea);
SELECT has_function_privilege('ssl_guard_session_certificate()', 'EXECUTE') AS own_certificate;
RESET ROLE;

SET ROLE regress_ssl_guard_monitor;
SELECT count(*) >= 0 AS allowed FROM ssl_guard_certificates;
SELECT count(*) >= 0 AS allowed FROM ssl_guard_crls;
SELECT count(*) >= 0 AS allowed FROM ssl_guard_files;
SELECT count(*) >= 0 AS allowed FROM ssl_guard_hosts;
SELECT count(*) >= 0 AS allowed FROM ssl_guard_hba;
SELECT count(*) >= 0 AS allowed FROM ssl_guard_settings;
SELECT count(*) >= 0 AS allowed FROM ssl_guard_findings;
SELECT count(*) FROM ssl_guard_inspect(NULL::text);
SELECT count(*) FROM ssl_guard_inspect(NULL::bytea);
SELECT c.relname, has_table_privilege(c.oid, 'SELECT') AS readable,
       has_table_privilege(c.oid, 'INSERT, UPDATE, DELETE') AS writable
  FROM pg_class c WHERE c.relname IN ('ssl_guard_certificates', 'ssl_guard_crls', 'ssl_guard_files',
                                      'ssl_guard_alarms', 'ssl_guard_status', 'ssl_guard_sessions',
                                      'ssl_guard_transport', 'ssl_guard_resets')
 ORDER BY 1;
SELECT f, has_function_privilege(f, 'EXECUTE') AS allowed
  FROM unnest(ARRAY['ssl_guard_check()', 'ssl_guard_inspect(text, text)', 'ssl_guard_inspect(bytea, text)',
                    'ssl_guard_session_certificate()']) AS f;
RESET ROLE;

-- of all the extension's objects: what PUBLIC may use, what pg_monitor may not
SELECT r.role, p.oid::regprocedure::text AS function,
       has_function_privilege(r.role, p.oid, 'EXECUTE') AS allowed
  FROM pg_extension e
  JOIN pg_depend d ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_proc'::regclass
  JOIN pg_proc p ON p.oid = d.objid,
       (VALUES ('regress_ssl_guard_nobody', true), ('regress_ssl_guard_monitor', false)) AS r (role, odd)
 WHERE e.extname = 'ext_ssl_guard' AND has_function_privilege(r.role, p.oid, 'EXECUTE') = r.odd
 ORDER BY r.role COLLATE "C", p.oid::regprocedure::text COLLATE "C";
SELECT r.role, c.relname, has_table_privilege(r.role, c.oid, 'SELECT') AS allowed
  FROM pg_extension e
  JOIN pg_depend d ON d.refobjid = e.oid AND d.refclassid = 'pg_extension'::regclass AND d.classid = 'pg_class'::regclass
  JOIN pg_class c ON c.oid = d.objid,
       (VALUES ('regress_ssl_guard_nobody', true), ('regress_ssl_guard_monitor', false)) AS r (role, odd)
 WHERE e.extname = 'ext_ssl_guard' AND has_table_privilege(r.role, c.oid, 'SELECT') = r.odd
 ORDER BY r.role COLLATE "C", c.relname COLLATE "C";

DROP ROLE regress_ssl_guard_nobody;
DROP ROLE regress_ssl_guard_monitor;
