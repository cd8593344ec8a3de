/* sources: policy/findings policy/policy x509/cut_text x509/time x509/name x509/unicode x509/key x509/signature x509/info x509/asn1 x509/rsa_faults x509/memo policy/file policy/shell_text */
/*
 * test_file.c
 *		Files judged by what stat() says.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "covered.h"
#include "esg_test.h"
#include "policy/file.h"

#define SERVER 26
#define STRANGER 1000
#define REG S_IFREG
#define DIR S_IFDIR

/* suggestion: for path /srv/x and owner postgres */
static const struct
{
	const char *name;
	EsgFileKind kind;
	mode_t		mode;
	uid_t		uid;
	EsgCode		shown;			/* the only one there; ESG_NO_FINDING: none */
	unsigned	wanted;
	const char *suggestion;
}			modes[] = {
	{"certificate 0644", ESG_FILE_CERTIFICATE, REG | 0644, SERVER, 0, 0, ""},
	{"certificate of root", ESG_FILE_CERTIFICATE, REG | 0444, 0, 0, 0, ""},
	{"CA file 0666", ESG_FILE_CA, REG | 0666, SERVER, ESG_PERMISSIONS_TOO_OPEN, 0644,
	"chmod 0644 '/srv/x'"},
	{"CRL 0755", ESG_FILE_CRL, REG | 0755, SERVER, ESG_PERMISSIONS_TOO_OPEN, 0644,
	"chmod 0644 '/srv/x'"},
	{"setuid certificate", ESG_FILE_CERTIFICATE, REG | 04644, 0, ESG_PERMISSIONS_TOO_OPEN, 0644,
	"chmod 0644 '/srv/x'"},
	{"extra file 0660", ESG_FILE_EXTRA, REG | 0660, SERVER, ESG_PERMISSIONS_TOO_OPEN, 0640,
	"chmod 0640 '/srv/x'"},
	{"key 0600", ESG_FILE_KEY, REG | 0600, SERVER, 0, 0, ""},
	{"key 0400", ESG_FILE_KEY, REG | 0400, SERVER, 0, 0, ""},
	{"key 0640 of the server", ESG_FILE_KEY, REG | 0640, SERVER, ESG_PERMISSIONS_TOO_OPEN, 0600,
	"chmod 0600 '/srv/x'"},
	{"key 0440 of the server", ESG_FILE_KEY, REG | 0440, SERVER, ESG_PERMISSIONS_TOO_OPEN, 0400,
	"chmod 0400 '/srv/x'"},
	{"key 0640 of root", ESG_FILE_KEY, REG | 0640, 0, 0, 0, ""},
	{"key 0660 of root", ESG_FILE_KEY, REG | 0660, 0, ESG_PERMISSIONS_TOO_OPEN, 0640,
	"chmod 0640 '/srv/x'"},
	{"key 0644 of root", ESG_FILE_KEY, REG | 0644, 0, ESG_PERMISSIONS_TOO_OPEN, 0640,
	"chmod 0640 '/srv/x'"},
	{"key that only others may read", ESG_FILE_KEY, REG | 0004, SERVER,
	ESG_PERMISSIONS_TOO_OPEN, 0600, "chmod 0600 '/srv/x'"},
	{"passphrase 0400", ESG_FILE_PASSPHRASE, REG | 0400, SERVER, 0, 0, ""},
	{"passphrase 0440", ESG_FILE_PASSPHRASE, REG | 0440, SERVER, ESG_PERMISSIONS_TOO_OPEN, 0400,
	"chmod 0400 '/srv/x'"},
	{"stranger's certificate", ESG_FILE_CERTIFICATE, REG | 0644, STRANGER, ESG_WRONG_OWNER, 0,
	"chown postgres '/srv/x'"},
	{"stranger's key", ESG_FILE_KEY, REG | 0600, STRANGER, ESG_WRONG_OWNER, 0,
	"chown postgres '/srv/x'"},
	{"stranger's client certificate", ESG_FILE_CLIENT, REG | 0644, STRANGER, ESG_WRONG_OWNER, 0,
	"chown postgres '/srv/x'"},
	{"DH parameters", ESG_FILE_DH_PARAMS, REG | 0644, SERVER, 0, 0, ""},
	{"open DH parameters", ESG_FILE_DH_PARAMS, REG | 0664, SERVER, ESG_PERMISSIONS_TOO_OPEN, 0644,
	"chmod 0644 '/srv/x'"},
	{"stranger's DH parameters", ESG_FILE_DH_PARAMS, REG | 0644, STRANGER, ESG_WRONG_OWNER, 0,
	"chown postgres '/srv/x'"},
	{"directory", ESG_FILE_DIRECTORY, DIR | 0755, 0, 0, 0, ""},
	{"stranger's directory", ESG_FILE_DIRECTORY, DIR | 0755, STRANGER, 0, 0, ""},
	{"group's directory", ESG_FILE_DIRECTORY, DIR | 0775, SERVER, 0, 0, ""},
	{"sticky directory", ESG_FILE_DIRECTORY, DIR | 01777, 0, 0, 0, ""},
	{"open directory", ESG_FILE_DIRECTORY, DIR | 0777, 0, ESG_DIRECTORY_WRITABLE, 0775,
	"chmod 0775 '/srv/x'"},
	{"open setgid directory", ESG_FILE_DIRECTORY, DIR | 02757, 0, ESG_DIRECTORY_WRITABLE, 02755,
	"chmod 2755 '/srv/x'"},
	{"the pair's directory", ESG_FILE_PAIR_DIRECTORY, DIR | 0755, SERVER, 0, 0, ""},
	{"the pair's of root", ESG_FILE_PAIR_DIRECTORY, DIR | 0710, 0, 0, 0, ""},
	{"the pair's of a stranger", ESG_FILE_PAIR_DIRECTORY, DIR | 0755, STRANGER, 0, 0, ""},
	{"the pair's of a group", ESG_FILE_PAIR_DIRECTORY, DIR | 0775, SERVER, ESG_DIRECTORY_WRITABLE, 0755,
	"chmod 0755 '/srv/x'"},
	{"the pair's, open", ESG_FILE_PAIR_DIRECTORY, DIR | 0777, SERVER, ESG_DIRECTORY_WRITABLE, 0755,
	"chmod 0755 '/srv/x'"},
	{"the pair's, sticky", ESG_FILE_PAIR_DIRECTORY, DIR | 01777, 0, ESG_DIRECTORY_WRITABLE, 01755,
	"chmod 1755 '/srv/x'"},
	{"a leftover", ESG_FILE_LEFTOVER, REG | 0400, SERVER, ESG_PASSPHRASE_LEFTOVER, 0,
	"ssl_guard_ctl tidy -D '/srv'"},
	{"CRL directory", ESG_FILE_CRL_DIR, DIR | 0755, SERVER, 0, 0, ""},
	{"open CRL directory", ESG_FILE_CRL_DIR, DIR | 0757, SERVER, ESG_DIRECTORY_WRITABLE, 0755,
	"chmod 0755 '/srv/x'"},
	{"stranger's CRL directory", ESG_FILE_CRL_DIR, DIR | 0755, STRANGER, ESG_WRONG_OWNER, 0,
	"chown postgres '/srv/x'"},
};

static const struct
{
	const char *name;
	EsgFileKind kind;
	bool		exists;
	mode_t		mode;
	int			error;
	EsgCode		shown;
}			states[] = {
	{"fine", ESG_FILE_CA, true, REG | 0600, 0, 0},
	{"ENOENT", ESG_FILE_CA, false, 0, ENOENT, ESG_FILE_MISSING},
	{"ENOTDIR", ESG_FILE_CA, false, 0, ENOTDIR, ESG_FILE_MISSING},
	{"missing without a reason", ESG_FILE_CA, false, 0, 0, ESG_FILE_MISSING},
	{"EACCES at stat", ESG_FILE_CA, false, 0, EACCES, ESG_FILE_UNREADABLE},
	{"EACCES at open", ESG_FILE_CA, true, REG | 0600, EACCES, ESG_FILE_UNREADABLE},
	{"EIO", ESG_FILE_CA, true, REG | 0600, EIO, ESG_FILE_UNREADABLE},
	{"ELOOP", ESG_FILE_CA, false, 0, ELOOP, ESG_FILE_NOT_REGULAR},
	{"directory for a file", ESG_FILE_CA, true, DIR | 0777, 0, ESG_FILE_NOT_REGULAR},
	{"FIFO", ESG_FILE_KEY, true, S_IFIFO | 0666, 0, ESG_FILE_NOT_REGULAR},
	{"socket", ESG_FILE_CRL, true, S_IFSOCK | 0600, 0, ESG_FILE_NOT_REGULAR},
	{"device", ESG_FILE_EXTRA, true, S_IFCHR | 0666, 0, ESG_FILE_NOT_REGULAR},
	{"block device", ESG_FILE_EXTRA, true, S_IFBLK | 0600, 0, ESG_FILE_NOT_REGULAR},
	{"CRL directory that is a file", ESG_FILE_CRL_DIR, true, REG | 0600, 0, ESG_FILE_NOT_REGULAR},
	{"CRL directory", ESG_FILE_CRL_DIR, true, DIR | 0700, 0, 0},
	{"no DH parameters", ESG_FILE_DH_PARAMS, false, 0, ENOENT, ESG_FILE_MISSING},
	{"directory for DH parameters", ESG_FILE_DH_PARAMS, true, DIR | 0700, 0, ESG_FILE_NOT_REGULAR},
};

static EsgPolicy policy;

static void
expect_only(const EsgFileFacts *facts, EsgFileKind kind, EsgCode shown, const char *name)
{
	EsgFindings list = {0};
	int			code;

	esg_policy_file_check(facts, kind, NULL, &policy, &list);
	if (shown == ESG_NO_FINDING)
	{
		is_clean(&list, name);
		for (code = ESG_FILE_MISSING; code <= ESG_DIRECTORY_WRITABLE; code++)
			lacks(&list, (EsgCode) code, name);
		lacks(&list, ESG_PASSPHRASE_LEFTOVER, name);
	}
	else
	{
		shows(&list, shown, esg_findings_def(shown)->severity, name);
		is_int(list.count, 1, name);
	}
	esg_findings_free(&list);
	is_int(esg_policy_file_is_good(facts, kind, &policy), shown == ESG_NO_FINDING, name);
}

static void
expect_suggestion(const EsgFileFacts *facts, EsgFileKind kind, const char *path,
				  const char *owner, const char *want, const char *name)
{
	char	   *got = esg_policy_file_suggestion(facts, kind, path, owner, &policy);

	is_text(got, want, name);
	OPENSSL_free(got);
}

/* What stands there in the place of a file is said. */
static void
test_types(void)
{
	static const struct
	{
		mode_t		mode;
		const char *want;
	}			types[] = {
		{S_IFDIR, "a directory, not a regular file"}, {S_IFIFO, "a FIFO, not a regular file"}, {S_IFSOCK, "a socket, not a regular file"}, {S_IFCHR, "a character device, not a regular file"},
		{S_IFBLK, "a block device, not a regular file"}, {S_IFLNK, "of unknown type, not a regular file"},
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
	{
		EsgFileFacts facts = {.exists = true, .mode = types[i].mode | 0600};
		EsgFindings list = {0};

		esg_policy_file_check(&facts, ESG_FILE_CA, NULL, &policy, &list);
		is_text(list.count > 0 ? list.items[0].detail : NULL, types[i].want, types[i].want);
		esg_findings_free(&list);
	}
	/* of a directory that anyone may write to, it is the mode */
	{
		EsgFileFacts facts = {.exists = true, .mode = S_IFDIR | 0777};
		EsgFindings list = {0};

		esg_policy_file_check(&facts, ESG_FILE_DIRECTORY, NULL, &policy, &list);
		is_text(list.count > 0 ? list.items[0].detail : NULL, "0777", "a directory's mode");
		esg_findings_free(&list);
	}
}

static void
test_modes(void)
{
	size_t		i;

	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
	{
		EsgFileFacts facts = {0};

		facts.exists = true;
		facts.mode = modes[i].mode;
		facts.uid = modes[i].uid;
		expect_only(&facts, modes[i].kind, modes[i].shown, modes[i].name);
		is_int(esg_policy_file_wanted_mode(&facts, modes[i].kind, &policy), modes[i].wanted,
			   modes[i].name);
		expect_suggestion(&facts, modes[i].kind, "/srv/x", "postgres", modes[i].suggestion,
						  modes[i].name);
	}
}

static void
test_states(void)
{
	size_t		i;

	for (i = 0; i < sizeof(states) / sizeof(states[0]); i++)
	{
		EsgFileFacts facts = {0};

		facts.exists = states[i].exists;
		facts.error = states[i].error;
		facts.mode = states[i].mode;
		facts.uid = SERVER;
		expect_only(&facts, states[i].kind, states[i].shown, states[i].name);
		expect_suggestion(&facts, states[i].kind, "/srv/x", "postgres", "", states[i].name);
	}
}

static void
test_size(void)
{
	EsgFileFacts facts = {0};

	facts.exists = true;
	facts.mode = REG | 0600;
	facts.uid = SERVER;
	facts.size = INT64_C(5000000000);
	expect_only(&facts, ESG_FILE_CRL, ESG_NO_FINDING, "large");
	facts.too_large = true;
	expect_only(&facts, ESG_FILE_CRL, ESG_FILE_TOO_LARGE, "too large");
}

/* mode, owner and settings of a key; shown: permissions_too_open */
static const struct
{
	unsigned	max;
	mode_t		mode;
	uid_t		uid;
	bool		shown;
}			key_limits[] = {
	{0400, 0400, SERVER, false},
	{0400, 0600, SERVER, true},
	{0400, 0440, 0, true},		/* stricter than 0600 holds for root, too */
	{0400, 0400, 0, false},
	{0640, 0640, SERVER, true}, /* core would refuse it */
	{0640, 0640, 0, false},
	{0644, 0644, 0, true},
	{0600, 0640, 0, false},
	{0700, 0700, SERVER, false},
};

static void
test_key_limits(void)
{
	size_t		i;

	for (i = 0; i < sizeof(key_limits) / sizeof(key_limits[0]); i++)
	{
		EsgFileFacts facts = {0};

		facts.exists = true;
		facts.mode = REG | key_limits[i].mode;
		facts.uid = key_limits[i].uid;
		policy.max_key_file_mode = key_limits[i].max;
		expect_only(&facts, ESG_FILE_KEY,
					key_limits[i].shown ? ESG_PERMISSIONS_TOO_OPEN : ESG_NO_FINDING, "key limit");
	}
	policy.max_key_file_mode = 0600;
}

static void
test_commands(void)
{
	EsgFileFacts facts = {0};
	EsgFindings list = {0};

	facts.exists = true;
	facts.mode = REG | 0640;
	facts.uid = STRANGER;
	expect_suggestion(&facts, ESG_FILE_KEY, "/srv/it's $HOME", "postgres",
					  "chown postgres '/srv/it'\\''s $HOME' && chmod 0600 '/srv/it'\\''s $HOME'",
					  "both, quoted");
	expect_suggestion(&facts, ESG_FILE_CERTIFICATE, "/a\nb", "my user",
					  "chown 'my user' '/a\nb'", "odd names");
	esg_policy_file_check(&facts, ESG_FILE_KEY, NULL, &policy, &list);
	is_int(list.count, 2, "mode and owner");
	esg_findings_free(&list);
	facts.mode = REG | 0666;
	facts.uid = SERVER;
	esg_policy_file_check(&facts, ESG_FILE_CA, NULL, &policy, &list);
	is_text(list.items[0].detail, "0666, more than the 0644 allowed", "mode and limit");
	esg_findings_free(&list);
	facts.exists = false;
	facts.error = ENOENT;
	esg_policy_file_check(&facts, ESG_FILE_CA, NULL, &policy, &list);
	is_text(list.items[0].detail, strerror(ENOENT), "the reason");
	esg_findings_free(&list);
	facts.exists = true;
	facts.error = 0;
	facts.uid = STRANGER;
	facts.mode = REG | 0640;
	policy.overrides[ESG_WRONG_OWNER] = ESG_OK;
	expect_suggestion(&facts, ESG_FILE_CERTIFICATE, "/x", "postgres", "", "owner switched off");
	policy.overrides[ESG_WRONG_OWNER] = -1;
}

/* Other than a pair, a leftover need not be readable, but closed it has to be. */
static void
test_leftovers(void)
{
	EsgFileFacts facts = {.exists = true, .mode = REG | 0400, .uid = SERVER, .error = EACCES};
	EsgFindings list = {0};

	expect_only(&facts, ESG_FILE_LEFTOVER, ESG_PASSPHRASE_LEFTOVER, "a leftover that may not be read");
	expect_only(&facts, ESG_FILE_PASSPHRASE, ESG_FILE_UNREADABLE, "a pair that may not be read");
	facts.error = 0;
	facts.mode = REG | 0644;
	facts.uid = STRANGER;
	esg_policy_file_check(&facts, ESG_FILE_LEFTOVER, NULL, &policy, &list);
	is_int(list.count, 3, "a stranger's open leftover");
	esg_findings_free(&list);
	expect_suggestion(&facts, ESG_FILE_LEFTOVER, "/srv/it's/x", "postgres", "ssl_guard_ctl tidy -D '/srv/it'\\''s'",
					  "it goes, whatever is wrong with it");
	expect_suggestion(&facts, ESG_FILE_LEFTOVER, "/x", "postgres", "ssl_guard_ctl tidy -D '/'", "in the root directory");
	facts.exists = false;
	expect_suggestion(&facts, ESG_FILE_PASSPHRASE, "/x", "postgres", "", "none for what is not there");
}

/* Volumes of containers: what the mode allows, the mount forbids. */
static void
test_read_only(void)
{
	EsgFileFacts facts = {.exists = true, .mode = DIR | 01777, .uid = 0, .read_only = true};

	expect_only(&facts, ESG_FILE_PAIR_DIRECTORY, ESG_NO_FINDING, "mounted read-only");
	facts.read_only = false;
	expect_only(&facts, ESG_FILE_PAIR_DIRECTORY, ESG_DIRECTORY_WRITABLE, "mounted to be written");
}

/* The owner is neither the server's user nor root; chown: it is for the administrator to change that. */
static const struct
{
	const char *name;
	EsgFileKind kind;
	mode_t		mode;
	const char *owner_name;
	bool		system_owner;
	EsgSeverity want;
	const char *detail;
	bool		chown;
}			owners[] = {
	{"a user's certificate", ESG_FILE_CERTIFICATE, REG | 0644, "joe", false, ESG_CRITICAL, "joe", true},
	{"nobody's certificate", ESG_FILE_CERTIFICATE, REG | 0644, "", false, ESG_CRITICAL, "ID 1000", true},
	{"an agent's certificate", ESG_FILE_CERTIFICATE, REG | 0644, "certd", true, ESG_WARNING, "certd", false},
	{"an unnamed agent's", ESG_FILE_CA, REG | 0644, "", true, ESG_WARNING, "ID 1000", false},
	{"an agent's CRL", ESG_FILE_CRL, REG | 0644, "certd", true, ESG_WARNING, "certd", false},
	{"an agent's CRL directory", ESG_FILE_CRL_DIR, DIR | 0755, "certd", true, ESG_WARNING, "certd", false},
	{"an agent's extra file", ESG_FILE_EXTRA, REG | 0644, "certd", true, ESG_WARNING, "certd", false},
	{"an agent's client certificate", ESG_FILE_CLIENT, REG | 0644, "certd", true, ESG_WARNING, "certd", false},
	{"an agent's DH parameters", ESG_FILE_DH_PARAMS, REG | 0644, "certd", true, ESG_WARNING, "certd", false},
	{"an agent's key", ESG_FILE_KEY, REG | 0600, "certd", true, ESG_CRITICAL, "certd", true},
	{"an agent's passphrase", ESG_FILE_PASSPHRASE, REG | 0600, "certd", true, ESG_CRITICAL, "certd", true},
	{"a name in Latin-1", ESG_FILE_CA, REG | 0644, "Jos\xe9\n", false, ESG_CRITICAL, "Jos\\xe9\\x0a", true},
};

static void
test_owners(void)
{
	size_t		i;

	for (i = 0; i < sizeof(owners) / sizeof(owners[0]); i++)
	{
		EsgFileFacts facts = {.exists = true, .mode = owners[i].mode, .uid = STRANGER, .system_owner = owners[i].system_owner};
		EsgFindings list = {0};

		strcpy(facts.owner_name, owners[i].owner_name);
		esg_policy_file_check(&facts, owners[i].kind, NULL, &policy, &list);
		is_int(list.count, 1, owners[i].name);
		shows(&list, ESG_WRONG_OWNER, owners[i].want, owners[i].name);
		is_text(list.items[0].detail, owners[i].detail, owners[i].name);
		esg_findings_free(&list);
		expect_suggestion(&facts, owners[i].kind, "/srv/x", "postgres",
						  owners[i].chown ? "chown postgres '/srv/x'" : "", owners[i].name);
		facts.uid = SERVER;
		expect_only(&facts, owners[i].kind, ESG_NO_FINDING, owners[i].name);
		facts.uid = 0;
		ok(!esg_policy_file_is_strange(&facts, &policy), "root is no stranger");
	}
}

/* An agent's file that anybody may write: chmod, but no chown. */
static void
test_agents_mode(void)
{
	EsgFileFacts facts = {.exists = true, .mode = REG | 0666, .uid = STRANGER, .system_owner = true};

	expect_suggestion(&facts, ESG_FILE_CA, "/srv/x", "postgres", "chmod 0644 '/srv/x'", "an agent's mode");
}

/* What was found inside; want: the only finding, ESG_NO_FINDING: none. */
static const struct
{
	const char *name;
	EsgFileKind kind;
	EsgPemResult content;
	EsgCode		want;
	const char *detail;
}			contents[] = {
	{"one certificate", ESG_FILE_CERTIFICATE, {.certs = 1}, 0, NULL},
	{"a request", ESG_FILE_CERTIFICATE, {.end = ESG_PEM_NOTHING, .found = "a CERTIFICATE REQUEST"},
	ESG_FILE_UNPARSABLE, "a CERTIFICATE REQUEST"},
	{"a CRL for a CA", ESG_FILE_CA, {.crls = 1}, ESG_FILE_UNPARSABLE, "a CRL"},
	{"a client's certificate", ESG_FILE_CLIENT, {.certs = 1}, 0, NULL},
	{"a CRL for a client's certificate", ESG_FILE_CLIENT, {.crls = 1}, ESG_FILE_UNPARSABLE, "a CRL"},
	{"a CRL", ESG_FILE_CRL, {.crls = 1}, 0, NULL},
	{"a certificate for a CRL", ESG_FILE_CRL, {.certs = 1}, ESG_FILE_UNPARSABLE, "nothing"},
	{"a CRL in an extra file", ESG_FILE_EXTRA, {.crls = 1}, 0, NULL},
	{"a broken second block", ESG_FILE_CA, {.end = ESG_PEM_BROKEN, .certs = 1, .fault_offset = 900, .found = "bad base64"},
	ESG_FILE_PARTLY_READ, "after 1 good block, at byte 900: bad base64"},
	{"glued files", ESG_FILE_EXTRA, {.end = ESG_PEM_BROKEN, .certs = 2, .glued = true, .found = "no newline"},
	ESG_FILE_PARTLY_READ, "after 2 good blocks, at byte 0: no newline"},
	{"a trusted block", ESG_FILE_CERTIFICATE, {.certs = 1, .skipped_trusted = 1},
	ESG_TRUSTED_CERTIFICATE_BLOCK, ""},
};

static void
test_contents(void)
{
	EsgFileFacts facts = {.exists = true, .mode = REG | 0600, .uid = SERVER, .size = 1000};
	EsgFindings list = {0};
	size_t		i;

	for (i = 0; i < sizeof(contents) / sizeof(contents[0]); i++)
	{
		const char *name = contents[i].name;

		esg_policy_file_check(&facts, contents[i].kind, &contents[i].content, &policy, &list);
		is_int(list.count, contents[i].want != 0, name);
		if (contents[i].want == 0)
		{
			lacks(&list, ESG_FILE_UNPARSABLE, name);
			lacks(&list, ESG_FILE_PARTLY_READ, name);
			lacks(&list, ESG_TRUSTED_CERTIFICATE_BLOCK, name);
		}
		else
		{
			shows(&list, contents[i].want, esg_findings_def(contents[i].want)->severity, name);
			is_text(list.items[0].detail, contents[i].detail, name);
		}
		esg_findings_free(&list);
	}
	facts.size = 0;
	esg_policy_file_check(&facts, ESG_FILE_CA, &contents[1].content, &policy, &list);
	is_text(list.items[0].detail, "no bytes at all", "an empty file");
	esg_findings_free(&list);
}

int
main(void)
{
	esg_policy_defaults(&policy);
	policy.server_uid = SERVER;
	test_types();
	test_modes();
	test_states();
	test_size();
	test_key_limits();
	test_commands();
	test_leftovers();
	test_read_only();
	test_contents();
	test_owners();
	test_agents_mode();
	is_text(esg_policy_file_kind_name(ESG_FILE_CLIENT), "client", "name of a kind");
	is_text(esg_policy_file_kind_name(ESG_FILE_DH_PARAMS), "dh_params", "name of a kind");
	is_text(esg_policy_file_kind_name(ESG_FILE_CRL_DIR), "crl_dir", "name of a kind");
	return done();
}
