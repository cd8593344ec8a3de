/* sources: policy/findings x509/cut_text policy/tls_settings policy/ciphers policy/groups */
/*
 * test_tls_settings.c
 *		The server's settings that matter to TLS, judged by what OpenSSL offers.
 */
#include <openssl/objects.h>

#include "covered.h"
#include "esg_test.h"
#include "policy/groups.h"
#include "policy/tls_settings.h"

static EsgTlsOffer offer;
static EsgPassphraseCommand command;
static EsgTlsFacts facts;
static EsgFindings findings[ESG_SET_COUNT];

/* key exchange, authentication, encryption, bits: as OpenSSL has them */
static const EsgCipherParts aes_ecdhe = {NID_kx_ecdhe, NID_auth_rsa, NID_aes_256_gcm, 256};
static const EsgCipherParts aes_rsa = {NID_kx_rsa, NID_auth_rsa, NID_aes_256_gcm, 256};
static const EsgCipherParts aes_tls13 = {NID_kx_any, NID_auth_any, NID_aes_256_gcm, 256};
static const EsgCipherParts null_tls13 = {NID_kx_any, NID_auth_any, NID_undef, 0};
static const EsgCipherParts null_ecdhe = {NID_kx_ecdhe, NID_auth_rsa, NID_undef, 0};
static const EsgCipherParts anonymous = {NID_kx_ecdhe, NID_auth_null, NID_aes_256_gcm, 256};
static const EsgCipherParts rc4 = {NID_kx_ecdhe, NID_auth_rsa, NID_rc4, 128};
static const EsgCipherParts triple_des = {NID_kx_ecdhe, NID_auth_rsa, NID_des_ede3_cbc, 168};
static const EsgCipherParts null_anonymous = {NID_kx_ecdhe, NID_auth_null, NID_undef, 0};
static const EsgCipherParts rc4_anonymous = {NID_kx_dhe, NID_auth_null, NID_rc4, 128};
static const EsgCipherParts rc4_rsa = {NID_kx_rsa, NID_auth_rsa, NID_rc4, 128};
static const EsgCipherParts triple_des_rsa = {NID_kx_rsa, NID_auth_rsa, NID_des_ede3_cbc, 168};
static const EsgCipherParts exported = {NID_kx_dhe, NID_auth_rsa, NID_des_cbc, 40};
static const EsgCipherParts single_des = {NID_kx_dhe, NID_auth_rsa, NID_des_cbc, 56};

/* A sound server; what it has is added to it. */
static void
begin(void)
{
	for (int i = 0; i < ESG_SET_COUNT; i++)
		esg_findings_free(&findings[i]);
	memset(&offer, 0, sizeof(offer));
	memset(&facts, 0, sizeof(facts));
	memset(&command, 0, sizeof(command));
	offer.versions[ESG_TLS_VERSION_1_2] = offer.versions[ESG_TLS_VERSION_1_3] = true;
	offer.level = offer.default_level = 2;
	offer.groups[offer.group_count++] = 23;
	facts.tls = facts.has_command = facts.prefer_server = facts.groups_listed = true;
	facts.addresses = "*";
	facts.offer = &offer;
	facts.command = &command;
}

static void
add_cipher(const EsgCipherParts *parts)
{
	EsgCipher  *cipher = &offer.ciphers[offer.cipher_count++];

	cipher->name = "SUITE";
	esg_ciphers_judge(parts, cipher);
}

static void
judge(void)
{
	esg_tls_settings_judge(&facts, NULL, findings);
}

/* Judges; then there is nothing at all. */
static void
nothing(const char *name)
{
	judge();
	for (int i = 0; i < ESG_SET_COUNT; i++)
		is_clean(&findings[i], name);
}

/* Judges; then the setting has the code. */
static void
found(EsgTlsSetting setting, EsgCode code, EsgSeverity severity, const char *name)
{
	judge();
	shows(&findings[setting], code, severity, name);
}

static void
not_found(EsgTlsSetting setting, EsgCode code, const char *name)
{
	judge();
	lacks(&findings[setting], code, name);
}

static void
test_one_cipher(const EsgCipherParts *parts, EsgTlsSetting setting, EsgSeverity severity, const char *detail)
{
	begin();
	add_cipher(&aes_tls13);
	add_cipher(&aes_ecdhe);
	add_cipher(parts);
	found(setting, ESG_WEAK_CIPHER, severity, detail);
	is_text(findings[setting].count > 0 ? findings[setting].items[0].detail : "", detail, "and why");
}

static void
test_ciphers(void)
{
	begin();
	add_cipher(&aes_tls13);
	add_cipher(&aes_ecdhe);
	not_found(ESG_SET_CIPHERS, ESG_WEAK_CIPHER, "good ones");
	test_one_cipher(&null_ecdhe, ESG_SET_CIPHERS, ESG_CRITICAL, "SUITE (no encryption)");
	test_one_cipher(&anonymous, ESG_SET_CIPHERS, ESG_CRITICAL, "SUITE (no authentication)");
	test_one_cipher(&exported, ESG_SET_CIPHERS, ESG_WARNING, "SUITE (export strength)");
	test_one_cipher(&single_des, ESG_SET_CIPHERS, ESG_WARNING, "SUITE (export strength)");
	test_one_cipher(&rc4, ESG_SET_CIPHERS, ESG_WARNING, "SUITE (RC4)");
	test_one_cipher(&triple_des, ESG_SET_CIPHERS, ESG_WARNING, "SUITE (3DES)");
	test_one_cipher(&null_tls13, ESG_SET_CIPHERSUITES, ESG_CRITICAL, "SUITE (no encryption)");

	/* the others count, too */
	test_one_cipher(&null_anonymous, ESG_SET_CIPHERS, ESG_CRITICAL, "SUITE (no encryption)");
	test_one_cipher(&rc4_anonymous, ESG_SET_CIPHERS, ESG_CRITICAL, "SUITE (no authentication)");
	test_one_cipher(&rc4_rsa, ESG_SET_CIPHERS, ESG_WARNING, "SUITE (RC4)");
	test_one_cipher(&triple_des_rsa, ESG_SET_CIPHERS, ESG_WARNING, "SUITE (3DES)");

	begin();
	for (int i = 0; i < 5; i++)
		add_cipher(&rc4);
	found(ESG_SET_CIPHERS, ESG_WEAK_CIPHER, ESG_WARNING, "five of them");
	ok(strstr(findings[ESG_SET_CIPHERS].items[0].detail, "more") == NULL, "all are named");
	begin();
	for (int i = 0; i < 9; i++)
		add_cipher(&rc4);
	found(ESG_SET_CIPHERS, ESG_WEAK_CIPHER, ESG_WARNING, "nine of them");
	ok(strstr(findings[ESG_SET_CIPHERS].items[0].detail, ", 4 more") != NULL, "five are named");
}

static void
test_forward_secrecy(void)
{
	begin();
	add_cipher(&aes_tls13);
	add_cipher(&aes_ecdhe);
	add_cipher(&aes_rsa);
	not_found(ESG_SET_CIPHERS, ESG_WEAK_CIPHER, "last, for clients that have nothing better");

	begin();
	add_cipher(&aes_rsa);
	add_cipher(&aes_ecdhe);
	found(ESG_SET_CIPHERS, ESG_WEAK_CIPHER, ESG_WARNING, "first");
	is_text(findings[ESG_SET_CIPHERS].items[0].detail, "SUITE (no forward secrecy)", "and why");

	begin();
	add_cipher(&aes_rsa);
	add_cipher(&aes_ecdhe);
	facts.prefer_server = false;
	not_found(ESG_SET_CIPHERS, ESG_WEAK_CIPHER, "first, where the client's order counts");

	begin();
	add_cipher(&aes_tls13);
	add_cipher(&aes_rsa);
	facts.prefer_server = false;
	found(ESG_SET_CIPHERS, ESG_WEAK_CIPHER, ESG_WARNING, "alone below TLS 1.3");
}

static void
test_versions(void)
{
	begin();
	offer.versions[0] = offer.versions[1] = true;
	found(ESG_SET_MIN_VERSION, ESG_WEAK_PROTOCOL, ESG_WARNING, "TLS 1.0 and 1.1");
	is_text(findings[ESG_SET_MIN_VERSION].items[0].detail, "TLSv1, TLSv1.1", "named");
	begin();
	not_found(ESG_SET_MIN_VERSION, ESG_WEAK_PROTOCOL, "TLS 1.2");
	not_found(ESG_SET_MAX_VERSION, ESG_TLS13_OFF, "and TLS 1.3");
	offer.versions[ESG_TLS_VERSION_1_3] = false;
	found(ESG_SET_MAX_VERSION, ESG_TLS13_OFF, ESG_NOTICE, "without TLS 1.3");
}

/* A server with that group alone. */
static void
with_group(unsigned number)
{
	begin();
	offer.groups[0] = number;
}

static void
test_groups(void)
{
	with_group(23);
	not_found(ESG_SET_GROUPS, ESG_WEAK_GROUP, "prime256v1");
	with_group(29);
	not_found(ESG_SET_GROUPS, ESG_WEAK_GROUP, "X25519");
	with_group(256);
	not_found(ESG_SET_GROUPS, ESG_WEAK_GROUP, "ffdhe2048");
	with_group(4588);
	not_found(ESG_SET_GROUPS, ESG_WEAK_GROUP, "X25519MLKEM768");
	with_group(65000);
	not_found(ESG_SET_GROUPS, ESG_WEAK_GROUP, "one that nobody knows");
	with_group(21);
	found(ESG_SET_GROUPS, ESG_WEAK_GROUP, ESG_NOTICE, "secp224r1");
	with_group(19);
	found(ESG_SET_GROUPS, ESG_WEAK_GROUP, ESG_WARNING, "prime192v1");
	is_text(findings[ESG_SET_GROUPS].items[0].detail, "prime192v1", "named");
	begin();
	offer.group_count = 0;
	found(ESG_SET_GROUPS, ESG_WEAK_GROUP, ESG_WARNING, "none at all");
	begin();
	offer.group_count = 0;
	offer.versions[ESG_TLS_VERSION_1_3] = false;
	not_found(ESG_SET_GROUPS, ESG_WEAK_GROUP, "none where none is needed");
	is_text(esg_groups_name(25), "secp521r1", "a name");
	ok(esg_groups_name(65000) == NULL && esg_groups_curve_bits(65000) == 0, "and none");
}

static void
with_dh(int bits, bool valid, bool safe, const char *unread)
{
	begin();
	facts.dh = (EsgDhFacts) {.configured = true,.bits = bits,.valid = valid,.safe = safe,.unread = unread};
}

static void
test_dh(void)
{
	with_dh(2048, true, true, NULL);
	nothing("2048 bits");
	with_dh(1024, true, true, NULL);
	found(ESG_SET_DH, ESG_WEAK_DH_PARAMS, ESG_WARNING, "1024 bits");
	with_dh(2048, true, false, NULL);
	found(ESG_SET_DH, ESG_WEAK_DH_PARAMS, ESG_WARNING, "not safe");
	with_dh(2048, false, false, NULL);
	found(ESG_SET_DH, ESG_WEAK_DH_PARAMS, ESG_WARNING, "not valid");
	with_dh(0, false, false, NULL);
	found(ESG_SET_DH, ESG_WEAK_DH_PARAMS, ESG_WARNING, "none in it");
	with_dh(0, false, false, "it is gone");
	found(ESG_SET_DH, ESG_WEAK_DH_PARAMS, ESG_WARNING, "not read");
	is_text(findings[ESG_SET_DH].items[0].detail, "it is gone", "and why");
	begin();
	facts.dh.configured = false;
	nothing("none configured");
}

/* The worst of a setting comes first, whatever was looked at first. */
static void
test_order(void)
{
	EsgOverrides overrides;

	memset(overrides, -1, sizeof(overrides));
	overrides[ESG_PASSPHRASE_COMMAND_FAILS] = ESG_CRITICAL;
	facts.command_fault = "there is none";
	esg_findings_free(&findings[ESG_SET_COMMAND]);
	esg_tls_settings_judge(&facts, overrides, findings);
	if (is_int(findings[ESG_SET_COMMAND].count, 2, "two of one setting"))
		is_int(findings[ESG_SET_COMMAND].items[0].code, ESG_PASSPHRASE_COMMAND_FAILS, "the worst of them is first");
	facts.command_fault = NULL;
}

static void
test_command(void)
{
	begin();
	command.has_secret = true;
	found(ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_LEAKS, ESG_WARNING, "in the text");
	test_order();
	begin();
	facts.command_leak = "a file";
	found(ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_LEAKS, ESG_WARNING, "in a file");
	begin();
	facts.command_fault = "it is gone";
	found(ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_FAILS, ESG_WARNING, "no program");
	begin();
	command.asks_person = true;
	nothing("asks a person at start");
	facts.command_at_reload = true;
	found(ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_FAILS, ESG_WARNING, "at reload, too");
	begin();
	facts.key_asked = ESG_KEY_ASKED_OTHERS;
	found(ESG_SET_COMMAND_AT_RELOAD, ESG_PASSPHRASE_COMMAND_FAILS, ESG_WARNING, "not allowed at reload");
	begin();
	facts.key_asked = ESG_KEY_ASKED_OTHERS;
	facts.command_at_reload = true;
	nothing("allowed");
	facts.has_command = false;
	found(ESG_SET_COMMAND, ESG_PASSPHRASE_COMMAND_FAILS, ESG_WARNING, "no command at reload");
	facts.command_at_reload = false;
	not_found(ESG_SET_COMMAND_AT_RELOAD, ESG_PASSPHRASE_COMMAND_FAILS, "which is all that is said");
	begin();
	facts.has_command = false;
	nothing("no command, and no passphrase that is known of");
	begin();
	facts.key_asked = ESG_KEY_ASKED_PAIR;
	nothing("the pair answers");
	facts.key_asked = ESG_KEY_ASKED_NOBODY;
	nothing("no passphrase");
}

static void
test_refused(EsgTlsPart part, EsgTlsSetting setting)
{
	begin();
	memset(&offer, 0, sizeof(offer));
	offer.refused = part;
	found(setting, ESG_TLS_SETTING_REFUSED, ESG_CRITICAL, "refused");
	is_int(findings[setting].count, 1, "and nothing else");
	is_text(findings[setting].items[0].detail, "OpenSSL does not take it", "without a reason");
	begin();
	offer.refused = part;
	strcpy(offer.reason, "no such thing");
	found(setting, ESG_TLS_SETTING_REFUSED, ESG_CRITICAL, "refused, with a reason");
	is_text(findings[setting].items[0].detail, "no such thing", "OpenSSL's");
}

static void
test_addresses(void)
{
	static const char *const here[] = {"", "localhost", "127.0.0.1", "127.1.2.3, ::1", " localhost ,127.0.0.1", "\"localhost\""};
	static const char *const others[] = {"*", "0.0.0.0", "::", "localhost,10.0.0.1", "127.0.0.1.example.com", "192.0.2.1", "db1", "localhost.example.com", "::1,::2"};

	for (size_t i = 0; i < sizeof(here) / sizeof(here[0]); i++)
		ok(!esg_tls_settings_reach_others(here[i]), "\"%s\" is this host", here[i]);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		ok(esg_tls_settings_reach_others(others[i]), "\"%s\" is not", others[i]);
}

static void
test_off(void)
{
	begin();
	facts.tls = false;
	facts.prefer_server = false;
	offer.level = 0;
	offer.versions[0] = true;
	found(ESG_SET_TLS, ESG_TLS_OFF, ESG_WARNING, "off");
	facts.addresses = "localhost";
	for (int i = 0; i < ESG_SET_COUNT; i++)
		esg_findings_free(&findings[i]);
	nothing("off, on this host only");
	begin();
	not_found(ESG_SET_TLS, ESG_TLS_OFF, "on");
}

static void
test_rest(void)
{
	signed char overrides[ESG_CODE_COUNT];

	begin();
	nothing("a sound server");
	facts.prefer_server = false;
	found(ESG_SET_PREFER_SERVER, ESG_CLIENT_CIPHER_PREFERENCE, ESG_NOTICE, "the client chooses");
	begin();
	facts.md5_passwords = true;
	found(ESG_SET_PASSWORDS, ESG_MD5_PASSWORDS, ESG_NOTICE, "md5");
	begin();
	offer.level = 1;
	found(ESG_SET_LEVEL, ESG_LOW_SECURITY_LEVEL, ESG_NOTICE, "level 1");
	begin();
	offer.level = 0;
	found(ESG_SET_LEVEL, ESG_LOW_SECURITY_LEVEL, ESG_WARNING, "level 0");
	begin();
	offer.level = 3;
	nothing("level 3");
	memset(overrides, -1, sizeof(overrides));
	overrides[ESG_MD5_PASSWORDS] = ESG_OK;
	begin();
	facts.md5_passwords = true;
	esg_tls_settings_judge(&facts, overrides, findings);
	is_clean(&findings[ESG_SET_PASSWORDS], "switched off");
}

int
main(void)
{
	test_ciphers();
	test_forward_secrecy();
	test_versions();
	test_groups();
	test_dh();
	test_command();
	test_refused(ESG_TLS_PART_MIN_VERSION, ESG_SET_MIN_VERSION);
	test_refused(ESG_TLS_PART_MAX_VERSION, ESG_SET_MAX_VERSION);
	test_refused(ESG_TLS_PART_DH, ESG_SET_DH);
	test_refused(ESG_TLS_PART_GROUPS, ESG_SET_GROUPS);
	test_refused(ESG_TLS_PART_CIPHERS, ESG_SET_CIPHERS);
	test_refused(ESG_TLS_PART_CIPHERSUITES, ESG_SET_CIPHERSUITES);
	test_refused(ESG_TLS_PART_OPENSSL, ESG_SET_TLS);
	test_addresses();
	test_off();
	test_rest();
	begin();
	return done();
}
