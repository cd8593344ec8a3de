/* sources: policy/findings policy/policy x509/cut_text x509/time x509/name x509/unicode x509/key x509/signature x509/info x509/asn1 x509/rsa_faults x509/memo policy/file policy/shell_text files/accounts */
/* wraps: esg_content_read esg_content_release getpwuid getgrgid */
/*
 * test_accounts.c
 *		Whose a file is, with accounts and an /etc/login.defs of the test's own.
 *
 * The numbers of the system's accounts are read once per process, so that each case has one of its own.
 */
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "esg_test.h"
#include "files/accounts.h"
#include "files/content.h"

#define STRANGER 4321

static const char *login_defs;	/* NULL: it cannot be read */
static struct passwd account;
static struct group group;

extern bool __wrap_esg_content_read(const char *path, int64_t limit, EsgFileFacts *facts, EsgContent *out);
extern void __wrap_esg_content_release(EsgContent *content);
extern struct passwd *__wrap_getpwuid(uid_t uid);
extern struct group *__wrap_getgrgid(gid_t gid);

bool
__wrap_esg_content_read(const char *path, int64_t limit, EsgFileFacts *facts, EsgContent *out)
{
	memset(facts, 0, sizeof(*facts));
	memset(out, 0, sizeof(*out));
	if (login_defs == NULL || strcmp(path, "/etc/login.defs") != 0 || (int64_t) strlen(login_defs) > limit)
		return false;
	out->len = strlen(login_defs);
	/* without the byte behind it, which nobody may read */
	out->data = malloc(out->len + (out->len == 0));
	memcpy(out->data, login_defs, out->len);
	return true;
}

void
__wrap_esg_content_release(EsgContent *content)
{
	free(content->data);
}

struct passwd *
__wrap_getpwuid(uid_t uid)
{
	return account.pw_name != NULL && uid == account.pw_uid ? &account : NULL;
}

struct group *
__wrap_getgrgid(gid_t gid)
{
	return group.gr_name != NULL && gid == group.gr_gid ? &group : NULL;
}

/* Of a stranger's file, in a process of its own. */
static bool
is_systems(const char *defs, uid_t uid)
{
	int			status;
	pid_t		pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0)
	{
		EsgFileFacts facts = {.exists = true,.uid = uid};
		EsgPolicy	policy;

		esg_policy_defaults(&policy);
		policy.server_uid = STRANGER;
		login_defs = defs;
		esg_accounts_know_owner(&facts, &policy);
		/* remembered, whatever there is by now */
		login_defs = "SYS_UID_MAX 1\n";
		esg_accounts_know_owner(&facts, &policy);
		exit(facts.system_owner ? 3 : 4);
	}
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || (WEXITSTATUS(status) != 3 && WEXITSTATUS(status) != 4))
		abort();
	return WEXITSTATUS(status) == 3;
}

static void
test_numbers(void)
{
	static const char long_line[] = "SYS_UID_MAX 11111111111111111111111111111111111111111111111111111111111111111111111"
		"11111111111111111111111111111111111111111111111111111111\n";
	static const struct
	{
		const char *what;
		const char *defs;
		uid_t		last;		/* of the system's */
	}			cases[] = {
		{"no file", NULL, 999},
		{"an empty one", "", 999},
		{"nothing of them", "# x\nMAIL_DIR /var/mail\nX\n", 999},
		{"their last number", "SYS_UID_MAX 500\n", 500},
		{"at the end of the file", "UID_MIN 300\nSYS_UID_MAX\t600", 600},
		{"twice: the last one counts", "SYS_UID_MAX 500\n  SYS_UID_MAX 700\n", 700},
		{"a comment", "#SYS_UID_MAX 500\n", 999},
		{"where users begin", "UID_MIN 500\n#SYS_UID_MAX 100\n", 499},
		{"users from the beginning", "UID_MIN 0\n", 0},
		{"a line that is too long for any number", long_line, 999},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		ok(cases[i].last == 0 || is_systems(cases[i].defs, cases[i].last), "%s: the last number is the system's", cases[i].what);
		ok(!is_systems(cases[i].defs, cases[i].last + 1), "%s: the next one is not", cases[i].what);
	}
	ok(!is_systems("UID_MIN 500\n", 0), "the superuser is no such account");
}

static void
test_names(void)
{
	char		long_name[ESG_OWNER_NAME_SIZE + 1];
	EsgFileFacts facts = {.exists = true,.uid = 77};
	EsgPolicy	policy;

	esg_policy_defaults(&policy);
	policy.server_uid = STRANGER;
	esg_accounts_know_owner(&facts, &policy);
	is_text(facts.owner_name, "", "an account without a name");
	memset(long_name, 'a', sizeof(long_name));
	long_name[ESG_OWNER_NAME_SIZE] = '\0';
	account = (struct passwd) {.pw_uid = 77,.pw_name = long_name};
	esg_accounts_know_owner(&facts, &policy);
	is_text(facts.owner_name, "", "a name that is too long counts as none");
	long_name[ESG_OWNER_NAME_SIZE - 1] = '\0';
	esg_accounts_know_owner(&facts, &policy);
	is_text(facts.owner_name, long_name, "the longest one");
	facts.owner_name[0] = '\0';
	facts.exists = false;
	esg_accounts_know_owner(&facts, &policy);
	is_text(facts.owner_name, "", "what is not there is nobody's");
	facts.exists = true;
	policy.server_uid = 77;
	esg_accounts_know_owner(&facts, &policy);
	is_text(facts.owner_name, "", "the server's own is no stranger's");
	account.pw_name = (char *) "alice";
	group = (struct group) {.gr_gid = 88,.gr_name = (char *) "staff"};
	is_text(esg_accounts_owner_name(77), "alice", "an owner");
	is_text(esg_accounts_owner_name(78), "78", "one without a name");
	is_text(esg_accounts_group_name(88), "staff", "a group");
	is_text(esg_accounts_group_name(89), "89", "one without a name");
}

int
main(void)
{
	test_numbers();
	test_names();
	return done();
}
