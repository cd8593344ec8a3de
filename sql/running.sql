--
-- What needs shared_preload_libraries.  expected/running_1.out is the answer
-- of a server that does not preload the library.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ext_ssl_guard;
RESET client_min_messages;

CREATE FUNCTION pg_temp.try(query text) RETURNS TABLE (state text, message text, hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN QUERY SELECT '00000', ''::text, ''::text;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END $$;
SELECT t.* FROM pg_temp.try('SELECT * FROM ssl_guard_alarms') AS t;
SELECT t.* FROM pg_temp.try('SELECT * FROM ssl_guard_status') AS t;
SELECT t.* FROM pg_temp.try('SELECT * FROM ssl_guard_check()') AS t;
SELECT t.* FROM pg_temp.try('SELECT * FROM ssl_guard_session_certificate()') AS t;
-- these work without
SELECT t.* FROM pg_temp.try('SELECT * FROM ssl_guard_certificates') AS t;
SELECT t.* FROM pg_temp.try('SELECT * FROM ssl_guard_crls') AS t;
SELECT t.* FROM pg_temp.try('SELECT * FROM ssl_guard_files') AS t;
SELECT t.* FROM pg_temp.try('SELECT * FROM ssl_guard_findings') AS t;
