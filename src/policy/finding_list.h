/*
 * policy/finding_list.h
 *		The findings, one row each: the only place that knows them all.
 *
 * FINDING(code, name, SQLSTATE, severity, places, enforced, message, hint, check)
 *
 * A finding is a verdict about one object (certificate, CRL, file, running
 * server).  A row's number is the nnn of its SQLSTATE SGnnn and is never
 * reused; new rows are appended.  Findings are looked for, and, where they are
 * equally severe, listed, in the order of the rows.
 *
 * severity: EXCEPT(severity, places, other) where some places have another.
 * places: who can have it; enforced: for which of them enforce refuses.
 * message: the predicate of a sentence whose subject server/report supplies; at
 * most one "%s" stands for what the check says.
 * hint: one or two sentences with the remedy; HINTS(hint, extra, crl_dir) where
 * another one is right for extra_files, which the server does not load, or for
 * ssl_crl_dir, where OpenSSL looks only when it needs a CRL (NULL: none);
 * WITH_CLIENT(hint, client) where it is another one for a client's certificate.
 * What a hint says is done by t/034_hints.t to t/036_hints.t.
 * check: the function that looks for it, in the file about certificates,
 * chains, CRLs or files; RAISED_BY() where it takes a running server.
 *
 * There is no include guard: each of those files takes its own checks from the
 * rows, by defining FINDING() and the word for its kind of check.
 */
#ifndef BY_CERTIFICATE
#define BY_CERTIFICATE(check) NULL
#endif
#ifndef BY_CHAIN
#define BY_CHAIN(check) NULL
#endif
#ifndef BY_CRL
#define BY_CRL(check) NULL
#endif
#ifndef BY_CRLS_OF_CA
#define BY_CRLS_OF_CA(check) NULL
#endif
#ifndef BY_CERTIFICATE_AND_CRL
#define BY_CERTIFICATE_AND_CRL(check) NULL
#endif
#ifndef BY_FILE
#define BY_FILE(check) NULL
#endif
#ifndef RAISED_BY
#define RAISED_BY(part) NULL
#endif

/* signature */
FINDING(WEAK_SIGNATURE, "weak_signature", "SG001", CRITICAL, ALL, ALL,
		"is signed with weak algorithm %s",
		"Have the certificate reissued with a signature over SHA-256 or better.",
		BY_CERTIFICATE(check_weak_signature))
FINDING(UNKNOWN_SIGNATURE, "unknown_signature", "SG002", WARNING, ALL, 0,
		"is signed with unknown algorithm %s",
		"Nobody here can judge the signature. Have the certificate reissued with RSA or ECDSA over SHA-256 or better.",
		BY_CERTIFICATE(check_unknown_signature))
FINDING(BAD_PSS_PARAMETERS, "bad_pss_parameters", "SG003", WARNING, ALL, 0,
		"is signed with faulty RSASSA-PSS parameters (%s)",
		"Clients may reject what the CA's software wrote there. Have the certificate reissued with a plain RSA or ECDSA signature, or by software that names one digest for both.",
		BY_CERTIFICATE(check_bad_pss_parameters))
FINDING(SIGNATURE_ALGORITHM_MISMATCH, "signature_algorithm_mismatch", "SG004", CRITICAL, ALL, ALL,
		"names one signature algorithm inside and another outside its signed part",
		"The certificate was altered or badly made. Have it reissued.",
		BY_CERTIFICATE(check_signature_algorithm_mismatch))
FINDING(BAD_SIGNATURE, "bad_signature", "SG005", CRITICAL, L | I | A | X, 0,
		"has a signature that its issuer's key does not verify",
		"The certificate was altered, or the issuer's certificate is one with the same name and another key. Install the issuer that belongs to it, or have it reissued.",
		BY_CHAIN(check_bad_signature))
FINDING(WEAK_ISSUER_KEY, "weak_issuer_key", "SG006", WARNING, L | I | C, 0,
		"is signed by an issuer with a weak key (%s)",
		"A certificate is no stronger than its issuer's key. Have it reissued by a CA with a key of RSA 2048, P-256 or better.",
		BY_CHAIN(check_weak_issuer_key))
FINDING(SCRAM_INCOMPATIBLE_SIGNATURE, "scram_incompatible_signature", "SG007", WARNING, L, 0,
		"is signed with %s, with which SCRAM channel binding fails",
		"Logins with scram-sha-256 fail with \"could not find digest for NID UNDEF\", unless the client sets channel_binding=disable. Have the certificate reissued by a CA that signs with RSA or ECDSA.",
		BY_CERTIFICATE(check_scram_incompatible_signature))

/* key */
FINDING(WEAK_KEY, "weak_key", "SG008", CRITICAL, ALL, ALL,
		"has a weak key (%s)",
		"Make a new key of RSA 2048, P-256 or better and have a certificate issued for it.",
		BY_CERTIFICATE(check_weak_key))
FINDING(BROKEN_KEY, "broken_key", "SG009", CRITICAL, ALL, ALL,
		"has a broken key (%s)",
		"The private key can be computed from the public one. Make a new key with sound software and have the certificate replaced at once.",
		BY_CERTIFICATE(check_broken_key))
FINDING(EXPLICIT_EC_PARAMETERS, "explicit_ec_parameters", "SG010", CRITICAL, ALL, ALL,
		"has an elliptic-curve key with explicit parameters instead of a named curve",
		"Make a new key on a named curve (openssl ecparam -name prime256v1 -param_enc named_curve -genkey -noout) and have a certificate issued for it.",
		BY_CERTIFICATE(check_explicit_ec_parameters))
FINDING(UNUSABLE_KEY, "unusable_key", "SG011", EXCEPT(CRITICAL, A, WARNING), ALL, ALL & ~A,
		"has an unusable key (%s)",
		"Have a certificate issued for an RSA, ECDSA or Ed25519 key, or install an OpenSSL that knows this type.",
		BY_CERTIFICATE(check_unusable_key))
FINDING(DSA_KEY, "dsa_key", "SG012", WARNING, ALL, 0,
		"has a DSA key, which TLS 1.3 cannot use",
		"DSA was withdrawn by FIPS 186-5. Make an RSA or ECDSA key and have a certificate issued for it.",
		BY_CERTIFICATE(check_dsa_key))
FINDING(SMALL_EXPONENT, "small_exponent", "SG013", NOTICE, ALL, 0,
		"has an RSA key with a public exponent below 65537",
		"Make the next key with the usual exponent 65537.",
		BY_CERTIFICATE(check_small_exponent))
FINDING(UNCOMMON_CURVE, "uncommon_curve", "SG014", NOTICE, ALL, 0,
		"has a key on uncommon curve %s",
		"Some clients cannot use it. Make the next key on P-256, P-384 or P-521.",
		BY_CERTIFICATE(check_uncommon_curve))
FINDING(SHARED_CA_KEY, "shared_ca_key", "SG015", WARNING, L | I, 0,
		"has the same key as CA certificate \"%s\"",
		"Whoever holds the server's key can issue certificates. Make a key of its own for the server and have a certificate issued for it.",
		BY_CHAIN(check_shared_ca_key))

/* time */
FINDING(EXPIRED, "expired", "SG016", EXCEPT(CRITICAL, A | X, WARNING), ALL, ALL & ~(A | X),
		"expired %s ago",
		WITH_CLIENT(HINTS("Replace the certificate and reload the server.",
						  "Replace the certificate and let the program that uses it load the new one.", NULL),
					"Give the client a new certificate. When it has logged in with it, the old one is not judged any more."),
		BY_CERTIFICATE(check_expired))
FINDING(EXPIRES_VERY_SOON, "expires_very_soon", "SG017", EXCEPT(CRITICAL, A | X, WARNING), ALL, 0,
		"expires in %s",
		WITH_CLIENT(HINTS("Replace the certificate and reload the server.",
						  "Replace the certificate and let the program that uses it load the new one.", NULL),
					"Give the client a new certificate. When it has logged in with it, the old one is not judged any more."),
		BY_CERTIFICATE(check_expires_very_soon))
FINDING(EXPIRES_SOON, "expires_soon", "SG018", EXCEPT(WARNING, A | X, NOTICE), ALL, 0,
		"expires in %s",
		WITH_CLIENT(HINTS("Have the certificate renewed, replace it and reload the server.",
						  "Have the certificate renewed, replace it and let the program that uses it load the new one.", NULL),
					"Have the certificate renewed and give it to the client. When it has logged in with it, the old one is not judged any more."),
		BY_CERTIFICATE(check_expires_soon))
FINDING(NOT_YET_VALID, "not_yet_valid", "SG019", CRITICAL, ALL, ALL,
		"is not valid before %s",
		"Check the clocks of this host and of the CA, or install a certificate that is valid now.",
		BY_CERTIFICATE(check_not_yet_valid))
FINDING(INVALID_TIME, "invalid_time", "SG020", CRITICAL, ALL | CRL, ALL,
		"has a validity time that cannot be used (%s)",
		"OpenSSL refuses what it cannot date. Have it reissued with times as in RFC 5280 sections 4.1.2.5 and 5.1.2.4.",
		BY_CERTIFICATE_AND_CRL(check_invalid_time))
FINDING(VALIDITY_REVERSED, "validity_reversed", "SG021", CRITICAL, ALL, ALL,
		"ends before it begins and is never valid",
		"Have the certificate reissued with notAfter later than notBefore.",
		BY_CERTIFICATE(check_validity_reversed))
FINDING(VALIDITY_TOO_LONG, "validity_too_long", "SG022", NOTICE, L | C, 0,
		"is valid for %s",
		"Have the next certificate issued for a shorter time, or raise \"ext_ssl_guard.max_validity\".",
		BY_CERTIFICATE(check_validity_too_long))
FINDING(OUTLIVES_ISSUER, "outlives_issuer", "SG023", NOTICE, L | I, 0,
		"is of no use after %s, when its issuer expires",
		HINTS("The chain ends at the earlier date. Replace the issuer's certificate, too, before that date, and reload the server.",
			  "The chain ends at the earlier date. Replace the issuer's certificate, too, before that date.", NULL),
		BY_CHAIN(check_outlives_issuer))

/* names, extensions, structure */
FINDING(NO_ALT_NAME, "no_alt_name", "SG024", NOTICE, L, 0,
		"has no DNS name or IP address in its subjectAltName",
		"Clients written in Go, Java or Rust refuse its name with sslmode=verify-full. Have the certificate reissued with the host name as a DNS alternative name.",
		BY_CERTIFICATE(check_no_alt_name))
FINDING(MULTIPLE_COMMON_NAMES, "multiple_common_names", "SG025", EXCEPT(NOTICE, C, WARNING), L | C, 0,
		"has %s common names, of which PostgreSQL takes the first",
		WITH_CLIENT("Have the certificate reissued with one common name.",
					"Have the certificate reissued with one common name. When the old one is out of use, ssl_guard_reset_client_certificates() takes down its alarm."),
		BY_CERTIFICATE(check_multiple_common_names))
FINDING(NUL_IN_NAME, "nul_in_name", "SG026", CRITICAL, ALL, ALL,
		"has a NUL character in a name",
		WITH_CLIENT("Such names are made to deceive (CVE-2009-4034). Find out who issued the certificate and have it reissued without.",
					"Such names are made to deceive (CVE-2009-4034). Find out who issued the certificate and have it reissued without. When the old one is out of use, ssl_guard_reset_client_certificates() takes down its alarm."),
		BY_CERTIFICATE(check_nul_in_name))
FINDING(MALFORMED_NAME, "malformed_name", "SG027", EXCEPT(NOTICE, C, WARNING), ALL, 0,
		"has a malformed name (%s)",
		WITH_CLIENT("Have the certificate reissued with printable UTF-8 names.",
					"Have the certificate reissued with printable UTF-8 names. When the old one is out of use, ssl_guard_reset_client_certificates() takes down its alarm."),
		BY_CERTIFICATE(check_malformed_name))
FINDING(CA_AS_LEAF, "ca_as_leaf", "SG028", WARNING, L | C, 0,
		"is a CA certificate in use as an end-entity certificate",
		"Whoever holds its key can issue certificates. Have a certificate with CA:FALSE issued for a key of its own.",
		BY_CERTIFICATE(check_ca_as_leaf))
FINDING(SELF_SIGNED_SERVER, "self_signed_server", "SG029", NOTICE, L, 0,
		"is self-signed",
		"Clients can only trust it by having this very certificate as sslrootcert. Have one issued by a CA.",
		BY_CERTIFICATE(check_self_signed_server))
FINDING(WRONG_PURPOSE, "wrong_purpose", "SG030", CRITICAL, L | C, C,
		"is not issued for TLS %s",
		"Have the certificate reissued with the extended key usage that fits: serverAuth for the server, clientAuth for clients.",
		BY_CERTIFICATE(check_wrong_purpose))
FINDING(KEY_USAGE_MISMATCH, "key_usage_mismatch", "SG031", WARNING, L | C, 0,
		"lacks key usage %s",
		"Have the certificate reissued with a fitting keyUsage extension.",
		BY_CERTIFICATE(check_key_usage_mismatch))
FINDING(UNKNOWN_CRITICAL_EXTENSION, "unknown_critical_extension", "SG032", CRITICAL, ALL, 0,
		"has a critical extension that OpenSSL does not know (%s)",
		"Peers must refuse it (RFC 5280 section 4.2). Have the certificate reissued with that extension non-critical or left out.",
		BY_CERTIFICATE(check_unknown_critical_extension))
FINDING(MALFORMED_EXTENSION, "malformed_extension", "SG033", CRITICAL, ALL, 0,
		"has a malformed extension (%s)",
		"OpenSSL refuses such certificates when it verifies them. Have the certificate reissued.",
		BY_CERTIFICATE(check_malformed_extension))
FINDING(ODD_SERIAL, "odd_serial", "SG034", NOTICE, ALL, 0,
		"has an odd serial number (%s)",
		"Have the next certificate issued with a positive serial number of at most 20 octets (RFC 5280 section 4.1.2.2).",
		BY_CERTIFICATE(check_odd_serial))
FINDING(MUST_STAPLE, "must_staple", "SG035", WARNING, L, 0,
		"demands OCSP stapling, which PostgreSQL does not do",
		"Strict clients refuse it. Have the certificate reissued without the TLS feature extension (RFC 7633).",
		BY_CERTIFICATE(check_must_staple))

/* chain and bundle */
FINDING(CHAIN_OUT_OF_ORDER, "chain_out_of_order", "SG036", WARNING, L | I, 0,
		"is not followed by its issuer: %s",
		HINTS("Put the certificates in order, the server's own first, then each one's issuer, without the root, and reload the server.",
			  "Put the certificates in order, the server's own first, then each one's issuer, without the root.", NULL),
		BY_CHAIN(check_chain_out_of_order))
FINDING(LEAF_NOT_FIRST, "leaf_not_first", "SG037", CRITICAL, L, 0,
		"is a CA certificate but stands first, before the end-entity certificate at position %s",
		HINTS("PostgreSQL serves the first certificate of the file. Put the server's own first, then each one's issuer, without the root, and reload the server.",
			  "Programs serve the first certificate of such a file. Put the server's own first, then each one's issuer, without the root.", NULL),
		BY_CHAIN(check_leaf_not_first))
FINDING(CHAIN_INCOMPLETE, "chain_incomplete", "SG038", WARNING, L | I, 0,
		"ends the chain short of a known root: its issuer \"%s\" is missing",
		HINTS("If the issuer is an intermediate, put the certificates of all intermediates into the file of \"ssl_cert_file\", each behind the one that it issued, and reload the server. If it is a root that clients have, name a file that holds it in \"ext_ssl_guard.extra_files\".",
			  "If the issuer is an intermediate, put the certificates of all intermediates into the file, each behind the one that it issued. If it is a root that clients have, name a file that holds it in \"ext_ssl_guard.extra_files\", too.", NULL),
		BY_CHAIN(check_chain_incomplete))
FINDING(ROOT_IN_CHAIN, "root_in_chain", "SG039", NOTICE, I, 0,
		"is a root certificate, sent in every handshake for nothing",
		HINTS("Clients use their own copy of the root. Remove it from the file of \"ssl_cert_file\" and reload the server. If it is not in \"ssl_ca_file\" either, name a file that holds it in \"ext_ssl_guard.extra_files\", so that the end of the chain is known.",
			  "Clients use their own copy of the root. Remove it from the file. If the server does not know it otherwise, name a file that holds it in \"ext_ssl_guard.extra_files\", too, so that the end of the chain is known.", NULL),
		BY_CHAIN(check_root_in_chain))
FINDING(DUPLICATE_CERTIFICATE, "duplicate_certificate", "SG040", NOTICE, ALL, 0,
		"is the same certificate as the one at position %s",
		HINTS("Remove the second copy from the file and reload the server.",
			  "Remove the second copy from the file.", NULL),
		BY_CHAIN(check_duplicate_certificate))
FINDING(UNRELATED_CERTIFICATE, "unrelated_certificate", "SG041", WARNING, L | I, 0,
		"does not belong in the server's chain (%s)",
		HINTS("Keep in the file of \"ssl_cert_file\" only the server's certificate and the intermediate CA certificates that lead to the root, and reload the server.",
			  "Keep in the file only the server's certificate and the intermediate CA certificates that lead to the root.", NULL),
		BY_CHAIN(check_unrelated_certificate))
FINDING(NOT_A_CA, "not_a_ca", "SG042", WARNING, A, 0,
		"is not a CA certificate",
		HINTS("Keep in the file of \"ssl_ca_file\" only the certificates of CAs that issue your clients' certificates, and reload the server.",
			  "Keep only CA certificates in the file, or say in \"ext_ssl_guard.extra_files\" that it is something else.", NULL),
		BY_CHAIN(check_not_a_ca))
FINDING(PUBLIC_ROOT_STORE, "public_root_store", "SG043", WARNING, FILES, 0,
		"looks like a store of public root certificates (%s)",
		"With clientcert=verify-ca any of these CAs can mint a login. Keep in the file of \"ssl_ca_file\" only the CA that issues your clients' certificates, and reload the server.",
		BY_CHAIN(check_public_root_store))

/* CRLs */
FINDING(CRL_EXPIRED, "crl_expired", "SG044", CRITICAL, CRL, 0,
		"expired %s",
		HINTS("Publish a new CRL at the CA, put it in place of the old one and reload the server.",
			  "Publish a new CRL at the CA and put it in place of the old one.",
			  "Publish a new CRL at the CA and put it in place of the old one."),
		BY_CRL(check_expired))
FINDING(CRL_EXPIRES_VERY_SOON, "crl_expires_very_soon", "SG045", CRITICAL, CRL, 0,
		"expires in %s",
		HINTS("Publish a new CRL at the CA, put it in place of the old one and reload the server before that.",
			  "Publish a new CRL at the CA and put it in place of the old one.",
			  "Publish a new CRL at the CA and put it in place of the old one."),
		BY_CRL(check_expires_very_soon))
FINDING(CRL_EXPIRES_SOON, "crl_expires_soon", "SG046", WARNING, CRL, 0,
		"expires in %s",
		HINTS("Publish a new CRL at the CA, put it in place of the old one and reload the server before that.",
			  "Publish a new CRL at the CA and put it in place of the old one.",
			  "Publish a new CRL at the CA and put it in place of the old one."),
		BY_CRL(check_expires_soon))
FINDING(CRL_NOT_YET_VALID, "crl_not_yet_valid", "SG047", CRITICAL, CRL, 0,
		"is not valid before %s",
		HINTS("Check the clocks of this host and of the CA, or put a CRL that is valid now in its place and reload the server.",
			  "Check the clocks of this host and of the CA, or put a CRL that is valid now in its place.",
			  "Check the clocks of this host and of the CA, or put a CRL that is valid now in its place."),
		BY_CRL(check_not_yet_valid))
FINDING(CRL_MISSING, "crl_missing", "SG048", CRITICAL, A, 0,
		"has no CRL that counts, so %s",
		"Put a complete CRL made with this CA's key, even an empty one, into the file of \"ssl_crl_file\", or into \"ssl_crl_dir\" under the name that openssl rehash gives it, and reload the server.",
		BY_CRLS_OF_CA(check_missing))
FINDING(CRL_BAD_SIGNATURE, "crl_bad_signature", "SG049", CRITICAL, CRL, 0,
		"has a signature that cannot be accepted: %s",
		HINTS("Put the CA's present CRL in its place and reload the server. If it is the key usage, have the CA's certificate reissued with cRLSign.",
			  "Put the CA's present CRL in its place.", NULL),
		BY_CRL(check_bad_signature))
FINDING(CRL_UNKNOWN_ISSUER, "crl_unknown_issuer", "SG050", NOTICE, CRL, 0,
		"comes from a CA whose key is not in the file of \"ssl_ca_file\"",
		"Clients that send this CA's certificate along with their own need it. To have it checked, add the CA's certificate to the file of \"ssl_ca_file\" and reload the server.",
		BY_CRL(check_unknown_issuer))
FINDING(CRL_WEAK_SIGNATURE, "crl_weak_signature", "SG051", WARNING, CRL, 0,
		"is signed with weak or unknown algorithm %s",
		HINTS("Let the CA sign its CRLs over SHA-256 or better, put a new one in place of this one and reload the server.",
			  "Let the CA sign its CRLs over SHA-256 or better and put a new one in place of this one.",
			  "Let the CA sign its CRLs over SHA-256 or better and put a new one in place of this one."),
		BY_CRL(check_weak_signature))
FINDING(CRL_NO_NEXT_UPDATE, "crl_no_next_update", "SG052", NOTICE, CRL, 0,
		"does not say when the next one is due",
		HINTS("Nobody notices when it grows old. Let the CA write nextUpdate (RFC 5280 section 5.1.2.5), put a new one in place of this one and reload the server.",
			  "Nobody notices when it grows old. Let the CA write nextUpdate (RFC 5280 section 5.1.2.5) and put a new one in place of this one.",
			  "Nobody notices when it grows old. Let the CA write nextUpdate (RFC 5280 section 5.1.2.5) and put a new one in place of this one."),
		BY_CRL(check_no_next_update))
FINDING(CRL_REVOKES_OWN, "crl_revokes_own", "SG053", CRITICAL, CRL, 0,
		"revokes %s",
		"Replace the revoked certificate and everything it issued, and reload the server.",
		BY_CRL(check_revokes_own))
FINDING(CRL_NOT_HASHED, "crl_not_hashed", "SG054", WARNING, CRL, 0,
		"is silently ignored by OpenSSL: %s",
		"Rename the file so, or mend the one at which OpenSSL stops. openssl rehash makes such names for files that end in .pem, .crt, .cer or .crl and hold one CRL each.",
		BY_CRL(check_not_hashed))

/* files */
FINDING(FILE_MISSING, "file_missing", "SG055", CRITICAL, FILES, FILES,
		"is missing: %s",
		HINTS("Put the file in place or correct the setting that names it, and reload the server. Without it the next reload or restart fails.",
			  "Put the file in place or correct \"ext_ssl_guard.extra_files\".",
			  "Put it in place or correct \"ssl_crl_dir\". While OpenSSL finds no CRL there, every client certificate is refused."),
		BY_FILE(check_missing))
FINDING(FILE_UNREADABLE, "file_unreadable", "SG056", CRITICAL, FILES, FILES,
		"could not be read: %s",
		HINTS("Make the file readable for the server's user and reload the server. As it is, the next reload or restart fails.",
			  "Make the file readable for the server's user, or take it out of \"ext_ssl_guard.extra_files\".",
			  "Make it readable for the server's user. While OpenSSL cannot read a CRL, the client certificates of its CA are refused."),
		BY_FILE(check_unreadable))
FINDING(FILE_NOT_REGULAR, "file_not_regular", "SG057", CRITICAL, FILES, FILES,
		"is %s",
		HINTS("Put in its place what the server needs there, or correct the setting that names it, and reload the server.",
			  "Put a file in its place or correct \"ext_ssl_guard.extra_files\".", NULL),
		BY_FILE(check_not_regular))
FINDING(FILE_TOO_LARGE, "file_too_large", "SG058", CRITICAL, FILES, 0,
		"is too large to be read (%s)",
		HINTS("Certificate files may have 1 MB, CA bundles 64 MB and CRLs 1 GB. Put a smaller file in its place, or correct the setting that names it, and reload the server.",
			  "Extra files may have 64 MB. Put a smaller file in its place or correct \"ext_ssl_guard.extra_files\".",
			  "A CRL may have 1 GB, the directory 4096 entries. Remove from the directory of \"ssl_crl_dir\" what does not belong there."),
		BY_FILE(check_too_large))
FINDING(FILE_UNPARSABLE, "file_unparsable", "SG059", CRITICAL, FILES, 0,
		"holds nothing that can be used here, but %s",
		HINTS("Put PEM text (-----BEGIN CERTIFICATE----- or -----BEGIN X509 CRL-----) into the file and reload the server.",
			  "Put PEM text (-----BEGIN CERTIFICATE----- or -----BEGIN X509 CRL-----) into the file.", NULL),
		BY_FILE(check_unparsable))
FINDING(FILE_PARTLY_READ, "file_partly_read", "SG060", CRITICAL, FILES, 0,
		"can be read only in part: %s",
		HINTS("Mend or remove the broken block and reload the server. When files are concatenated, each must end with a newline.",
			  "Mend or remove the broken block. When files are concatenated, each must end with a newline.", NULL),
		BY_FILE(check_partly_read))
FINDING(TRUSTED_CERTIFICATE_BLOCK, "trusted_certificate_block", "SG061", WARNING, FILES, 0,
		"holds a TRUSTED CERTIFICATE block, which OpenSSL silently skips",
		HINTS("Rewrite the block as a plain CERTIFICATE with openssl x509, or remove it if it is a root in the file of \"ssl_cert_file\", and reload the server.",
			  "Rewrite the block as a plain CERTIFICATE with openssl x509.", NULL),
		BY_FILE(check_trusted_certificate_block))
FINDING(PERMISSIONS_TOO_OPEN, "permissions_too_open", "SG062", CRITICAL, FILES, FILES,
		"has mode %s",
		"Take away the excess permissions with chmod.",
		BY_FILE(check_permissions_too_open))
FINDING(WRONG_OWNER, "wrong_owner", "SG063", CRITICAL, FILES, FILES,
		"belongs to user %s, neither the server's user nor root",
		"Its owner can replace its content. Give the file to root or to the server's user; if a program renews it, let that program do so, or regrade the finding with \"ext_ssl_guard.finding_overrides\".",
		BY_FILE(check_wrong_owner))
FINDING(DIRECTORY_WRITABLE, "directory_writable", "SG064", WARNING, FILES, 0,
		"is a directory in which others may replace files (mode %s)",
		"Take away the write permission of others with chmod o-w.",
		BY_FILE(check_directory_writable))

/* running server: no subject is put before these */
FINDING(RELOAD_FAILED, "reload_failed", "SG065", CRITICAL, SERVER, 0,
		"the last TLS reload failed, %s",
		"See the preceding log messages for the reason, mend it and reload the server.",
		RAISED_BY(AUDIT))
FINDING(RELOAD_PENDING, "reload_pending", "SG066", WARNING, SERVER, 0,
		"the %s on disk is not the one in service",
		"Reload the server to put the new one into service.",
		RAISED_BY(AUDIT))
FINDING(PROBE_FAILED, "probe_failed", "SG067", WARNING, SERVER, 0,
		"the TLS handshake of the self-probe failed: %s",
		"Try it with openssl s_client -starttls postgres -connect, as the server's user, and mend what stops it: the server's TLS settings, a packet filter, or another program on that port. It is tried again at each reload, and every few minutes.",
		RAISED_BY(AUDIT))
FINDING(HOOK_INACTIVE, "hook_inactive", "SG068", WARNING, SERVER, 0,
		"the server does not call the TLS hook while \"ssl_sni\" is on",
		"Raised by version 1.0 only. Update the library.",
		RAISED_BY(NOBODY))
FINDING(ROLE_LABEL_UNSATISFIABLE, "role_label_unsatisfiable", "SG069", WARNING, SERVER, 0,
		"no client can meet the security label of role %s",
		"Remove the role's security label, or set one that can be met; if it asks for TLS or a client certificate, set \"ssl\", \"ssl_ca_file\" and \"ssl_max_protocol_version\" so that clients can have them, and reload the server.",
		RAISED_BY(LOGIN))
FINDING(PASSPHRASE_UNUSABLE, "passphrase_unusable", "SG070", CRITICAL, FILES, 0,
		"cannot be used: %s",
		"Make the passphrase files anew with ssl_guard_ctl encrypt --force, or correct \"ext_ssl_guard.passphrase_directory\", and reload the server.",
		RAISED_BY(SERVER))
FINDING(IDENTITY_MISMATCH, "identity_mismatch", "SG071", WARNING, SERVER, SERVER,
		"no identity of the client certificate belongs to role \"%s\"",
		"Ask ssl_guard_identity_check() which identities the certificate offers. Mend \"pg_ident.conf\", reload the server and let the client log in again; or give it another certificate, and take down the alarm of the old one with ssl_guard_reset_client_certificates().",
		RAISED_BY(LOGIN))
FINDING(ROLE_LABEL_MISMATCH, "role_label_mismatch", "SG072", WARNING, SERVER, SERVER,
		"login does not meet the security label of role \"%s\"",
		"See the role's label in \"pg_shseclabel\". Change it and let the client log in again; or change the client's certificate or connection, and take down the old alarm with ssl_guard_reset_client_certificates().",
		RAISED_BY(LOGIN))
FINDING(CERTIFICATE_NOT_JUDGED, "certificate_not_judged", "SG073", WARNING, SERVER, SERVER,
		"certificate of a client of role \"%s\" could not be analysed",
		"OpenSSL could not read the certificate or ran out of memory. Look at the certificate with ssl_guard_inspect(). The alarm ends when the client logs in again and its certificate can be judged.",
		RAISED_BY(LOGIN))
FINDING(FILE_NOT_RELOADED, "file_not_reloaded", "SG074", WARNING, FILES, 0,
		"has changed since the server loaded it",
		"The server goes on with the old content until it is reloaded. Reload the server.",
		RAISED_BY(AUDIT))

/* appended later */
FINDING(CHAIN_REFUSED, "chain_refused", "SG075", CRITICAL, L | I, 0,
		"makes clients refuse the chain: %s",
		HINTS("Have this certificate, or the CA certificate above it that sets the limit, reissued so that \"openssl verify\" accepts the chain, replace it and reload the server.",
			  "Have this certificate, or the CA certificate above it that sets the limit, reissued so that \"openssl verify\" accepts the chain, and replace it.", NULL),
		BY_CHAIN(check_chain_refused))
FINDING(BAD_DNS_NAME, "bad_dns_name", "SG076", WARNING, L, 0,
		"has a DNS name that no client matches (%s)",
		"Have the certificate reissued with plain host names, such as db.example.com or *.example.com; IP addresses have a kind of their own (iPAddress).",
		BY_CERTIFICATE(check_bad_dns_name))
FINDING(CN_NOT_IN_ALT_NAME, "cn_not_in_alt_name", "SG077", NOTICE, L, 0,
		"has the host name \"%s\" as its common name only, where clients do not look",
		"Clients that find DNS names in subjectAltName ignore the common name. Have the certificate reissued with that name among them.",
		BY_CERTIFICATE(check_cn_not_in_alt_name))
FINDING(STRICT_CLIENT_REFUSES, "strict_client_refuses", "SG078", NOTICE, L | I | A, 0,
		"breaks a rule of RFC 5280 that strict clients insist on (%s)",
		"Python 3.13 and later refuse it with sslmode=verify-ca and verify-full, as \"openssl verify -x509_strict\" does. Have the certificate reissued.",
		BY_CERTIFICATE(check_strict_client_refuses))
FINDING(CRL_UNUSABLE, "crl_unusable", "SG079", CRITICAL, CRL, 0,
		"is not what OpenSSL needs: %s",
		"Let the CA publish a complete CRL for all its certificates, without critical extensions, put it in place of this one and reload the server. Where several CAs have one name, each CRL needs an authorityKeyIdentifier.",
		BY_CRL(check_unusable))
FINDING(SETTING_REJECTED, "setting_rejected", "SG080", CRITICAL, SERVER, 0,
		"setting \"%s\" is not accepted as the configuration files have it",
		"The value before stays in force; the next start of the server will fail. Mend it and reload the server. See pg_file_settings, too.",
		RAISED_BY(SERVER))
FINDING(IDENTITY_MAP_EMPTY, "identity_map_empty", "SG081", WARNING, SERVER, 0,
		"map \"%s\" of \"ext_ssl_guard.identity_map\" has no line in \"pg_ident.conf\"",
		"No identity matches it. Add the map's lines to \"pg_ident.conf\", or set the name of one that has lines, and reload the server.",
		RAISED_BY(SERVER))
FINDING(EXEMPT_ROLE_UNKNOWN, "exempt_role_unknown", "SG082", WARNING, SERVER, 0,
		"role %s of \"ext_ssl_guard.exempt_roles\" does not exist",
		"Correct the setting (names with upper-case letters need double quotes), reload the server, and call ssl_guard_check() again.",
		RAISED_BY(LOGIN))
FINDING(PLAINTEXT_FALLBACK, "plaintext_fallback", "SG083", WARNING, SERVER, 0,
		"role \"%s\" came without encryption right after it was refused over TLS",
		"See the log for why it was refused, and mend that. Then make its line in \"pg_hba.conf\" hostssl, reload the server and let the client log in with sslmode=require or stricter.",
		RAISED_BY(LOGIN))
FINDING(PASSPHRASE_LEFTOVER, "passphrase_leftover", "SG084", NOTICE, FILES, 0,
		"was left behind when ssl_guard_ctl encrypt was interrupted",
		"It may hold a passphrase, or be the half that the pair needs. Run ssl_guard_ctl tidy on its directory.",
		BY_FILE(check_passphrase_leftover))
FINDING(PASSPHRASE_IN_BACKUP, "passphrase_in_backup", "SG085", NOTICE, SERVER, 0,
		"the passphrase pair is in the data directory, where every base backup takes it along with the key",
		"Make the passphrase files anew with ssl_guard_ctl encrypt in a directory outside of the data directory, set \"ext_ssl_guard.passphrase_directory\" to it, reload the server and remove the old ones; earlier backups still have them.",
		RAISED_BY(AUDIT))
FINDING(RENEWAL_OVERDUE, "renewal_overdue", "SG086", WARNING, ALL | CRL, 0,
		"was renewed with %s",
		HINTS("See why it was not renewed this time, put the renewed one in its place and reload the server.",
			  "See why it was not renewed this time, put the renewed one in its place and let the program that uses it load it.",
			  "See why it was not renewed this time, and put the renewed one in its place."),
		BY_CERTIFICATE_AND_CRL(check_renewal_overdue))
FINDING(HOSTS_FILE_UNUSABLE, "hosts_file_unusable", "SG087", CRITICAL, FILES, 0,
		"is refused by the server: %s",
		"The server goes on with the hosts that it has loaded; the next reload or start fails. Mend the line and reload the server.",
		RAISED_BY(AUDIT))
FINDING(HOST_NAME_NOT_COVERED, "host_name_not_covered", "SG088", WARNING, L, 0,
		"is shown for hosts whose names it does not have: %s",
		"Put a certificate that has the name into the line of the host, or correct the name, and reload the server. The server compares names letter by letter: a pattern stands for no other name.",
		RAISED_BY(AUDIT))
FINDING(AUTO_RELOAD_REFUSED, "auto_reload_refused", "SG089", WARNING, FILES, 0,
		"has changed and is not loaded automatically: %s",
		"The server goes on with what it has loaded before. Put the right file in its place; or, if it is right as it is, reload the server.",
		RAISED_BY(AUDIT))
FINDING(AUTO_RELOAD_HELD, "auto_reload_held", "SG090", WARNING, SERVER, 0,
		"renewed TLS files are not loaded automatically: %s",
		"A reload would also apply what nobody has reloaded yet. Look through it, and reload the server.",
		RAISED_BY(AUDIT))
FINDING(AUTO_RELOAD_FAILED, "auto_reload_failed", "SG091", WARNING, SERVER, 0,
		"automatic reload has not brought renewed TLS files into service: %s",
		"It is not tried again before the files change. See the server log for the reason, mend it and reload the server.",
		RAISED_BY(AUDIT))
FINDING(HBA_PLAINTEXT, "hba_plaintext", "SG092", WARNING, FILES, 0,
		"admits connections without encryption from other hosts (%s)",
		"What is read and written over them can be seen and changed on the way. Make the lines hostssl, see that their clients use sslmode=require or stricter, and reload the server.",
		RAISED_BY(AUDIT))
FINDING(HBA_FALLBACK, "hba_fallback", "SG093", WARNING, FILES, 0,
		"lets clients that were refused over TLS come without (%s)",
		"A hostssl line for the same people stands before. Make these lines hostssl, too, or remove them, and reload the server.",
		RAISED_BY(AUDIT))
FINDING(HBA_TRUST, "hba_trust", "SG094", CRITICAL, FILES, 0,
		"lets anybody on other hosts be any of its roles (%s)",
		"Use scram-sha-256 or cert instead of trust, and reload the server. clientcert=verify-ca says nothing about the role; clientcert=verify-full does.",
		RAISED_BY(AUDIT))
FINDING(HBA_CLEARTEXT_PASSWORD, "hba_cleartext_password", "SG095", CRITICAL, FILES, 0,
		"has passwords sent in clear text without encryption (%s)",
		"Make the lines hostssl, or use scram-sha-256, and reload the server. Have passwords changed that were used over these lines.",
		RAISED_BY(AUDIT))
FINDING(HBA_ANY_CERTIFICATE, "hba_any_certificate", "SG096", NOTICE, FILES, 0,
		"takes any certificate of the CA beside a password in clear text (%s)",
		"Whoever has a certificate can try the passwords of all roles. Use clientcert=verify-full, or the method cert, and reload the server.",
		RAISED_BY(AUDIT))
FINDING(HBA_MD5, "hba_md5", "SG097", NOTICE, FILES, 0,
		"uses the method md5 (%s)",
		"Set password_encryption to scram-sha-256, have the passwords set anew, use the method scram-sha-256 in these lines and reload the server.",
		RAISED_BY(AUDIT))
FINDING(HBA_NEVER_MATCHES, "hba_never_matches", "SG098", WARNING, FILES, 0,
		"has lines by which nobody can come (%s)",
		"See the view ssl_guard_hba for the reason. Remove the lines, put them before those that take everything, or set what they need (ssl, ssl_ca_file), and reload the server.",
		RAISED_BY(AUDIT))
FINDING(HBA_MAP_EMPTY, "hba_map_empty", "SG099", WARNING, FILES, 0,
		"uses maps that have no line in \"pg_ident.conf\" (%s)",
		"Nobody can come by these lines. Add the maps' lines to \"pg_ident.conf\", or correct the option map, and reload the server.",
		RAISED_BY(AUDIT))
FINDING(HBA_UNPARSABLE, "hba_unparsable", "SG100", CRITICAL, FILES, 0,
		"cannot be parsed by the server (%s)",
		"The server goes on with the lines that it has loaded; with such a \"pg_hba.conf\" it does not start. See pg_hba_file_rules or pg_ident_file_mappings for the reason, mend it and reload the server.",
		RAISED_BY(AUDIT))
FINDING(IDENT_UNANCHORED, "ident_unanchored", "SG101", WARNING, FILES, 0,
		"maps more names to roles than it seems to (%s)",
		"Begin each regular expression with ^ and end it with $, let none accept any name, and name roles instead of all. Reload the server.",
		RAISED_BY(AUDIT))
FINDING(CERTIFICATE_DENIED, "certificate_denied", "SG102", CRITICAL, SERVER, SERVER,
		"certificate of a client of role \"%s\" is one of \"ext_ssl_guard.denied_certificates\"",
		"Its role is in \"ext_ssl_guard.exempt_roles\", so it was let in. Give the client another certificate, and take down the alarm of the old one with ssl_guard_reset_client_certificates(); or, if the certificate is good, take it out of the setting, reload the server and let the client log in again.",
		RAISED_BY(LOGIN))
FINDING(DENIED_CERTIFICATE_UNSEEN, "denied_certificate_unseen", "SG103", NOTICE, SERVER, 0,
		"setting \"ext_ssl_guard.denied_certificates\" names what no known client has shown: %s",
		"It may be mistyped. Compare it with ssl_guard_client_certificates, correct the setting and reload the server. If it is right, and never came here, regrade the finding with \"ext_ssl_guard.finding_overrides\".",
		RAISED_BY(LOGIN))
FINDING(OLD_CERTIFICATE_IN_USE, "old_certificate_in_use", "SG104", NOTICE, C, 0,
		"is still in use beside a newer one of its role and subject (%s)",
		"See \"last_address\" in ssl_guard_client_certificates for the client that was forgotten, and install the newer one there. The alarm ends when the old one was not used for 30 days; ssl_guard_reset_client_certificates() takes it down at once.",
		RAISED_BY(LOGIN))
FINDING(CLIENT_CERTIFICATE_PUBLIC_CA, "client_certificate_public_ca", "SG105", NOTICE, C, 0,
		"was issued by a public CA (%s)",
		"Public CAs stop issuing certificates for clients in 2026 and 2027, and give them to anybody. Have the client's certificate issued by a CA of your own. When the old one is out of use, ssl_guard_reset_client_certificates() takes down its alarm.",
		RAISED_BY(LOGIN))
FINDING(SESSION_OUTLIVES_CERTIFICATE, "session_outlives_certificate", "SG106", WARNING, SERVER, 0,
		"session of role \"%s\" goes on although its client certificate has expired",
		"Give the client a new certificate, if it has none yet, and let it log in anew; pg_terminate_backend() ends the session. With session_check = enforce the server does so by itself.",
		RAISED_BY(LOGIN))
FINDING(SESSION_REVOKED, "session_revoked", "SG107", WARNING, SERVER, 0,
		"session of role \"%s\" goes on although its client certificate was revoked",
		"Find out why it was revoked. End the session with pg_terminate_backend(); with session_check = enforce the server does so by itself.",
		RAISED_BY(LOGIN))
FINDING(SESSION_DENIED, "session_denied", "SG108", WARNING, SERVER, 0,
		"session of role \"%s\" goes on although its client certificate is one of \"ext_ssl_guard.denied_certificates\"",
		"End the session with pg_terminate_backend(); with session_check = enforce the server does so by itself.",
		RAISED_BY(LOGIN))
FINDING(WEAK_PROTOCOL, "weak_protocol", "SG109", WARNING, SERVER, 0,
		"old versions of TLS are admitted: %s",
		"Their digests and ciphers are broken; PostgreSQL's clients have had TLS 1.2 for ten years. Set \"ssl_min_protocol_version\" to TLSv1.2 or TLSv1.3 and reload the server. See ssl_guard_transport for clients that use them still.",
		RAISED_BY(AUDIT))
FINDING(WEAK_CIPHER, "weak_cipher", "SG110", WARNING, SERVER, 0,
		"weak ciphers are enabled: %s",
		"Set \"ssl_ciphers\" to HIGH:!aNULL:!kRSA, and \"ssl_tls13_ciphers\", where there is such a setting, to '', and reload the server.",
		RAISED_BY(AUDIT))
FINDING(WEAK_DH_PARAMS, "weak_dh_params", "SG111", WARNING, SERVER, 0,
		"the file of \"ssl_dh_params_file\" does not have good parameters: %s",
		"Set \"ssl_dh_params_file\" to '', for the server's own ones of 2048 bits, or make better ones with openssl genpkey -genparam -algorithm DH -pkeyopt group:ffdhe2048 -out FILE, and reload the server.",
		RAISED_BY(AUDIT))
FINDING(CLIENT_CIPHER_PREFERENCE, "client_cipher_preference", "SG112", NOTICE, SERVER, 0,
		"setting \"ssl_prefer_server_ciphers\" leaves the choice of the cipher to clients",
		"Set \"ssl_prefer_server_ciphers\" to on and reload the server.",
		RAISED_BY(AUDIT))
FINDING(PASSPHRASE_COMMAND_LEAKS, "passphrase_command_leaks", "SG113", WARNING, SERVER, 0,
		"setting \"ssl_passphrase_command\" gives the passphrase away: %s",
		"Put the passphrase into a file that only the server's user may read (chmod 600), let the command be cat and its name, and reload the server; or use ssl_guard_ctl encrypt instead of the command. Then give the key another passphrase.",
		RAISED_BY(AUDIT))
FINDING(PASSPHRASE_COMMAND_FAILS, "passphrase_command_fails", "SG114", WARNING, SERVER, 0,
		"setting \"ssl_passphrase_command\" is of no use at a reload: %s",
		"Have \"ssl_passphrase_command\" be a program that the server's user may run and that asks nobody, set \"ssl_passphrase_command_supports_reload\" to on, and reload the server; or make a passphrase pair with ssl_guard_ctl encrypt, set the command to '' and reload the server.",
		RAISED_BY(AUDIT))
FINDING(TLS_OFF, "tls_off", "SG115", WARNING, SERVER, 0,
		"setting \"ssl\" is off, and the server listens for other hosts (%s)",
		"Install a certificate and its key, set \"ssl\" to on and reload the server; or set \"listen_addresses\" to localhost and restart the server.",
		RAISED_BY(AUDIT))
FINDING(WEAK_GROUP, "weak_group", "SG116", WARNING, SERVER, 0,
		"weak groups are enabled for the key exchange: %s",
		"Set \"ssl_groups\", which is called \"ssl_ecdh_curve\" before PostgreSQL 18, to prime256v1 and reload the server.",
		RAISED_BY(AUDIT))
FINDING(TLS_SETTING_REFUSED, "tls_setting_refused", "SG117", CRITICAL, SERVER, 0,
		"could not set up TLS with the settings as they are: %s",
		"The server goes on with what it has loaded before, and does not start any more. Correct the setting, for which ssl_guard_settings has a value that works, and reload the server.",
		RAISED_BY(AUDIT))
FINDING(TLS13_OFF, "tls13_off", "SG118", NOTICE, SERVER, 0,
		"support for TLS 1.3 is switched off",
		"Set \"ssl_max_protocol_version\" to '' and reload the server.",
		RAISED_BY(AUDIT))
FINDING(MD5_PASSWORDS, "md5_passwords", "SG119", NOTICE, SERVER, 0,
		"setting \"password_encryption\" stores new passwords as MD5 hashes",
		"Set \"password_encryption\" to scram-sha-256, reload the server and have passwords set anew.",
		RAISED_BY(AUDIT))
FINDING(LOW_SECURITY_LEVEL, "low_security_level", "SG120", WARNING, SERVER, 0,
		"security level of OpenSSL is only %s",
		"Add :@SECLEVEL=2 to \"ssl_ciphers\", in place of another @SECLEVEL there, and reload the server. Keys and signatures that are worth less than 112 bits are refused then.",
		RAISED_BY(AUDIT))
FINDING(SESSIONS_NOT_JUDGED, "sessions_not_judged", "SG121", WARNING, SERVER, 0,
		"open sessions could not be compared with the CRLs in service: %s",
		"Increase max_worker_processes and restart the server if there is no free place for a background worker; otherwise remove what the log names as the reason.",
		RAISED_BY(LOGIN))

#undef FINDING
#undef BY_CERTIFICATE
#undef BY_CHAIN
#undef BY_CRL
#undef BY_CRLS_OF_CA
#undef BY_CERTIFICATE_AND_CRL
#undef BY_FILE
#undef RAISED_BY
