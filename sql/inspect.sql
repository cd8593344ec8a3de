--
-- ssl_guard_inspect: what is in certificates given as text or bytes.  The
-- certificates were made for this test; their dates are far away on purpose.
--
SET client_min_messages = warning;
CREATE EXTENSION IF NOT EXISTS ext_ssl_guard;
RESET client_min_messages;

SET timezone = 'UTC';
SET datestyle = 'ISO';
\pset null '(null)'

-- a server's certificate that never ends
CREATE TEMPORARY TABLE pem (name text PRIMARY KEY, body text NOT NULL);
INSERT INTO pem VALUES ('forever', '-----BEGIN CERTIFICATE-----
MIICTTCCAfKgAwIBAgIBAjAKBggqhkjOPQQDAjApMRUwEwYDVQQDDAxFeGFtcGxl
IFJvb3QxEDAOBgNVBAoMB0V4YW1wbGUwIBcNMjAwMTAxMDAwMDAwWhgPOTk5OTEy
MzEyMzU5NTlaMCsxFzAVBgNVBAMMDmRiLmV4YW1wbGUuY29tMRAwDgYDVQQKDAdF
eGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeWHTj8QetaQjsJ7oXoOk
2hNrqA1na5zjkZGhdsxkX/6UYHrbiGN9bNhbZYyjqReXIjzPcEjUP8I6o3oNc04k
s6OCAQUwggEBMA4GA1UdDwEB/wQEAwIHgDAjBgNVHSUEHDAaBggrBgEFBQcDAQYI
KwYBBQUHAwIGBCoDBAUwgYkGA1UdEQSBgTB/gg5kYi5leGFtcGxlLmNvbYINKi5l
eGFtcGxlLm9yZ4cEwAACAYcQIAENuAAAAAAAAAAAAAAAAYYTc3BpZmZlOi8vZXhh
bXBsZS9kYoEPZGJhQGV4YW1wbGUuY29toCAGCisGAQQBgjcUAgOgEgwQZGJhQGNv
cnAuZXhhbXBsZTAdBgNVHQ4EFgQUBCA/wJVj5JuRgGAwCX3TqZ/WvOAwHwYDVR0j
BBgwFoAUWn0vaSckfMyug9O23skWe5YoJcQwCgYIKoZIzj0EAwIDSQAwRgIhAPUP
qJ1yoJ3urx3JcH8JQgLSPej7p9XaAtXW+9Fh9HSLAiEAg2xI2GHw2DFcOugRlSoW
PzB4l9YnzLZBAn6yBRM1Hd4=
-----END CERTIFICATE-----
');
INSERT INTO pem VALUES ('root', '-----BEGIN CERTIFICATE-----
MIIBhjCCASugAwIBAgIBATAKBggqhkjOPQQDAjApMRUwEwYDVQQDDAxFeGFtcGxl
IFJvb3QxEDAOBgNVBAoMB0V4YW1wbGUwIBcNMDAwMTAxMDAwMDAwWhgPOTk5OTEy
MzEyMzU5NTlaMCkxFTATBgNVBAMMDEV4YW1wbGUgUm9vdDEQMA4GA1UECgwHRXhh
bXBsZTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABC2AdhN+3wy6+qoJ8mMxWrZ+
kOPGQG707WFRQLAOXPVyghr7dUUUEB7WYr/e8ubFJwMKkXDtszD3qMQTEWbq3L2j
QjBAMA8GA1UdEwEB/wQFMAMBAf8wDgYDVR0PAQH/BAQDAgEGMB0GA1UdDgQWBBRa
fS9pJyR8zK6D07beyRZ7liglxDAKBggqhkjOPQQDAgNJADBGAiEA7h7MJ+OM7cxX
lFuuKyFiH/0/Kmn+4fLK5dAP31ODjGgCIQDIKDouqL9uD+QwzsekAP1jF3efWm8N
Uld42RVtCnqjHg==
-----END CERTIFICATE-----
');
-- RSA 1024, SHA-1, over since 1999
INSERT INTO pem VALUES ('weak', '-----BEGIN CERTIFICATE-----
MIIB1TCCAX2gAwIBAgIBAzAJBgcqhkjOPQQBMCkxFTATBgNVBAMMDEV4YW1wbGUg
Um9vdDEQMA4GA1UECgwHRXhhbXBsZTAeFw01MDAxMDEwMDAwMDBaFw05OTEyMzEy
MzU5NTlaMCwxGDAWBgNVBAMMD29sZC5leGFtcGxlLmNvbTEQMA4GA1UECgwHRXhh
bXBsZTCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkCgYEA88PPTQRbbdwfWSe/Tq5N
P6c0KKTkjofbsNTfb4rWBjV9K9qPbwijfeLANDzjxhor8fKk/SgL6TL1p59v7Z/Q
v1528iVHbodIF/7BISjBlp8YCPJd/5JDtDIzWY9MDVqppS+e/nEgexjlT3Mx1bFG
NQSniqzaFPxzOpwmV8RfSa8CAwEAAaNNMEswCQYDVR0TBAIwADAdBgNVHQ4EFgQU
K5kvKBjgaEZ52RD7aZzxRNaBD/8wHwYDVR0jBBgwFoAUWn0vaSckfMyug9O23skW
e5YoJcQwCQYHKoZIzj0EAQNHADBEAiBiG0bd1M32LtwN72SbREPmAJGv+b5aP8PV
WLbmzZ1gRwIgOfceHbCoJzRQKNxNvNztGW85ggeCsVLxjEGyWwyxdXU=
-----END CERTIFICATE-----
');
-- valid from the year 0
INSERT INTO pem VALUES ('year zero', '-----BEGIN CERTIFICATE-----
MIIBkjCCATigAwIBAgIBBDAKBggqhkjOPQQDAjApMRUwEwYDVQQDDAxFeGFtcGxl
IFJvb3QxEDAOBgNVBAoMB0V4YW1wbGUwIBgPMDAwMDAxMDEwMDAwMDBaFw0wMDAx
MDEwMDAwMDBaMCsxFzAVBgNVBAMMDmRiLmV4YW1wbGUuY29tMRAwDgYDVQQKDAdF
eGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeWHTj8QetaQjsJ7oXoOk
2hNrqA1na5zjkZGhdsxkX/6UYHrbiGN9bNhbZYyjqReXIjzPcEjUP8I6o3oNc04k
s6NNMEswCQYDVR0TBAIwADAdBgNVHQ4EFgQUBCA/wJVj5JuRgGAwCX3TqZ/WvOAw
HwYDVR0jBBgwFoAUWn0vaSckfMyug9O23skWe5YoJcQwCgYIKoZIzj0EAwIDSAAw
RQIhANCQR73cr+ewVNAxl9ZcGivwFJI3hEr5p87ka9xOdQz6AiB71TKkbBt5sii/
z7Sz+H0pgwK9PWWKOjbr2GJ3X2b3hA==
-----END CERTIFICATE-----
');
-- a line break in the name
INSERT INTO pem VALUES ('evil', '-----BEGIN CERTIFICATE-----
MIIBmzCCAUGgAwIBAgIBBTAKBggqhkjOPQQDAjApMRUwEwYDVQQDDAxFeGFtcGxl
IFJvb3QxEDAOBgNVBAoMB0V4YW1wbGUwIBcNMjAwMTAxMDAwMDAwWhgPOTk5OTEy
MzEyMzU5NTlaMDQxHzAdBgNVBAMMFmV2aWwKTE9HOiAgYWxsIGlzIHdlbGwxETAP
BgNVBAoMCEV4YW1wbGUBMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeWHTj8Qe
taQjsJ7oXoOk2hNrqA1na5zjkZGhdsxkX/6UYHrbiGN9bNhbZYyjqReXIjzPcEjU
P8I6o3oNc04ks6NNMEswCQYDVR0TBAIwADAdBgNVHQ4EFgQUBCA/wJVj5JuRgGAw
CX3TqZ/WvOAwHwYDVR0jBBgwFoAUWn0vaSckfMyug9O23skWe5YoJcQwCgYIKoZI
zj0EAwIDSAAwRQIhAIui4WmL6G8Mg801AM/73IBbcZFyp1VXQQEH4+6G/Z5uAiAG
DTAWRi5RSJN052o4ViBO2QJYP1Y2S9fBsSBA7cSIOg==
-----END CERTIFICATE-----
');
INSERT INTO pem VALUES ('request', '-----BEGIN CERTIFICATE REQUEST-----
MIHlMIGNAgEAMCsxEDAOBgNVBAoMB0V4YW1wbGUxFzAVBgNVBAMMDmRiLmV4YW1w
bGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeWHTj8QetaQjsJ7oXoOk
2hNrqA1na5zjkZGhdsxkX/6UYHrbiGN9bNhbZYyjqReXIjzPcEjUP8I6o3oNc04k
s6AAMAoGCCqGSM49BAMCA0cAMEQCID7tzrp3nNrKllQDeTY3l7wsBhBN/c2a07Q8
9uCT0t75AiAKT1ATgQlucvebI2zg3Ozm0aFXXsdoz1OpTdesCpmkoA==
-----END CERTIFICATE REQUEST-----
');
INSERT INTO pem VALUES ('public key', '-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeWHTj8QetaQjsJ7oXoOk2hNrqA1n
a5zjkZGhdsxkX/6UYHrbiGN9bNhbZYyjqReXIjzPcEjUP8I6o3oNc04ksw==
-----END PUBLIC KEY-----
');

\x on
SELECT c.* FROM pem, ssl_guard_inspect(body) AS c WHERE name = 'forever';
SELECT c.subject, c.issuer, c.not_before, c.not_after, c.expires_in, c.is_ca, c.self_signed,
       c.key_usage, c.extended_key_usage, c.alt_names, c.findings, c.severity
  FROM pem, ssl_guard_inspect(body) AS c WHERE name = 'root';
SELECT c.not_before, c.not_after, c.expires_in < '-20 years' AS long_over, c.key_algorithm, c.key_bits,
       c.security_bits, c.signature_algorithm, c.signature_digest, c.findings, c.severity
  FROM pem, ssl_guard_inspect(body) AS c WHERE name = 'weak';
SELECT c.not_before, c.not_after, c.key_usage, c.extended_key_usage, 'expired' = ANY (c.findings) AS expired
  FROM pem, ssl_guard_inspect(body) AS c WHERE name = 'year zero';
SELECT c.subject, c.common_name, 'malformed_name' = ANY (c.findings) AS malformed
  FROM pem, ssl_guard_inspect(body) AS c WHERE name = 'evil';
\x off

-- several certificates, also with text around them and CR LF
SELECT c.position, c.common_name
  FROM ssl_guard_inspect((SELECT string_agg(body, E'some text\n' ORDER BY name) FROM pem
                          WHERE name IN ('forever', 'root', 'weak'))) AS c;
SELECT c.position, c.common_name
  FROM ssl_guard_inspect((SELECT replace(string_agg(body, '' ORDER BY name), E'\n', E'\r\n') FROM pem
                          WHERE name IN ('forever', 'root'))) AS c;
-- the same one twice
SELECT c.position, 'duplicate_certificate' = ANY (c.findings) AS duplicate
  FROM pem, ssl_guard_inspect(body || body) AS c WHERE name = 'root';
-- an issuer that is in the text: the signature is verified
SELECT c.position, c.common_name, 'bad_signature' = ANY (c.findings) AS bad_signature
  FROM ssl_guard_inspect((SELECT string_agg(body, '' ORDER BY name) FROM pem
                          WHERE name IN ('forever', 'root'))) AS c;

-- DER, and PEM as bytes
SELECT c.position, c.subject, c.serial_number FROM ssl_guard_inspect('\x3082024d308201f2a003020102020102300a06082a8648ce3d04030230293115301306035504030c0c4578616d706c6520526f6f743110300e060355040a0c074578616d706c653020170d3230303130313030303030305a180f39393939313233313233353935395a302b3117301506035504030c0e64622e6578616d706c652e636f6d3110300e060355040a0c074578616d706c653059301306072a8648ce3d020106082a8648ce3d030107034200047961d38fc41eb5a423b09ee85e83a4da136ba80d676b9ce39191a176cc645ffe94607adb88637d6cd85b658ca3a91797223ccf7048d43fc23aa37a0d734e24b3a382010530820101300e0603551d0f0101ff04040302078030230603551d25041c301a06082b0601050507030106082b0601050507030206042a0304053081890603551d11048181307f820e64622e6578616d706c652e636f6d820d2a2e6578616d706c652e6f72678704c0000201871020010db800000000000000000000000186137370696666653a2f2f6578616d706c652f6462810f646261406578616d706c652e636f6da020060a2b060104018237140203a0120c1064626140636f72702e6578616d706c65301d0603551d0e0416041404203fc09563e49b91806030097dd3a99fd6bce0301f0603551d230418301680145a7d2f6927247cccae83d3b6dec9167b962825c4300a06082a8648ce3d0403020349003046022100f50fa89d72a09deeaf1dc9707f094202d23de8fba7d5da02d5d6fbd161f4748b022100836c48d861f0d8315c3ae811952a163f307897d627ccb641027eb20513351dde'::bytea) AS c;
SELECT c.position, c.common_name
  FROM pem, ssl_guard_inspect(convert_to(body, 'SQL_ASCII')) AS c WHERE name = 'root';

-- good ones, then a broken one: the good ones and a warning
SELECT c.position, c.common_name
  FROM pem, ssl_guard_inspect(body || E'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n') AS c
 WHERE name = 'root';
-- two files glued together without a line end
SELECT c.position, c.common_name
  FROM pem, ssl_guard_inspect(rtrim(body, E'\n') || body) AS c WHERE name = 'root';

-- NULL: no row
SELECT count(*) FROM ssl_guard_inspect(NULL::text);
SELECT count(*) FROM ssl_guard_inspect(NULL::bytea);

-- no certificate: what was found instead
CREATE FUNCTION pg_temp.try(query text) RETURNS TABLE (state text, message text, detail text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN QUERY SELECT '00000', ''::text, ''::text;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN NEXT;
END $$;
SELECT t.* FROM pg_temp.try($$SELECT * FROM ssl_guard_inspect('')$$) AS t;
SELECT t.* FROM pg_temp.try($$SELECT * FROM ssl_guard_inspect(''::bytea)$$) AS t;
SELECT t.* FROM pg_temp.try($$SELECT * FROM ssl_guard_inspect('hello')$$) AS t;
SELECT t.* FROM pg_temp.try($$SELECT * FROM ssl_guard_inspect('<html><body>404</body></html>')$$) AS t;
SELECT t.* FROM pem, pg_temp.try(format('SELECT * FROM ssl_guard_inspect(%L)', body)) AS t WHERE name = 'request';
SELECT t.* FROM pem, pg_temp.try(format('SELECT * FROM ssl_guard_inspect(%L)', body)) AS t WHERE name = 'public key';
SELECT t.* FROM pg_temp.try(format('SELECT * FROM ssl_guard_inspect(%L)',
  E'-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n')) AS t;
SELECT t.* FROM pg_temp.try($$SELECT * FROM ssl_guard_inspect('\x3000'::bytea)$$) AS t;
-- DER with something after it: the certificate, and a warning
SELECT common_name FROM ssl_guard_inspect('\x3082024d308201f2a003020102020102300a06082a8648ce3d04030230293115301306035504030c0c4578616d706c6520526f6f743110300e060355040a0c074578616d706c653020170d3230303130313030303030305a180f39393939313233313233353935395a302b3117301506035504030c0e64622e6578616d706c652e636f6d3110300e060355040a0c074578616d706c653059301306072a8648ce3d020106082a8648ce3d030107034200047961d38fc41eb5a423b09ee85e83a4da136ba80d676b9ce39191a176cc645ffe94607adb88637d6cd85b658ca3a91797223ccf7048d43fc23aa37a0d734e24b3a382010530820101300e0603551d0f0101ff04040302078030230603551d25041c301a06082b0601050507030106082b0601050507030206042a0304053081890603551d11048181307f820e64622e6578616d706c652e636f6d820d2a2e6578616d706c652e6f72678704c0000201871020010db800000000000000000000000186137370696666653a2f2f6578616d706c652f6462810f646261406578616d706c652e636f6da020060a2b060104018237140203a0120c1064626140636f72702e6578616d706c65301d0603551d0e0416041404203fc09563e49b91806030097dd3a99fd6bce0301f0603551d230418301680145a7d2f6927247cccae83d3b6dec9167b962825c4300a06082a8648ce3d0403020349003046022100f50fa89d72a09deeaf1dc9707f094202d23de8fba7d5da02d5d6fbd161f4748b022100836c48d861f0d8315c3ae811952a163f307897d627ccb641027eb20513351dde00'::bytea);

-- one megabyte, and a byte more
SELECT c.common_name FROM pem, ssl_guard_inspect(body || repeat(' ', 1048576 - length(body))) AS c WHERE name = 'root';
SELECT t.* FROM pg_temp.try($$SELECT * FROM ssl_guard_inspect(repeat(' ', 1048577))$$) AS t;
SELECT t.* FROM pg_temp.try($$SELECT * FROM ssl_guard_inspect(decode(repeat('00', 1048577), 'hex'))$$) AS t;

-- as what: the same certificates in each place
SELECT p.place, c.position, c.common_name, 'ca_as_leaf' = ANY (c.findings) AS ca_as_leaf,
       'not_a_ca' = ANY (c.findings) AS not_a_ca, 'no_alt_name' = ANY (c.findings) AS no_alt_name
  FROM unnest(ARRAY['extra', 'server', 'chain', 'ca', 'client']) WITH ORDINALITY AS p (place, n),
       LATERAL (SELECT string_agg(body, '' ORDER BY name) AS body FROM pem WHERE name IN ('forever', 'root')) AS t,
       ssl_guard_inspect(t.body, p.place) AS c
 ORDER BY p.n, c.position;
SELECT p.place, 'ca_as_leaf' = ANY (c.findings) AS ca_as_leaf
  FROM unnest(ARRAY['extra', 'server', 'chain', 'ca', 'client']) WITH ORDINALITY AS p (place, n), pem,
       ssl_guard_inspect(convert_to(body, 'SQL_ASCII'), p.place) AS c
 WHERE name = 'root' ORDER BY p.n;
SELECT count(*) FROM ssl_guard_inspect('x', NULL);
SELECT count(*) FROM ssl_guard_inspect('x'::bytea, place => NULL);

CREATE FUNCTION pg_temp.hint(query text) RETURNS TABLE (state text, message text, hint text)
LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE query;
    RETURN QUERY SELECT '00000', ''::text, ''::text;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, hint = PG_EXCEPTION_HINT;
    RETURN NEXT;
END $$;
\x on
SELECT t.* FROM unnest(ARRAY['', 'Server', 'crl', 'file', 'running', 'server ', 'serve']) AS place,
       pg_temp.hint(format('SELECT * FROM ssl_guard_inspect(%L, %L)', 'x', place)) AS t;
-- the name of a file, and what is none
SELECT argument, t.hint
  FROM unnest(ARRAY['/srv/pg/server.crt', 'server.crt', './server', '~/my certs/a.pem', E'/srv\n', 'hello', 'hello world.',
                    'MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A/x', '/' || repeat('x', 2000)]) AS argument,
       pg_temp.hint(format('SELECT * FROM ssl_guard_inspect(%L)', argument)) AS t
 WHERE t.state = '22023' AND length(argument) < 100 OR t.hint LIKE '%pg_read%';
\x off

-- PEM with something behind the DER, as the first block and as another: shown, and said
CREATE TEMP TABLE tail AS
SELECT E'-----BEGIN CERTIFICATE-----\n' ||
       encode(decode(split_part(split_part(body, E'E-----\n', 2), '-----END', 1), 'base64') || '\x050041', 'base64') ||
       E'\n-----END CERTIFICATE-----\n' AS tailed, body
  FROM pem WHERE name = 'root';
SELECT c.position, c.common_name FROM tail, ssl_guard_inspect(tailed) AS c;
SELECT c.position, c.common_name FROM tail, ssl_guard_inspect(body || tailed || tailed, 'server') AS c;
SELECT c.position, c.common_name FROM tail, ssl_guard_inspect(tailed, 'ca') AS c;
