/*
 * policy/findings.c
 *		The table of findings, and lists of them.
 */
#include "policy/findings.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>

#include "x509/cut_text.h"

#define ALL		ESG_PLACE_ALL_CERTS
#define L		ESG_PLACE_LEAF
#define I		ESG_PLACE_CHAIN
#define A		ESG_PLACE_CA
#define C		ESG_PLACE_CLIENT
#define X		ESG_PLACE_EXTRA
#define CRL		ESG_PLACE_CRL
#define FILES	ESG_PLACE_FILE
#define SERVER	ESG_PLACE_SERVER
#define NONE	ESG_PLACE_NONE

#define REFUSED "every client certificate is refused"
#define NEW_CRL "Publish a new CRL at the CA, put it in place of the old one and reload the server"

/* Indexed by code, so that a missing row is a hole a test can see. */
static const EsgFindingDef definitions[ESG_CODE_COUNT] = {
	/* signature */
	[ESG_WEAK_SIGNATURE] = {
		ESG_WEAK_SIGNATURE, "weak_signature", "SG001",
		ESG_CRITICAL, NONE, ESG_OK, ALL, ALL,
		"is signed with weak algorithm %s",
		"Have the certificate reissued with a signature over SHA-256 or better."
	},
	[ESG_UNKNOWN_SIGNATURE] = {
		ESG_UNKNOWN_SIGNATURE, "unknown_signature", "SG002",
		ESG_WARNING, NONE, ESG_OK, ALL, 0,
		"is signed with unknown algorithm %s",
		"Nobody here can judge the signature. Have the certificate reissued with RSA or ECDSA over SHA-256 or better."
	},
	[ESG_BAD_PSS_PARAMETERS] = {
		ESG_BAD_PSS_PARAMETERS, "bad_pss_parameters", "SG003",
		ESG_WARNING, NONE, ESG_OK, ALL, 0,
		"is signed with faulty RSASSA-PSS parameters (%s)",
		"Have the certificate reissued; the CA's software writes parameters that clients may reject."
	},
	[ESG_SIGNATURE_ALGORITHM_MISMATCH] = {
		ESG_SIGNATURE_ALGORITHM_MISMATCH, "signature_algorithm_mismatch", "SG004",
		ESG_CRITICAL, NONE, ESG_OK, ALL, ALL,
		"names one signature algorithm inside and another outside its signed part",
		"The certificate was altered or badly made. Have it reissued."
	},
	[ESG_BAD_SIGNATURE] = {
		ESG_BAD_SIGNATURE, "bad_signature", "SG005",
		ESG_CRITICAL, NONE, ESG_OK, L | I | A | X, 0,
		"has a signature that its issuer's key does not verify",
		"The certificate was altered, or the issuer's certificate is one with the same name and another key. Install the issuer that belongs to it, or have it reissued."
	},
	[ESG_WEAK_ISSUER_KEY] = {
		ESG_WEAK_ISSUER_KEY, "weak_issuer_key", "SG006",
		ESG_WARNING, NONE, ESG_OK, L | I | C, 0,
		"is signed by an issuer with a weak key (%s)",
		"A certificate is no stronger than its issuer's key. Have it reissued by a CA with a key of RSA 2048, P-256 or better."
	},
	[ESG_SCRAM_INCOMPATIBLE_SIGNATURE] = {
		ESG_SCRAM_INCOMPATIBLE_SIGNATURE, "scram_incompatible_signature", "SG007",
		ESG_WARNING, NONE, ESG_OK, L, 0,
		"is signed with %s, with which SCRAM channel binding fails",
		"Logins with scram-sha-256 fail with \"could not find digest for NID UNDEF\". Have the certificate signed with RSA or ECDSA, or let clients set channel_binding=disable."
	},
	/* key */
	[ESG_WEAK_KEY] = {
		ESG_WEAK_KEY, "weak_key", "SG008",
		ESG_CRITICAL, NONE, ESG_OK, ALL, ALL,
		"has a weak key (%s)",
		"Make a new key of RSA 2048, P-256 or better and have a certificate issued for it."
	},
	[ESG_BROKEN_KEY] = {
		ESG_BROKEN_KEY, "broken_key", "SG009",
		ESG_CRITICAL, NONE, ESG_OK, ALL, ALL,
		"has a broken key (%s)",
		"The private key can be computed from the public one. Make a new key with sound software and have the certificate replaced at once."
	},
	[ESG_EXPLICIT_EC_PARAMETERS] = {
		ESG_EXPLICIT_EC_PARAMETERS, "explicit_ec_parameters", "SG010",
		ESG_CRITICAL, NONE, ESG_OK, ALL, ALL,
		"has an elliptic-curve key with explicit parameters instead of a named curve",
		"Make a new key on a named curve (openssl ecparam -name prime256v1 -param_enc named_curve) and have a certificate issued for it."
	},
	[ESG_UNUSABLE_KEY] = {
		ESG_UNUSABLE_KEY, "unusable_key", "SG011",
		ESG_CRITICAL, A, ESG_WARNING, ALL, ALL & ~A,
		"has an unusable key (%s)",
		"Have a certificate issued for an RSA, ECDSA or Ed25519 key, or install an OpenSSL that knows this type."
	},
	[ESG_DSA_KEY] = {
		ESG_DSA_KEY, "dsa_key", "SG012",
		ESG_WARNING, NONE, ESG_OK, ALL, 0,
		"has a DSA key, which TLS 1.3 cannot use",
		"DSA was withdrawn by FIPS 186-5. Make an RSA or ECDSA key and have a certificate issued for it."
	},
	[ESG_SMALL_EXPONENT] = {
		ESG_SMALL_EXPONENT, "small_exponent", "SG013",
		ESG_NOTICE, NONE, ESG_OK, ALL, 0,
		"has an RSA key with a public exponent below 65537",
		"Make the next key with the usual exponent 65537."
	},
	[ESG_UNCOMMON_CURVE] = {
		ESG_UNCOMMON_CURVE, "uncommon_curve", "SG014",
		ESG_NOTICE, NONE, ESG_OK, ALL, 0,
		"has a key on uncommon curve %s",
		"Some clients cannot use it. Make the next key on P-256, P-384 or P-521."
	},
	[ESG_SHARED_CA_KEY] = {
		ESG_SHARED_CA_KEY, "shared_ca_key", "SG015",
		ESG_WARNING, NONE, ESG_OK, L | I, 0,
		"has the same key as CA certificate \"%s\"",
		"Whoever holds the server's key can issue certificates. Make a key of its own for the server and have a certificate issued for it."
	},
	/* time */
	[ESG_EXPIRED] = {
		ESG_EXPIRED, "expired", "SG016",
		ESG_CRITICAL, A, ESG_WARNING, ALL, ALL & ~A,
		"expired %s ago",
		"Replace the certificate and reload the server."
	},
	[ESG_EXPIRES_VERY_SOON] = {
		ESG_EXPIRES_VERY_SOON, "expires_very_soon", "SG017",
		ESG_CRITICAL, NONE, ESG_OK, ALL, 0,
		"expires in %s",
		"Replace the certificate and reload the server."
	},
	[ESG_EXPIRES_SOON] = {
		ESG_EXPIRES_SOON, "expires_soon", "SG018",
		ESG_WARNING, NONE, ESG_OK, ALL, 0,
		"expires in %s",
		"Have the certificate renewed, replace it and reload the server."
	},
	[ESG_NOT_YET_VALID] = {
		ESG_NOT_YET_VALID, "not_yet_valid", "SG019",
		ESG_CRITICAL, NONE, ESG_OK, ALL, ALL,
		"is not valid before %s",
		"Check the clocks of this host and of the CA, or install a certificate that is valid now."
	},
	[ESG_INVALID_TIME] = {
		ESG_INVALID_TIME, "invalid_time", "SG020",
		ESG_CRITICAL, NONE, ESG_OK, ALL | CRL, ALL,
		"has a validity time that cannot be used (%s)",
		"OpenSSL refuses what it cannot date. Have it reissued with times as in RFC 5280 sections 4.1.2.5 and 5.1.2.4."
	},
	[ESG_VALIDITY_REVERSED] = {
		ESG_VALIDITY_REVERSED, "validity_reversed", "SG021",
		ESG_CRITICAL, NONE, ESG_OK, ALL, ALL,
		"ends before it begins and is never valid",
		"Have the certificate reissued with notAfter later than notBefore."
	},
	[ESG_VALIDITY_TOO_LONG] = {
		ESG_VALIDITY_TOO_LONG, "validity_too_long", "SG022",
		ESG_NOTICE, NONE, ESG_OK, L | C, 0,
		"is valid for %s",
		"Have the next certificate issued for a shorter time, or raise \"ext_ssl_guard.max_validity\"."
	},
	[ESG_OUTLIVES_ISSUER] = {
		ESG_OUTLIVES_ISSUER, "outlives_issuer", "SG023",
		ESG_WARNING, NONE, ESG_OK, L | I, 0,
		"is of no use after %s, when its issuer expires",
		"The chain ends at the earlier date. Replace the issuer's certificate, too, before that date."
	},
	/* names, extensions, structure */
	[ESG_NO_ALT_NAME] = {
		ESG_NO_ALT_NAME, "no_alt_name", "SG024",
		ESG_NOTICE, NONE, ESG_OK, L, 0,
		"has no DNS name or IP address in its subjectAltName",
		"Clients written in Go, Java or Rust refuse its name with sslmode=verify-full. Have the certificate reissued with the host name as a DNS alternative name."
	},
	[ESG_MULTIPLE_COMMON_NAMES] = {
		ESG_MULTIPLE_COMMON_NAMES, "multiple_common_names", "SG025",
		ESG_NOTICE, C, ESG_WARNING, L | C, 0,
		"has %s common names, of which PostgreSQL takes the first",
		"Have the certificate reissued with one common name."
	},
	[ESG_NUL_IN_NAME] = {
		ESG_NUL_IN_NAME, "nul_in_name", "SG026",
		ESG_CRITICAL, NONE, ESG_OK, ALL, ALL,
		"has a NUL character in a name",
		"Such names are made to deceive (CVE-2009-4034). Find out who issued the certificate and replace it."
	},
	[ESG_MALFORMED_NAME] = {
		ESG_MALFORMED_NAME, "malformed_name", "SG027",
		ESG_NOTICE, C, ESG_WARNING, ALL, 0,
		"has a malformed name (%s)",
		"Have the certificate reissued with printable UTF-8 names."
	},
	[ESG_CA_AS_LEAF] = {
		ESG_CA_AS_LEAF, "ca_as_leaf", "SG028",
		ESG_WARNING, NONE, ESG_OK, L | C, 0,
		"is a CA certificate in use as an end-entity certificate",
		"Whoever holds its key can issue certificates. Have a certificate with CA:FALSE issued for a key of its own."
	},
	[ESG_SELF_SIGNED_SERVER] = {
		ESG_SELF_SIGNED_SERVER, "self_signed_server", "SG029",
		ESG_NOTICE, NONE, ESG_OK, L, 0,
		"is self-signed",
		"Clients can only trust it by having this very certificate as sslrootcert. Have one issued by a CA."
	},
	[ESG_WRONG_PURPOSE] = {
		ESG_WRONG_PURPOSE, "wrong_purpose", "SG030",
		ESG_CRITICAL, NONE, ESG_OK, L | C, C,
		"is not issued for TLS %s",
		"Have the certificate reissued with the extended key usage that fits: serverAuth for the server, clientAuth for clients."
	},
	[ESG_KEY_USAGE_MISMATCH] = {
		ESG_KEY_USAGE_MISMATCH, "key_usage_mismatch", "SG031",
		ESG_WARNING, NONE, ESG_OK, L | C, 0,
		"lacks key usage %s",
		"Have the certificate reissued with a fitting keyUsage extension."
	},
	[ESG_UNKNOWN_CRITICAL_EXTENSION] = {
		ESG_UNKNOWN_CRITICAL_EXTENSION, "unknown_critical_extension", "SG032",
		ESG_CRITICAL, NONE, ESG_OK, ALL, 0,
		"has a critical extension that OpenSSL does not know (%s)",
		"Peers must refuse it (RFC 5280 section 4.2). Have the certificate reissued with that extension non-critical or left out."
	},
	[ESG_MALFORMED_EXTENSION] = {
		ESG_MALFORMED_EXTENSION, "malformed_extension", "SG033",
		ESG_CRITICAL, NONE, ESG_OK, ALL, 0,
		"has a malformed extension (%s)",
		"OpenSSL refuses such certificates when it verifies them. Have the certificate reissued."
	},
	[ESG_ODD_SERIAL] = {
		ESG_ODD_SERIAL, "odd_serial", "SG034",
		ESG_NOTICE, NONE, ESG_OK, ALL, 0,
		"has an odd serial number (%s)",
		"Have the next certificate issued with a positive serial number of at most 20 octets (RFC 5280 section 4.1.2.2)."
	},
	[ESG_MUST_STAPLE] = {
		ESG_MUST_STAPLE, "must_staple", "SG035",
		ESG_WARNING, NONE, ESG_OK, L, 0,
		"demands OCSP stapling, which PostgreSQL does not do",
		"Strict clients refuse it. Have the certificate reissued without the TLS feature extension (RFC 7633)."
	},
	/* chain and bundle */
	[ESG_CHAIN_OUT_OF_ORDER] = {
		ESG_CHAIN_OUT_OF_ORDER, "chain_out_of_order", "SG036",
		ESG_WARNING, NONE, ESG_OK, L | I, 0,
		"is not followed by its issuer: %s",
		"Put the certificates in order: the server's own first, then each one's issuer."
	},
	[ESG_LEAF_NOT_FIRST] = {
		ESG_LEAF_NOT_FIRST, "leaf_not_first", "SG037",
		ESG_CRITICAL, NONE, ESG_OK, L, 0,
		"is a CA certificate but stands first, before the end-entity certificate at position %s",
		"PostgreSQL serves the first certificate of the file. Put the server's own certificate first and reload the server."
	},
	[ESG_CHAIN_INCOMPLETE] = {
		ESG_CHAIN_INCOMPLETE, "chain_incomplete", "SG038",
		ESG_WARNING, NONE, ESG_OK, L | I, 0,
		"ends the chain short of a known root: its issuer \"%s\" is missing",
		"Append the missing intermediate certificates to the file of \"ssl_cert_file\" and reload the server."
	},
	[ESG_ROOT_IN_CHAIN] = {
		ESG_ROOT_IN_CHAIN, "root_in_chain", "SG039",
		ESG_NOTICE, NONE, ESG_OK, I, 0,
		"is a root certificate, sent in every handshake for nothing",
		"Clients use their own copy of the root. Remove it from the file of \"ssl_cert_file\"."
	},
	[ESG_DUPLICATE_CERTIFICATE] = {
		ESG_DUPLICATE_CERTIFICATE, "duplicate_certificate", "SG040",
		ESG_NOTICE, NONE, ESG_OK, ALL, 0,
		"is the same certificate as the one at position %s",
		"Remove the second copy from the file."
	},
	[ESG_UNRELATED_CERTIFICATE] = {
		ESG_UNRELATED_CERTIFICATE, "unrelated_certificate", "SG041",
		ESG_WARNING, NONE, ESG_OK, L | I, 0,
		"does not belong in the server's chain (%s)",
		"Keep in the file of \"ssl_cert_file\" only the server's certificate and the CA certificates that lead to the root."
	},
	[ESG_NOT_A_CA] = {
		ESG_NOT_A_CA, "not_a_ca", "SG042",
		ESG_WARNING, NONE, ESG_OK, A, 0,
		"is not a CA certificate",
		"Keep only CA certificates in the file of \"ssl_ca_file\"."
	},
	[ESG_PUBLIC_ROOT_STORE] = {
		ESG_PUBLIC_ROOT_STORE, "public_root_store", "SG043",
		ESG_WARNING, NONE, ESG_OK, FILES, 0,
		"looks like a store of public root certificates (%s)",
		"With clientcert=verify-ca any of these CAs can mint a login. Keep in the file of \"ssl_ca_file\" only the CA that issues your clients' certificates."
	},
	/* CRLs */
	[ESG_CRL_EXPIRED] = {
		ESG_CRL_EXPIRED, "crl_expired", "SG044",
		ESG_CRITICAL, NONE, ESG_OK, CRL, 0,
		"expired %s ago, so " REFUSED,
		"While a CRL is stale, " REFUSED ". " NEW_CRL "."
	},
	[ESG_CRL_EXPIRES_VERY_SOON] = {
		ESG_CRL_EXPIRES_VERY_SOON, "crl_expires_very_soon", "SG045",
		ESG_CRITICAL, NONE, ESG_OK, CRL, 0,
		"expires in %s, and then " REFUSED,
		NEW_CRL " before that."
	},
	[ESG_CRL_EXPIRES_SOON] = {
		ESG_CRL_EXPIRES_SOON, "crl_expires_soon", "SG046",
		ESG_WARNING, NONE, ESG_OK, CRL, 0,
		"expires in %s, and then " REFUSED,
		NEW_CRL " before that."
	},
	[ESG_CRL_NOT_YET_VALID] = {
		ESG_CRL_NOT_YET_VALID, "crl_not_yet_valid", "SG047",
		ESG_CRITICAL, NONE, ESG_OK, CRL, 0,
		"is not valid before %s, so " REFUSED,
		"Check the clocks of this host and of the CA, or install a CRL that is valid now and reload the server."
	},
	[ESG_CRL_MISSING] = {
		ESG_CRL_MISSING, "crl_missing", "SG048",
		ESG_CRITICAL, NONE, ESG_OK, A, 0,
		"has no CRL although CRLs are configured, so its clients are refused",
		"Put a CRL of this CA, even an empty one, into the file of \"ssl_crl_file\" or into \"ssl_crl_dir\" and reload the server."
	},
	[ESG_CRL_BAD_SIGNATURE] = {
		ESG_CRL_BAD_SIGNATURE, "crl_bad_signature", "SG049",
		ESG_CRITICAL, NONE, ESG_OK, CRL, 0,
		"has a signature that cannot be accepted (%s)",
		"The clients of this CA are refused. Fetch the CRL from the CA again, or have the CA's certificate reissued with key usage cRLSign."
	},
	[ESG_CRL_UNKNOWN_ISSUER] = {
		ESG_CRL_UNKNOWN_ISSUER, "crl_unknown_issuer", "SG050",
		ESG_WARNING, NONE, ESG_OK, CRL, 0,
		"comes from a CA that is not in the file of \"ssl_ca_file\"",
		"Add the CA's certificate to the file of \"ssl_ca_file\", or remove the CRL."
	},
	[ESG_CRL_WEAK_SIGNATURE] = {
		ESG_CRL_WEAK_SIGNATURE, "crl_weak_signature", "SG051",
		ESG_WARNING, NONE, ESG_OK, CRL, 0,
		"is signed with weak or unknown algorithm %s",
		"Let the CA sign its CRLs over SHA-256 or better."
	},
	[ESG_CRL_NO_NEXT_UPDATE] = {
		ESG_CRL_NO_NEXT_UPDATE, "crl_no_next_update", "SG052",
		ESG_NOTICE, NONE, ESG_OK, CRL, 0,
		"does not say when the next one is due",
		"Nobody notices when it grows old. Let the CA write nextUpdate (RFC 5280 section 5.1.2.5)."
	},
	[ESG_CRL_REVOKES_OWN] = {
		ESG_CRL_REVOKES_OWN, "crl_revokes_own", "SG053",
		ESG_CRITICAL, NONE, ESG_OK, CRL, 0,
		"revokes %s, which this server uses",
		"Replace the revoked certificate and everything it issued, and reload the server."
	},
	[ESG_CRL_NOT_HASHED] = {
		ESG_CRL_NOT_HASHED, "crl_not_hashed", "SG054",
		ESG_WARNING, NONE, ESG_OK, CRL, 0,
		"is silently ignored by OpenSSL, because its file is not named %s",
		"Run openssl rehash on the directory of \"ssl_crl_dir\" and reload the server."
	},
	/* files */
	[ESG_FILE_MISSING] = {
		ESG_FILE_MISSING, "file_missing", "SG055",
		ESG_CRITICAL, NONE, ESG_OK, FILES, FILES,
		"is missing: %s",
		"Put the file in place or correct the setting that names it. Without it the next reload or restart fails."
	},
	[ESG_FILE_UNREADABLE] = {
		ESG_FILE_UNREADABLE, "file_unreadable", "SG056",
		ESG_CRITICAL, NONE, ESG_OK, FILES, FILES,
		"could not be read: %s",
		"Make the file readable for the server's user. As it is, the next reload or restart fails."
	},
	[ESG_FILE_NOT_REGULAR] = {
		ESG_FILE_NOT_REGULAR, "file_not_regular", "SG057",
		ESG_CRITICAL, NONE, ESG_OK, FILES, FILES,
		"is %s",
		"Put in its place what the server needs there, or correct the setting that names it."
	},
	[ESG_FILE_TOO_LARGE] = {
		ESG_FILE_TOO_LARGE, "file_too_large", "SG058",
		ESG_CRITICAL, NONE, ESG_OK, FILES, 0,
		"is too large to be read (%s)",
		"Certificate files may have 1 MB, CA bundles 64 MB and CRLs 1 GB. Check that the setting names the right file."
	},
	[ESG_FILE_UNPARSABLE] = {
		ESG_FILE_UNPARSABLE, "file_unparsable", "SG059",
		ESG_CRITICAL, NONE, ESG_OK, FILES, 0,
		"holds nothing that can be used here, but %s",
		"Put PEM text (-----BEGIN CERTIFICATE----- or -----BEGIN X509 CRL-----) into the file and reload the server."
	},
	[ESG_FILE_PARTLY_READ] = {
		ESG_FILE_PARTLY_READ, "file_partly_read", "SG060",
		ESG_CRITICAL, NONE, ESG_OK, FILES, 0,
		"can be read only in part: %s",
		"Mend or remove the broken block. When files are concatenated, each must end with a newline."
	},
	[ESG_TRUSTED_CERTIFICATE_BLOCK] = {
		ESG_TRUSTED_CERTIFICATE_BLOCK, "trusted_certificate_block", "SG061",
		ESG_WARNING, NONE, ESG_OK, FILES, 0,
		"holds a TRUSTED CERTIFICATE block, which OpenSSL silently skips",
		"Rewrite the block as a plain CERTIFICATE with openssl x509 and reload the server."
	},
	[ESG_PERMISSIONS_TOO_OPEN] = {
		ESG_PERMISSIONS_TOO_OPEN, "permissions_too_open", "SG062",
		ESG_CRITICAL, NONE, ESG_OK, FILES, FILES,
		"has mode %s",
		"Take away the excess permissions with chmod."
	},
	[ESG_WRONG_OWNER] = {
		ESG_WRONG_OWNER, "wrong_owner", "SG063",
		ESG_CRITICAL, NONE, ESG_OK, FILES, FILES,
		"belongs to user ID %s, neither the server's user nor root",
		"Its owner can replace its content. Give the file to the server's user or to root with chown."
	},
	[ESG_DIRECTORY_WRITABLE] = {
		ESG_DIRECTORY_WRITABLE, "directory_writable", "SG064",
		ESG_WARNING, NONE, ESG_OK, FILES, 0,
		"is a directory in which others may replace files (mode %s)",
		"Take away the write permission of others with chmod o-w."
	},
	/* running server: no subject is put before these */
	[ESG_RELOAD_FAILED] = {
		ESG_RELOAD_FAILED, "reload_failed", "SG065",
		ESG_CRITICAL, NONE, ESG_OK, SERVER, 0,
		"the last TLS reload failed, the previous certificate stays in service",
		"See the preceding log messages for the reason, mend it and reload the server."
	},
	[ESG_RELOAD_PENDING] = {
		ESG_RELOAD_PENDING, "reload_pending", "SG066",
		ESG_WARNING, NONE, ESG_OK, SERVER, 0,
		"the server certificate on disk is not the one in service",
		"Reload the server to put the new certificate into service."
	},
	[ESG_PROBE_FAILED] = {
		ESG_PROBE_FAILED, "probe_failed", "SG067",
		ESG_WARNING, NONE, ESG_OK, SERVER, 0,
		"the TLS handshake of the self-probe failed: %s",
		"Check \"listen_addresses\", \"pg_hba.conf\" and the TLS settings."
	},
	[ESG_HOOK_INACTIVE] = {
		ESG_HOOK_INACTIVE, "hook_inactive", "SG068",
		ESG_WARNING, NONE, ESG_OK, SERVER, 0,
		"the server does not call the TLS hook while \"ssl_sni\" is on",
		"A failed reload and the protected passphrase cannot be handled by ext_ssl_guard. Switch \"ssl_sni\" off, or rely on the worker's checks."
	},
	[ESG_ROLE_LABEL_UNSATISFIABLE] = {
		ESG_ROLE_LABEL_UNSATISFIABLE, "role_label_unsatisfiable", "SG069",
		ESG_WARNING, NONE, ESG_OK, SERVER, 0,
		"role \"%s\" requires a client certificate, but the server asks for none",
		"Switch \"ssl\" on and set \"ssl_ca_file\", or remove the role's security label."
	},
	[ESG_PASSPHRASE_UNUSABLE] = {
		ESG_PASSPHRASE_UNUSABLE, "passphrase_unusable", "SG070",
		ESG_CRITICAL, NONE, ESG_OK, FILES, 0,
		"cannot be used: %s",
		"Make the passphrase files anew with ssl_guard_ctl encrypt and reload the server."
	},
	[ESG_IDENTITY_MISMATCH] = {
		ESG_IDENTITY_MISMATCH, "identity_mismatch", "SG071",
		ESG_WARNING, NONE, ESG_OK, SERVER, SERVER,
		"no identity of the client certificate belongs to role \"%s\"",
		"Ask ssl_guard_identity_check() which identities the certificate offers, then mend \"pg_ident.conf\" or the certificate."
	},
	[ESG_ROLE_LABEL_MISMATCH] = {
		ESG_ROLE_LABEL_MISMATCH, "role_label_mismatch", "SG072",
		ESG_WARNING, NONE, ESG_OK, SERVER, SERVER,
		"login does not meet the security label of role \"%s\"",
		"See the role's label in \"pg_shseclabel\", then change it or the client's connection."
	},
	[ESG_CERTIFICATE_NOT_JUDGED] = {
		ESG_CERTIFICATE_NOT_JUDGED, "certificate_not_judged", "SG073",
		ESG_WARNING, NONE, ESG_OK, SERVER, SERVER,
		"certificate of a client of role \"%s\" could not be analysed",
		"OpenSSL could not read the certificate or ran out of memory. Look at the certificate with ssl_guard_inspect()."
	},
	[ESG_FILE_NOT_RELOADED] = {
		ESG_FILE_NOT_RELOADED, "file_not_reloaded", "SG074",
		ESG_WARNING, NONE, ESG_OK, FILES, 0,
		"has changed since the server loaded it",
		"The server goes on with the old content until it is reloaded. Reload the server."
	},
};

#undef ALL
#undef L
#undef I
#undef A
#undef C
#undef X
#undef CRL
#undef FILES
#undef SERVER
#undef NONE

static const char *const severity_names[] = {"ok", "notice", "warning", "critical"};

const EsgFindingDef *
esg_findings_def(EsgCode code)
{
	if ((int) code <= (int) ESG_NO_FINDING || (int) code >= (int) ESG_CODE_COUNT)
		return NULL;
	return &definitions[code];
}

static bool
equals_name(const char *name, const char *text, size_t len)
{
	return strlen(name) == len && memcmp(name, text, len) == 0;
}

/* NULL if no code has that name; name need not end with NUL. */
const EsgFindingDef *
esg_findings_lookup(const char *name, size_t len)
{
	int			code;

	for (code = ESG_NO_FINDING + 1; code < ESG_CODE_COUNT; code++)
	{
		if (equals_name(definitions[code].name, name, len))
			return &definitions[code];
	}
	return NULL;
}

/* "ok", "notice", "warning", "critical": the labels of ssl_guard_severity. */
const char *
esg_findings_severity_name(EsgSeverity severity)
{
	if ((int) severity < (int) ESG_OK || (int) severity > (int) ESG_CRITICAL)
		return "critical";
	return severity_names[severity];
}

/*
 * The severities of ext_ssl_guard.finding_overrides: "off" is ESG_OK.  Returns
 * false for anything else.
 */
bool
esg_findings_severity_parse(const char *name, size_t len, EsgSeverity *out)
{
	int			severity;

	*out = ESG_OK;
	if (equals_name("off", name, len))
		return true;
	for (severity = ESG_NOTICE; severity <= ESG_CRITICAL; severity++)
	{
		if (equals_name(severity_names[severity], name, len))
		{
			*out = (EsgSeverity) severity;
			return true;
		}
	}
	return false;
}

static EsgSeverity
override_severity(EsgCode code, EsgSeverity severity, const EsgOverrides overrides)
{
	if (overrides != NULL && overrides[code] >= 0)
		return (EsgSeverity) overrides[code];
	return severity;
}

/* What the code is worth for that place; ESG_OK if it is switched off. */
EsgSeverity
esg_findings_severity(EsgCode code, EsgPlace place, const EsgOverrides overrides)
{
	const EsgFindingDef *def = esg_findings_def(code);

	if (def == NULL)
		return ESG_OK;
	return override_severity(code,
							 (def->alt_places & place) ? def->alt_severity : def->severity,
							 overrides);
}

/* New text with the detail; NULL if memory ran out. */
__attribute__((format(printf, 1, 0)))
static char *
format_detail(const char *fmt, va_list args)
{
	char		whole[ESG_MAX_DETAIL + 8];
	char		detail[ESG_MAX_DETAIL + 1];

	whole[0] = '\0';
	if (fmt != NULL && vsnprintf(whole, sizeof(whole), fmt, args) < 0)
		whole[0] = '\0';
	esg_cut_text_copy(detail, sizeof(detail), whole);
	return OPENSSL_strdup(detail);
}

static bool
grow_list(EsgFindings *list)
{
	EsgFinding *items;
	int			capacity = list->capacity > 0 ? 2 * list->capacity : 4;

	if (list->count < list->capacity)
		return true;
	items = OPENSSL_realloc(list->items, (size_t) capacity * sizeof(EsgFinding));
	if (items == NULL)
		return false;
	list->items = items;
	list->capacity = capacity;
	return true;
}

static EsgFinding *
find_code(const EsgFindings *list, EsgCode code)
{
	int			i;

	for (i = 0; i < list->count; i++)
	{
		if (list->items[i].code == code)
			return &list->items[i];
	}
	return NULL;
}

__attribute__((format(printf, 4, 0)))
static bool
add_finding(EsgFindings *list, EsgCode code, EsgSeverity severity, const char *fmt,
			va_list args)
{
	EsgFinding *finding;
	char	   *detail;

	if (severity == ESG_OK)
		return false;
	finding = find_code(list, code);
	if (finding != NULL)
	{
		if (severity > finding->severity)
			finding->severity = severity;
		return true;
	}
	detail = format_detail(fmt, args);
	if (detail == NULL || !grow_list(list))
	{
		OPENSSL_free(detail);
		list->out_of_memory = true;
		return false;
	}
	finding = &list->items[list->count++];
	finding->code = code;
	finding->severity = severity;
	finding->detail = detail;
	return true;
}

bool
esg_findings_add(EsgFindings *list, EsgCode code, EsgPlace place,
				 const EsgOverrides overrides, const char *fmt,...)
{
	va_list		args;
	bool		added;

	va_start(args, fmt);
	added = add_finding(list, code, esg_findings_severity(code, place, overrides), fmt, args);
	va_end(args);
	return added;
}

bool
esg_findings_add_graded(EsgFindings *list, EsgCode code, EsgSeverity severity,
						const EsgOverrides overrides, const char *fmt,...)
{
	va_list		args;
	bool		added;

	if (esg_findings_def(code) == NULL)
		return false;
	va_start(args, fmt);
	added = add_finding(list, code, override_severity(code, severity, overrides), fmt, args);
	va_end(args);
	return added;
}

bool
esg_findings_has(const EsgFindings *list, EsgCode code)
{
	return find_code(list, code) != NULL;
}

/* ESG_OK for an empty list. */
EsgSeverity
esg_findings_worst(const EsgFindings *list)
{
	EsgSeverity worst = ESG_OK;
	int			i;

	for (i = 0; i < list->count; i++)
	{
		if (list->items[i].severity > worst)
			worst = list->items[i].severity;
	}
	return worst;
}

static bool
comes_before(const EsgFinding *a, const EsgFinding *b)
{
	if (a->severity != b->severity)
		return a->severity > b->severity;
	return a->code < b->code;
}

/* Worst first, then by code.  Lists are short: each code is there once. */
void
esg_findings_sort(EsgFindings *list)
{
	int			i;

	for (i = 1; i < list->count; i++)
	{
		EsgFinding	moved = list->items[i];
		int			j = i;

		while (j > 0 && comes_before(&moved, &list->items[j - 1]))
		{
			list->items[j] = list->items[j - 1];
			j--;
		}
		list->items[j] = moved;
	}
}

/* Leaves an empty list that can be used again. */
void
esg_findings_free(EsgFindings *list)
{
	int			i;

	for (i = 0; i < list->count; i++)
		OPENSSL_free(list->items[i].detail);
	OPENSSL_free(list->items);
	memset(list, 0, sizeof(*list));
}
