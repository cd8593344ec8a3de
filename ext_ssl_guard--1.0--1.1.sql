/* ext_ssl_guard--1.0--1.1.sql */

-- complain if script is sourced in psql, rather than via ALTER EXTENSION
\echo Use "ALTER EXTENSION ext_ssl_guard UPDATE TO '1.1'" to load this file. \quit

--
-- The views stay what they are, for the sake of views upon them and of
-- privileges: columns are renamed, or added at the end.  Functions whose
-- columns have other names must be made anew.
--

CREATE TYPE ssl_guard_certificate AS (
    "position" integer,
    subject text,
    issuer text,
    common_name text,
    alt_names text[],
    serial_number text,
    not_before timestamptz,
    not_after timestamptz,
    expires_in interval,
    key_algorithm text,
    key_bits integer,
    security_bits integer,
    signature_algorithm text,
    signature_digest text,
    is_ca boolean,
    self_signed boolean,
    key_usage text[],
    extended_key_usage text[],
    fingerprint text,
    findings text[],
    severity ssl_guard_severity);

COMMENT ON TYPE ssl_guard_certificate IS 'a certificate and what is wrong with it';
COMMENT ON COLUMN ssl_guard_certificate."position" IS 'place in the file or text, from 1';
COMMENT ON COLUMN ssl_guard_certificate.subject IS 'distinguished name, RFC 2253';
COMMENT ON COLUMN ssl_guard_certificate.issuer IS 'distinguished name, RFC 2253';
COMMENT ON COLUMN ssl_guard_certificate.common_name IS 'first common name of the subject, as the server takes it; NULL if there is none';
COMMENT ON COLUMN ssl_guard_certificate.alt_names IS 'subject alternative names, prefixed with DNS:, URI:, email:, IP:, UPN: or other:';
COMMENT ON COLUMN ssl_guard_certificate.serial_number IS 'upper-case hexadecimal';
COMMENT ON COLUMN ssl_guard_certificate.not_before IS 'begin of its validity; NULL if the field cannot be read';
COMMENT ON COLUMN ssl_guard_certificate.not_after IS 'end of its validity; infinity stands for 9999-12-31 23:59:59; NULL if the field cannot be read';
COMMENT ON COLUMN ssl_guard_certificate.expires_in IS 'time left, negative if expired; NULL for infinity';
COMMENT ON COLUMN ssl_guard_certificate.key_algorithm IS 'RSA, EC, Ed25519 and so on';
COMMENT ON COLUMN ssl_guard_certificate.key_bits IS 'RSA modulus, DSA prime or EC group order; NULL if unknown';
COMMENT ON COLUMN ssl_guard_certificate.security_bits IS 'strength of the key by NIST SP 800-57; NULL if unknown';
COMMENT ON COLUMN ssl_guard_certificate.signature_algorithm IS 'with which the issuer signed it';
COMMENT ON COLUMN ssl_guard_certificate.signature_digest IS 'NULL if the signature has no digest of its own';
COMMENT ON COLUMN ssl_guard_certificate.is_ca IS 'may issue certificates';
COMMENT ON COLUMN ssl_guard_certificate.self_signed IS 'the certificate''s own key verifies its signature; NULL if OpenSSL cannot verify it';
COMMENT ON COLUMN ssl_guard_certificate.key_usage IS 'NULL if the certificate has no such extension';
COMMENT ON COLUMN ssl_guard_certificate.extended_key_usage IS 'NULL if the certificate has no such extension';
COMMENT ON COLUMN ssl_guard_certificate.fingerprint IS 'SHA-256 of the certificate, lower-case hexadecimal';
COMMENT ON COLUMN ssl_guard_certificate.findings IS 'codes, worst first';
COMMENT ON COLUMN ssl_guard_certificate.severity IS 'the worst finding''s, ok if there is none';

--
-- ssl_guard_certificates
--

ALTER VIEW ssl_guard_certificates RENAME COLUMN source TO setting;
ALTER FUNCTION ssl_guard_list_certificates() RENAME TO ssl_guard_list_certificates_1_0;

CREATE FUNCTION ssl_guard_list_certificates(
    OUT setting text,
    OUT path text,
    OUT kind text,
    OUT certificate ssl_guard_certificate,
    OUT renewed_at timestamptz,
    OUT usual_renewal interval,
    OUT host text,
    OUT last_used_at timestamptz,
    OUT logins bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_certificates_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;

COMMENT ON FUNCTION ssl_guard_list_certificates() IS 'rows of the view ssl_guard_certificates';

CREATE OR REPLACE VIEW ssl_guard_certificates AS
    SELECT setting,
        path,
        (certificate)."position",
        kind,
        (certificate).subject,
        (certificate).issuer,
        (certificate).common_name,
        (certificate).alt_names,
        (certificate).serial_number,
        (certificate).not_before,
        (certificate).not_after,
        (certificate).expires_in,
        (certificate).key_algorithm,
        (certificate).key_bits,
        (certificate).security_bits,
        (certificate).signature_algorithm,
        (certificate).signature_digest,
        (certificate).is_ca,
        (certificate).self_signed,
        (certificate).key_usage,
        (certificate).extended_key_usage,
        (certificate).fingerprint,
        (certificate).findings,
        (certificate).severity,
        renewed_at,
        usual_renewal,
        host,
        last_used_at,
        logins
    FROM ssl_guard_list_certificates();

DROP FUNCTION ssl_guard_list_certificates_1_0();

COMMENT ON COLUMN ssl_guard_certificates.path IS 'absolute path, as the server opens it';
COMMENT ON COLUMN ssl_guard_certificates.kind IS 'what it is judged as: server, chain, ca, client or extra';
COMMENT ON COLUMN ssl_guard_certificates."position" IS 'place in the file or text, from 1';
COMMENT ON COLUMN ssl_guard_certificates.subject IS 'distinguished name, RFC 2253';
COMMENT ON COLUMN ssl_guard_certificates.issuer IS 'distinguished name, RFC 2253';
COMMENT ON COLUMN ssl_guard_certificates.not_before IS 'begin of its validity; NULL if the field cannot be read';
COMMENT ON COLUMN ssl_guard_certificates.not_after IS 'end of its validity; infinity stands for 9999-12-31 23:59:59; NULL if the field cannot be read';
COMMENT ON COLUMN ssl_guard_certificates.key_algorithm IS 'RSA, EC, Ed25519 and so on';
COMMENT ON COLUMN ssl_guard_certificates.signature_algorithm IS 'with which the issuer signed it';
COMMENT ON COLUMN ssl_guard_certificates.is_ca IS 'may issue certificates';
COMMENT ON COLUMN ssl_guard_certificates.renewed_at IS 'when it came in place of one that ended earlier; NULL if nobody saw that';
COMMENT ON COLUMN ssl_guard_certificates.usual_renewal IS 'how long before its end it is usually renewed; NULL if that is not known';
COMMENT ON COLUMN ssl_guard_certificates.host IS 'names of the hosts that are served with it, or whose CA it is, separated by commas; NULL if its file is not named in pg_hosts.conf';
COMMENT ON COLUMN ssl_guard_certificates.last_used_at IS 'when a login last depended on it; NULL if none did, and for other than CAs that the server loads';
COMMENT ON COLUMN ssl_guard_certificates.logins IS 'how many logins depended on it since it was first seen or reset; NULL for other than CAs that the server loads, and where nobody has counted';

--
-- ssl_guard_crls
--

ALTER VIEW ssl_guard_crls RENAME COLUMN source TO setting;
ALTER FUNCTION ssl_guard_list_crls() RENAME TO ssl_guard_list_crls_1_0;

CREATE FUNCTION ssl_guard_list_crls(
    OUT setting text,
    OUT path text,
    OUT "position" integer,
    OUT issuer text,
    OUT crl_number text,
    OUT this_update timestamptz,
    OUT next_update timestamptz,
    OUT expires_in interval,
    OUT revoked_count bigint,
    OUT signature_algorithm text,
    OUT findings text[],
    OUT severity ssl_guard_severity,
    OUT renewed_at timestamptz,
    OUT usual_renewal interval)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_crls_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;

COMMENT ON FUNCTION ssl_guard_list_crls() IS 'rows of the view ssl_guard_crls';

CREATE OR REPLACE VIEW ssl_guard_crls AS
    SELECT setting,
        path,
        "position",
        issuer,
        crl_number,
        this_update,
        next_update,
        expires_in,
        revoked_count,
        signature_algorithm,
        findings,
        severity,
        renewed_at,
        usual_renewal
    FROM ssl_guard_list_crls();

DROP FUNCTION ssl_guard_list_crls_1_0();

COMMENT ON COLUMN ssl_guard_crls.path IS 'absolute path, as the server opens it';
COMMENT ON COLUMN ssl_guard_crls.issuer IS 'distinguished name of the CA, RFC 2253';
COMMENT ON COLUMN ssl_guard_crls.this_update IS 'when the CA issued it';
COMMENT ON COLUMN ssl_guard_crls.next_update IS 'when it goes stale; NULL if there is none';
COMMENT ON COLUMN ssl_guard_crls.signature_algorithm IS 'with which the CA signed it';
COMMENT ON COLUMN ssl_guard_crls.renewed_at IS 'when it came in place of one that ended earlier; NULL if nobody saw that';
COMMENT ON COLUMN ssl_guard_crls.usual_renewal IS 'how long before its end it is usually renewed; NULL if that is not known';

--
-- ssl_guard_files
--

ALTER FUNCTION ssl_guard_list_files() RENAME TO ssl_guard_list_files_1_0;

CREATE FUNCTION ssl_guard_list_files(
    OUT setting text,
    OUT path text,
    OUT resolved_path text,
    OUT kind text,
    OUT file_exists boolean,
    OUT mode text,
    OUT owner text,
    OUT group_name text,
    OUT size bigint,
    OUT modified timestamptz,
    OUT sha256 text,
    OUT findings text[],
    OUT severity ssl_guard_severity,
    OUT suggestion text,
    OUT host text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_files_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;

COMMENT ON FUNCTION ssl_guard_list_files() IS 'rows of the view ssl_guard_files';

CREATE OR REPLACE VIEW ssl_guard_files AS
    SELECT setting,
        path,
        resolved_path,
        kind,
        file_exists,
        mode,
        owner,
        group_name,
        size,
        modified,
        sha256,
        findings,
        severity,
        suggestion,
        host
    FROM ssl_guard_list_files();

DROP FUNCTION ssl_guard_list_files_1_0();

COMMENT ON COLUMN ssl_guard_files.host IS 'names of the hosts that use it, separated by commas; NULL if it is not named in pg_hosts.conf';

COMMENT ON COLUMN ssl_guard_files.kind IS 'certificate, key, client, ca, crl, crl_dir, dh_params, extra, passphrase, hosts or directory';
COMMENT ON COLUMN ssl_guard_files.file_exists IS 'false: what follows is NULL';
COMMENT ON COLUMN ssl_guard_files.size IS 'in bytes';
COMMENT ON COLUMN ssl_guard_files.suggestion IS 'shell command that mends mode or owner, or tidies up what was left of a passphrase pair; NULL if there is none';
COMMENT ON COLUMN ssl_guard_files.modified IS 'when the content was last changed';

--
-- ssl_guard_findings
--

CREATE FUNCTION ssl_guard_list_findings(
    OUT code text,
    OUT sqlstate text,
    OUT severity ssl_guard_severity,
    OUT other_grades text,
    OUT place text,
    OUT enforceable boolean,
    OUT message text,
    OUT hint text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_findings_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 80;

COMMENT ON FUNCTION ssl_guard_list_findings() IS 'rows of the view ssl_guard_findings';

CREATE VIEW ssl_guard_findings AS
    SELECT code,
        sqlstate,
        severity,
        other_grades,
        place,
        enforceable,
        message,
        hint
    FROM ssl_guard_list_findings();

COMMENT ON VIEW ssl_guard_findings IS 'all findings there can be, one row for each code';
COMMENT ON COLUMN ssl_guard_findings.code IS 'name of the finding, as in alarms and in finding_overrides; never renamed';
COMMENT ON COLUMN ssl_guard_findings.sqlstate IS 'of its log lines';
COMMENT ON COLUMN ssl_guard_findings.severity IS 'the default, without finding_overrides; the worst one, if it depends on the place';
COMMENT ON COLUMN ssl_guard_findings.other_grades IS 'places with another default severity, such as "ca: warning"; NULL if there is none';
COMMENT ON COLUMN ssl_guard_findings.place IS 'what can have it: certificates by ssl_guard_certificates.kind or client, crl, file, or running for the server itself and its logins';
COMMENT ON COLUMN ssl_guard_findings.enforceable IS 'connections can be refused because of it, if its check is set to enforce';
COMMENT ON COLUMN ssl_guard_findings.message IS 'what the log says of the object; %s stands for a detail';
COMMENT ON COLUMN ssl_guard_findings.hint IS 'what mends it';

--
-- ssl_guard_alarms
--

CREATE OR REPLACE FUNCTION ssl_guard_list_alarms(
    OUT severity ssl_guard_severity,
    OUT code text,
    OUT object text,
    OUT message text,
    OUT hint text,
    OUT raised_at timestamptz,
    OUT last_seen_at timestamptz,
    OUT last_logged_at timestamptz,
    OUT occurrences bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_alarms_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;

COMMENT ON COLUMN ssl_guard_alarms.severity IS 'how bad it is';
COMMENT ON COLUMN ssl_guard_alarms.code IS 'what was found, see ssl_guard_findings';
COMMENT ON COLUMN ssl_guard_alarms.message IS 'the fact, as in the server log';

--
-- ssl_guard_status
--

ALTER FUNCTION ssl_guard_read_status() RENAME TO ssl_guard_read_status_1_0;

CREATE FUNCTION ssl_guard_read_status(
    OUT version text,
    OUT openssl_built text,
    OUT openssl_runtime text,
    OUT ssl boolean,
    OUT tls_hook_active boolean,
    OUT worker_pid integer,
    OUT last_check_at timestamptz,
    OUT next_check_at timestamptz,
    OUT last_reload_at timestamptz,
    OUT last_reload_ok boolean,
    OUT served_fingerprint text,
    OUT served_not_after timestamptz,
    OUT served_seen_at timestamptz,
    OUT served_seen_by text,
    OUT disk_fingerprint text,
    OUT in_sync boolean,
    OUT notices integer,
    OUT warnings integer,
    OUT criticals integer,
    OUT client_certificates bigint,
    OUT max_client_certificates integer,
    OUT client_certificates_evicted bigint,
    OUT alarms_evicted bigint,
    OUT alarm_commands_run bigint,
    OUT alarm_commands_failed bigint,
    OUT alarm_events_dropped bigint,
    OUT failed_host text,
    OUT probe_result text,
    OUT probed_at timestamptz,
    OUT served_chain text[],
    OUT transport_evicted bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_read_status_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;

COMMENT ON FUNCTION ssl_guard_read_status() IS 'row of the view ssl_guard_status';

CREATE OR REPLACE VIEW ssl_guard_status AS
    SELECT version,
        openssl_built,
        openssl_runtime,
        ssl,
        tls_hook_active,
        worker_pid,
        last_check_at,
        next_check_at,
        last_reload_at,
        last_reload_ok,
        served_fingerprint,
        served_not_after,
        served_seen_at,
        served_seen_by,
        disk_fingerprint,
        in_sync,
        notices,
        warnings,
        criticals,
        client_certificates,
        max_client_certificates,
        client_certificates_evicted,
        alarms_evicted,
        alarm_commands_run,
        alarm_commands_failed,
        alarm_events_dropped,
        failed_host,
        probe_result,
        probed_at,
        served_chain,
        transport_evicted
    FROM ssl_guard_read_status();

DROP FUNCTION ssl_guard_read_status_1_0();

COMMENT ON COLUMN ssl_guard_status.last_check_at IS 'when the worker last looked at everything';
COMMENT ON COLUMN ssl_guard_status.next_check_at IS 'when it will do so, or judge what it knows anew: the next moment at which a certificate or CRL, also a client''s, begins, crosses a threshold or ends counts';
COMMENT ON COLUMN ssl_guard_status.served_not_after IS 'end of the validity of that certificate';
COMMENT ON COLUMN ssl_guard_status.served_seen_at IS 'when that certificate was last seen in service';
COMMENT ON COLUMN ssl_guard_status.alarms_evicted IS 'how many alarms had no place among the 448, or lost it to a worse one, each counted once, since the start';
COMMENT ON COLUMN ssl_guard_status.alarm_commands_run IS 'how often alarm_command was run since the start';
COMMENT ON COLUMN ssl_guard_status.alarm_commands_failed IS 'how often it failed or took too long';
COMMENT ON COLUMN ssl_guard_status.alarm_events_dropped IS 'of how many raised, escalated or ended alarms it will not be told: it failed too often, or their place was needed';
COMMENT ON COLUMN ssl_guard_status.failed_host IS 'names of the host in pg_hosts.conf at which the last reload failed, separated by commas; NULL if it did not, or the file has been edited since';
COMMENT ON COLUMN ssl_guard_status.probe_result IS 'of the last self-probe: ok, failed, no_tcp (the server listens on Unix sockets only), no_tls (ssl is off), hosts_unknown (pg_hosts.conf was edited since it was loaded), off (self_probe is); NULL: there was none yet';
COMMENT ON COLUMN ssl_guard_status.probed_at IS 'when that was';
COMMENT ON COLUMN ssl_guard_status.served_chain IS 'SHA-256 of each certificate that the self-probe was shown, the server''s own first; NULL if it has not seen them since the last load, or several hosts have theirs';
COMMENT ON COLUMN ssl_guard_status.transport_evicted IS 'how many entries of ssl_guard_transport have given way to others, since the start or the last reset';

--
-- ssl_guard_client_certificates
--

ALTER VIEW ssl_guard_client_certificates RENAME COLUMN first_seen TO first_seen_at;
ALTER VIEW ssl_guard_client_certificates RENAME COLUMN last_seen TO last_seen_at;
ALTER FUNCTION ssl_guard_list_client_certificates() RENAME TO ssl_guard_list_client_certificates_1_0;

CREATE FUNCTION ssl_guard_list_client_certificates(
    OUT fingerprint text,
    OUT role_name text,
    OUT subject text,
    OUT issuer text,
    OUT serial_number text,
    OUT common_name text,
    OUT not_before timestamptz,
    OUT not_after timestamptz,
    OUT expires_in interval,
    OUT key_algorithm text,
    OUT key_bits integer,
    OUT signature_algorithm text,
    OUT first_seen_at timestamptz,
    OUT last_seen_at timestamptz,
    OUT logins bigint,
    OUT denials bigint,
    OUT last_address inet,
    OUT last_tls_version text,
    OUT last_cipher text,
    OUT superseded_by text,
    OUT findings text[],
    OUT severity ssl_guard_severity)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_client_certificates_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;

COMMENT ON FUNCTION ssl_guard_list_client_certificates() IS 'rows of the view ssl_guard_client_certificates';

CREATE OR REPLACE VIEW ssl_guard_client_certificates AS
    SELECT fingerprint,
        role_name,
        subject,
        issuer,
        serial_number,
        common_name,
        not_before,
        not_after,
        expires_in,
        key_algorithm,
        key_bits,
        signature_algorithm,
        first_seen_at,
        last_seen_at,
        logins,
        denials,
        last_address,
        last_tls_version,
        last_cipher,
        superseded_by,
        findings,
        severity
    FROM ssl_guard_list_client_certificates();

DROP FUNCTION ssl_guard_list_client_certificates_1_0();

COMMENT ON COLUMN ssl_guard_client_certificates.role_name IS 'role that logged in, or tried to, as pg_roles has it; bytes that are not valid in the encoding of this database are escaped';
COMMENT ON COLUMN ssl_guard_client_certificates.issuer IS 'long names are cut, with ... at the end';
COMMENT ON COLUMN ssl_guard_client_certificates.serial_number IS 'upper-case hexadecimal';
COMMENT ON COLUMN ssl_guard_client_certificates.not_before IS 'begin of its validity; NULL if the field cannot be read';
COMMENT ON COLUMN ssl_guard_client_certificates.not_after IS 'end of its validity; infinity stands for 9999-12-31 23:59:59; NULL if the field cannot be read';
COMMENT ON COLUMN ssl_guard_client_certificates.key_algorithm IS 'RSA, EC, Ed25519 and so on';
COMMENT ON COLUMN ssl_guard_client_certificates.key_bits IS 'RSA modulus, DSA prime or EC group order; NULL if unknown';
COMMENT ON COLUMN ssl_guard_client_certificates.signature_algorithm IS 'with which the issuer signed it';
COMMENT ON COLUMN ssl_guard_client_certificates.first_seen_at IS 'first login with it as this role';
COMMENT ON COLUMN ssl_guard_client_certificates.last_seen_at IS 'last login with it as this role';
COMMENT ON COLUMN ssl_guard_client_certificates.logins IS 'how often the client was authenticated as this role and not refused by the extension; the server may have refused the connection after that: unknown database, no privilege, connection limit';
COMMENT ON COLUMN ssl_guard_client_certificates.last_tls_version IS 'of the last login';
COMMENT ON COLUMN ssl_guard_client_certificates.last_cipher IS 'of the last login';

--
-- ssl_guard_handshake_failures
--

ALTER VIEW ssl_guard_handshake_failures RENAME COLUMN first_seen TO first_seen_at;
ALTER VIEW ssl_guard_handshake_failures RENAME COLUMN last_seen TO last_seen_at;
ALTER FUNCTION ssl_guard_list_handshake_failures() RENAME TO ssl_guard_list_handshake_failures_1_0;

CREATE FUNCTION ssl_guard_list_handshake_failures(
    OUT reason text,
    OUT subject text,
    OUT issuer text,
    OUT serial_number text,
    OUT fingerprint text,
    OUT last_address inet,
    OUT first_seen_at timestamptz,
    OUT last_seen_at timestamptz,
    OUT failures bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_handshake_failures_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;

COMMENT ON FUNCTION ssl_guard_list_handshake_failures() IS 'rows of the view ssl_guard_handshake_failures';

CREATE OR REPLACE VIEW ssl_guard_handshake_failures AS
    SELECT reason,
        subject,
        issuer,
        serial_number,
        fingerprint,
        last_address,
        first_seen_at,
        last_seen_at,
        failures
    FROM ssl_guard_list_handshake_failures();

DROP FUNCTION ssl_guard_list_handshake_failures_1_0();

COMMENT ON COLUMN ssl_guard_handshake_failures.subject IS 'long names are cut, with ... at the end';
COMMENT ON COLUMN ssl_guard_handshake_failures.issuer IS 'long names are cut, with ... at the end';
COMMENT ON COLUMN ssl_guard_handshake_failures.serial_number IS 'upper-case hexadecimal';
COMMENT ON COLUMN ssl_guard_handshake_failures.last_address IS 'NULL if not known';
COMMENT ON COLUMN ssl_guard_handshake_failures.first_seen_at IS 'first failure of this kind';
COMMENT ON COLUMN ssl_guard_handshake_failures.last_seen_at IS 'last failure of this kind';

--
-- Functions without a view
--

DROP FUNCTION ssl_guard_inspect(text);
DROP FUNCTION ssl_guard_inspect(bytea);
DROP FUNCTION ssl_guard_session_certificate();

CREATE FUNCTION ssl_guard_inspect(certificate text, place text DEFAULT 'extra')
RETURNS SETOF ssl_guard_certificate
AS 'MODULE_PATHNAME', 'ssl_guard_inspect_text_1_1'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;

CREATE FUNCTION ssl_guard_inspect(certificate bytea, place text DEFAULT 'extra')
RETURNS SETOF ssl_guard_certificate
AS 'MODULE_PATHNAME', 'ssl_guard_inspect_bytea_1_1'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 1;

COMMENT ON FUNCTION ssl_guard_inspect(text, text) IS 'what is in the certificates of a PEM text, and what is wrong with them as server, chain, ca, client or extra';
COMMENT ON FUNCTION ssl_guard_inspect(bytea, text) IS 'what is in a DER certificate, or in PEM text as bytes, and what is wrong with it as server, chain, ca, client or extra';

CREATE FUNCTION ssl_guard_session_certificate()
RETURNS SETOF ssl_guard_certificate
AS 'MODULE_PATHNAME', 'ssl_guard_session_certificate_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 1;

COMMENT ON FUNCTION ssl_guard_session_certificate() IS 'the client certificate of this session; no row without one';

CREATE OR REPLACE FUNCTION ssl_guard_check(
    OUT severity ssl_guard_severity,
    OUT code text,
    OUT object text,
    OUT message text,
    OUT hint text,
    OUT raised_at timestamptz,
    OUT last_seen_at timestamptz,
    OUT last_logged_at timestamptz,
    OUT occurrences bigint)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_check_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;

CREATE OR REPLACE FUNCTION ssl_guard_identity_check(
    role name,
    certificate text,
    OUT source text,
    OUT identity text,
    OUT matched boolean,
    OUT rule text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_identity_check_1_1'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE ROWS 5;

CREATE OR REPLACE FUNCTION ssl_guard_reset_client_certificates()
RETURNS bigint
AS 'MODULE_PATHNAME', 'ssl_guard_reset_client_certificates_1_1'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON COLUMN ssl_guard_status.tls_hook_active IS 'a load of the server''s TLS files was seen';
COMMENT ON COLUMN ssl_guard_status.last_reload_ok IS 'false: what was in service before stays so';
COMMENT ON COLUMN ssl_guard_status.served_fingerprint IS 'SHA-256 of the certificate that clients get; NULL if not yet seen, or if there are several (ssl_guard_hosts)';
COMMENT ON COLUMN ssl_guard_status.in_sync IS 'the certificate on disk is the one served, of each host if there are several; NULL if either is unknown';

CREATE FUNCTION ssl_guard_list_hosts(
    OUT line_number integer,
    OUT host_names text[],
    OUT served_fingerprint text,
    OUT disk_fingerprint text,
    OUT in_sync boolean,
    OUT severity ssl_guard_severity)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_hosts_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 10;

COMMENT ON FUNCTION ssl_guard_list_hosts() IS 'rows of the view ssl_guard_hosts';

CREATE VIEW ssl_guard_hosts AS
    SELECT line_number,
        host_names,
        served_fingerprint,
        disk_fingerprint,
        in_sync,
        severity
    FROM ssl_guard_list_hosts();

COMMENT ON VIEW ssl_guard_hosts IS 'the lines of pg_hosts.conf that the server has loaded, in their order; none without ssl_sni';
COMMENT ON COLUMN ssl_guard_hosts.line_number IS 'in the file, or in the one that it includes';
COMMENT ON COLUMN ssl_guard_hosts.host_names IS 'names that clients ask for; * for all others, /no_sni/ for those that ask for none';
COMMENT ON COLUMN ssl_guard_hosts.served_fingerprint IS 'SHA-256 of the certificate in service; NULL if it is not known';
COMMENT ON COLUMN ssl_guard_hosts.disk_fingerprint IS 'SHA-256 of the first certificate in the line''s file, read now; NULL if there is none';
COMMENT ON COLUMN ssl_guard_hosts.in_sync IS 'false: the certificate on disk is another one than that in service';
COMMENT ON COLUMN ssl_guard_hosts.severity IS 'the worst finding''s about the line''s files and certificates, ok if there is none';

CREATE FUNCTION ssl_guard_list_hba(
    OUT file_name text,
    OUT line_number integer,
    OUT type text,
    OUT database text[],
    OUT user_name text[],
    OUT address text,
    OUT auth_method text,
    OUT findings text[],
    OUT severity ssl_guard_severity,
    OUT hint text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_hba_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 20;

COMMENT ON FUNCTION ssl_guard_list_hba() IS 'rows of the view ssl_guard_hba';

CREATE VIEW ssl_guard_hba AS
    SELECT file_name,
        line_number,
        type,
        database,
        user_name,
        address,
        auth_method,
        findings,
        severity,
        hint
    FROM ssl_guard_list_hba();

COMMENT ON VIEW ssl_guard_hba IS 'the lines of pg_hba.conf and pg_ident.conf as they are on disk now, with what they include and what is wrong with them';
COMMENT ON COLUMN ssl_guard_hba.file_name IS 'pg_hba.conf, pg_ident.conf, or the file that it includes';
COMMENT ON COLUMN ssl_guard_hba.line_number IS 'in that file; 0: the file cannot be read';
COMMENT ON COLUMN ssl_guard_hba.type IS 'local, host, hostssl, hostnossl, hostgssenc or hostnogssenc; map for a line of pg_ident.conf; NULL if it cannot be parsed';
COMMENT ON COLUMN ssl_guard_hba.database IS 'as the line names them; NULL for a map';
COMMENT ON COLUMN ssl_guard_hba.user_name IS 'as the line names them; of a map the role';
COMMENT ON COLUMN ssl_guard_hba.address IS 'range of addresses, all, samehost, samenet or a host name; NULL for local and for a map';
COMMENT ON COLUMN ssl_guard_hba.auth_method IS 'authentication method; its options, which may be secrets, are not shown';
COMMENT ON COLUMN ssl_guard_hba.findings IS 'codes, the worst first';
COMMENT ON COLUMN ssl_guard_hba.severity IS 'the worst finding''s, ok if there is none';
COMMENT ON COLUMN ssl_guard_hba.hint IS 'what to do about the worst finding';

CREATE FUNCTION ssl_guard_list_settings(
    OUT setting text,
    OUT value text,
    OUT effective text,
    OUT recommended text,
    OUT findings text[],
    OUT severity ssl_guard_severity,
    OUT hint text)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_settings_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 13;

COMMENT ON FUNCTION ssl_guard_list_settings() IS 'rows of the view ssl_guard_settings';

CREATE VIEW ssl_guard_settings AS
    SELECT setting,
        value,
        effective,
        recommended,
        findings,
        severity,
        hint
    FROM ssl_guard_list_settings();

COMMENT ON VIEW ssl_guard_settings IS 'the settings of the server that matter to TLS, what OpenSSL makes of them, and what is wrong with them';
COMMENT ON COLUMN ssl_guard_settings.setting IS 'name of the setting; openssl_security_level and openssl_fips are OpenSSL''s own';
COMMENT ON COLUMN ssl_guard_settings.value IS 'as configured; of ssl_passphrase_command the program only';
COMMENT ON COLUMN ssl_guard_settings.effective IS 'what comes of it, with OpenSSL''s configuration, its security level and the other settings; NULL if TLS cannot be set up so';
COMMENT ON COLUMN ssl_guard_settings.recommended IS 'a value that has no finding; NULL where there is none for everybody';
COMMENT ON COLUMN ssl_guard_settings.findings IS 'codes, the worst first';
COMMENT ON COLUMN ssl_guard_settings.severity IS 'the worst finding''s, ok if there is none';
COMMENT ON COLUMN ssl_guard_settings.hint IS 'what to do about the worst finding';

CREATE FUNCTION ssl_guard_list_sessions(
    OUT pid integer,
    OUT role_name text,
    OUT database text,
    OUT address inet,
    OUT transport text,
    OUT tls_version text,
    OUT cipher text,
    OUT fingerprint text,
    OUT subject text,
    OUT not_after timestamptz,
    OUT expires_in interval,
    OUT state text,
    OUT login_at timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_sessions_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;

COMMENT ON FUNCTION ssl_guard_list_sessions() IS 'rows of the view ssl_guard_sessions';

CREATE VIEW ssl_guard_sessions AS
    SELECT
        pid,
        role_name,
        database,
        address,
        transport,
        tls_version,
        cipher,
        fingerprint,
        subject,
        not_after,
        expires_in,
        state,
        login_at
    FROM ssl_guard_list_sessions();

COMMENT ON VIEW ssl_guard_sessions IS 'the open sessions over TCP';
COMMENT ON COLUMN ssl_guard_sessions.pid IS 'of the backend, as in pg_stat_activity';
COMMENT ON COLUMN ssl_guard_sessions.role_name IS 'as whom it logged in';
COMMENT ON COLUMN ssl_guard_sessions.database IS 'NULL for physical replication, and while the login is not complete';
COMMENT ON COLUMN ssl_guard_sessions.address IS 'of the client';
COMMENT ON COLUMN ssl_guard_sessions.transport IS 'tls, gss (encrypted by GSSAPI) or plain';
COMMENT ON COLUMN ssl_guard_sessions.tls_version IS 'NULL without TLS';
COMMENT ON COLUMN ssl_guard_sessions.cipher IS 'NULL without TLS';
COMMENT ON COLUMN ssl_guard_sessions.fingerprint IS 'SHA-256 of the client''s certificate, lower-case hexadecimal; NULL without one';
COMMENT ON COLUMN ssl_guard_sessions.subject IS 'of the client''s certificate, as in ssl_guard_client_certificates: long names are cut, with ... at the end; NULL if it is not in there any more';
COMMENT ON COLUMN ssl_guard_sessions.not_after IS 'end of the client''s certificate';
COMMENT ON COLUMN ssl_guard_sessions.expires_in IS 'time left until then, negative when it has passed';
COMMENT ON COLUMN ssl_guard_sessions.state IS 'valid, expired, revoked (known while ext_ssl_guard.session_check is not off), denied, or no_certificate: would the certificate let it in again?';
COMMENT ON COLUMN ssl_guard_sessions.login_at IS 'when it logged in';

CREATE FUNCTION ssl_guard_list_transport(
    OUT role_name text,
    OUT transport text,
    OUT tls_version text,
    OUT cipher text,
    OUT client_certificate boolean,
    OUT auth_method text,
    OUT forward_secrecy boolean,
    OUT logins bigint,
    OUT fallbacks bigint,
    OUT first_seen_at timestamptz,
    OUT last_seen_at timestamptz,
    OUT last_address inet,
    OUT refused_by_hostssl boolean,
    OUT refused_by_tls13 boolean,
    OUT refused_by_clientcert boolean)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_transport_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 100;

COMMENT ON FUNCTION ssl_guard_list_transport() IS 'rows of the view ssl_guard_transport';

CREATE VIEW ssl_guard_transport AS
    SELECT
        role_name,
        transport,
        tls_version,
        cipher,
        client_certificate,
        auth_method,
        forward_secrecy,
        logins,
        fallbacks,
        first_seen_at,
        last_seen_at,
        last_address,
        refused_by_hostssl,
        refused_by_tls13,
        refused_by_clientcert
    FROM ssl_guard_list_transport();

COMMENT ON VIEW ssl_guard_transport IS 'how roles have logged in over TCP, a row for each combination of the first six columns, counted since stats_reset of ssl_guard_resets';
COMMENT ON COLUMN ssl_guard_transport.role_name IS 'as whom they logged in';
COMMENT ON COLUMN ssl_guard_transport.transport IS 'tls, gss (encrypted by GSSAPI) or plain';
COMMENT ON COLUMN ssl_guard_transport.tls_version IS 'NULL without TLS';
COMMENT ON COLUMN ssl_guard_transport.cipher IS 'OpenSSL''s name; NULL without TLS';
COMMENT ON COLUMN ssl_guard_transport.client_certificate IS 'true: the client has shown a certificate, which was verified';
COMMENT ON COLUMN ssl_guard_transport.auth_method IS 'of the line of pg_hba.conf';
COMMENT ON COLUMN ssl_guard_transport.forward_secrecy IS 'false: who records the session and gets the server''s key later can read it; NULL without TLS';
COMMENT ON COLUMN ssl_guard_transport.logins IS 'how many were let in';
COMMENT ON COLUMN ssl_guard_transport.fallbacks IS 'those among them that came in plaintext within 10 s after the same role and address was refused over TLS';
COMMENT ON COLUMN ssl_guard_transport.first_seen_at IS 'of the first login';
COMMENT ON COLUMN ssl_guard_transport.last_seen_at IS 'of the last login';
COMMENT ON COLUMN ssl_guard_transport.last_address IS 'where it came from';
COMMENT ON COLUMN ssl_guard_transport.refused_by_hostssl IS 'true: it would not match a line of type hostssl; NULL: it came while ssl was off';
COMMENT ON COLUMN ssl_guard_transport.refused_by_tls13 IS 'true: ssl_min_protocol_version = TLSv1.3 would lock it out; false also without TLS, which that setting does not concern; NULL: the server has not offered TLS 1.3 to it';
COMMENT ON COLUMN ssl_guard_transport.refused_by_clientcert IS 'true: a line of type hostssl with clientcert would lock it out; NULL: the server has not asked it for a certificate, as ssl_ca_file is not set, or ssl was off';

CREATE FUNCTION ssl_guard_list_resets(
    OUT name text,
    OUT stats_reset timestamptz)
RETURNS SETOF record
AS 'MODULE_PATHNAME', 'ssl_guard_list_resets_1_1'
LANGUAGE C VOLATILE PARALLEL UNSAFE ROWS 4;

COMMENT ON FUNCTION ssl_guard_list_resets() IS 'rows of the view ssl_guard_resets';

CREATE VIEW ssl_guard_resets AS
    SELECT
        name,
        stats_reset
    FROM ssl_guard_list_resets();

COMMENT ON VIEW ssl_guard_resets IS 'the counters that ssl_guard_reset() knows, and since when they count';
COMMENT ON COLUMN ssl_guard_resets.name IS 'client_certificates, handshake_failures, transport (of ssl_guard_transport), ca_usage (last_used_at and logins of ssl_guard_certificates) or alarm_counts (alarms_evicted, alarm_commands_run, alarm_commands_failed and alarm_events_dropped of ssl_guard_status; no alarm goes)';
COMMENT ON COLUMN ssl_guard_resets.stats_reset IS 'when they began to count: the last reset, or the start of the server if nothing was kept over it';

CREATE FUNCTION ssl_guard_reset(counters text)
RETURNS bigint
AS 'MODULE_PATHNAME', 'ssl_guard_reset_1_1'
LANGUAGE C VOLATILE STRICT PARALLEL UNSAFE;

COMMENT ON FUNCTION ssl_guard_reset(text) IS 'forgets what counters (a name of ssl_guard_resets) have, and begins anew; returns the number of entries removed';

REVOKE ALL ON FUNCTION ssl_guard_list_certificates() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_files() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_hosts() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_hba() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_settings() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_crls() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_findings() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_inspect(text, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_inspect(bytea, text) FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_read_status() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_client_certificates() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_handshake_failures() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_sessions() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_transport() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_list_resets() FROM PUBLIC;
REVOKE ALL ON FUNCTION ssl_guard_reset(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION ssl_guard_list_certificates() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_files() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_hosts() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_hba() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_settings() TO pg_monitor;
REVOKE ALL ON ssl_guard_hosts FROM PUBLIC;
REVOKE ALL ON ssl_guard_hba FROM PUBLIC;
REVOKE ALL ON ssl_guard_settings FROM PUBLIC;
GRANT SELECT ON ssl_guard_hosts TO pg_monitor;
GRANT SELECT ON ssl_guard_hba TO pg_monitor;
GRANT SELECT ON ssl_guard_settings TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_crls() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_findings() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_inspect(text, text) TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_inspect(bytea, text) TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_read_status() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_client_certificates() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_handshake_failures() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_sessions() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_transport() TO pg_monitor;
GRANT EXECUTE ON FUNCTION ssl_guard_list_resets() TO pg_monitor;
REVOKE ALL ON ssl_guard_sessions FROM PUBLIC;
REVOKE ALL ON ssl_guard_transport FROM PUBLIC;
REVOKE ALL ON ssl_guard_resets FROM PUBLIC;
GRANT SELECT ON ssl_guard_sessions TO pg_monitor;
GRANT SELECT ON ssl_guard_transport TO pg_monitor;
GRANT SELECT ON ssl_guard_resets TO pg_monitor;
REVOKE ALL ON ssl_guard_findings FROM PUBLIC;
GRANT SELECT ON ssl_guard_findings TO pg_monitor;
