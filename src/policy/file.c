/*
 * policy/file.c
 *		Judging files by what stat() says of them, and by what was found inside.
 */
#include "policy/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/crypto.h>

#include "policy/key_mode.h"
#include "policy/shell_text.h"

#define MODE_BITS 07777

/* What a check looks at. */
typedef struct FileCase
{
	const EsgFileFacts *facts;
	EsgFileKind kind;
	const EsgPemResult *content;	/* NULL: not looked into */
	const EsgPolicy *policy;
} FileCase;

typedef bool (*FileCheckFn) (const FileCase *c, EsgRemark *remark);

const char *
esg_policy_file_kind_name(EsgFileKind kind)
{
	switch (kind)
	{
		case ESG_FILE_CERTIFICATE:
			return "certificate";
		case ESG_FILE_KEY:
			return "key";
		case ESG_FILE_CLIENT:
			return "client";
		case ESG_FILE_CA:
			return "ca";
		case ESG_FILE_CRL:
			return "crl";
		case ESG_FILE_CRL_DIR:
			return "crl_dir";
		case ESG_FILE_DH_PARAMS:
			return "dh_params";
		case ESG_FILE_EXTRA:
			return "extra";
		case ESG_FILE_PASSPHRASE:
		case ESG_FILE_LEFTOVER:
			return "passphrase";
		case ESG_FILE_HOSTS:
			return "hosts";
		case ESG_FILE_PAIR_DIRECTORY:
		case ESG_FILE_DIRECTORY:
			return "directory";
	}
	return "unknown";
}

bool
esg_policy_file_is_directory(EsgFileKind kind)
{
	return kind == ESG_FILE_DIRECTORY || kind == ESG_FILE_PAIR_DIRECTORY;
}

bool
esg_policy_file_is_secret(EsgFileKind kind)
{
	return kind == ESG_FILE_KEY || kind == ESG_FILE_PASSPHRASE || kind == ESG_FILE_LEFTOVER;
}

static bool
wants_directory(EsgFileKind kind)
{
	return kind == ESG_FILE_CRL_DIR || esg_policy_file_is_directory(kind);
}

/* ---- is it there, is it a file ---- */

static bool
is_missing(const EsgFileFacts *facts)
{
	if (facts->error != 0)
		return facts->error == ENOENT || facts->error == ENOTDIR;
	return !facts->exists;
}

/*
 * The reason in the words of strerror(), which may come in the encoding of any
 * locale: what is not UTF-8 is escaped.
 */
static void
say_reason(EsgRemark *remark, int error)
{
	const char *reason = strerror(error != 0 ? error : ENOENT);
	char	   *text = esg_x509_name_escape((const unsigned char *) reason, strlen(reason));

	esg_remark_say(remark, "%s", text != NULL ? text : "");
	OPENSSL_free(text);
}

static bool
check_missing(const FileCase *c, EsgRemark *remark)
{
	if (!is_missing(c->facts))
		return false;
	say_reason(remark, c->facts->error);
	return true;
}

/* What is left of a writer may be root's; if the pair needs it, that is another finding. */
static bool
check_unreadable(const FileCase *c, EsgRemark *remark)
{
	if (c->kind == ESG_FILE_LEFTOVER || c->facts->error == 0 || c->facts->error == ELOOP || is_missing(c->facts))
		return false;
	say_reason(remark, c->facts->error);
	return true;
}

static const char *
describe_type(mode_t mode)
{
	if (S_ISREG(mode))
		return "a regular file";
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a FIFO";
	if (S_ISSOCK(mode))
		return "a socket";
	if (S_ISCHR(mode))
		return "a character device";
	if (S_ISBLK(mode))
		return "a block device";
	return "of unknown type";
}

static bool
has_right_type(const FileCase *c)
{
	return wants_directory(c->kind) ? S_ISDIR(c->facts->mode) : S_ISREG(c->facts->mode);
}

static bool
check_not_regular(const FileCase *c, EsgRemark *remark)
{
	if (c->facts->error == ELOOP)
	{
		esg_remark_say(remark, "a loop of symbolic links");
		return true;
	}
	if (!c->facts->exists || has_right_type(c))
		return false;
	esg_remark_say(remark, "%s, not %s", describe_type(c->facts->mode),
				   wants_directory(c->kind) ? "a directory" : "a regular file");
	return true;
}

static bool
check_too_large(const FileCase *c, EsgRemark *remark)
{
	if (!c->facts->too_large)
		return false;
	if (wants_directory(c->kind))
		esg_remark_say(remark, "too many entries");
	else
		esg_remark_say(remark, "%lld bytes", (long long) c->facts->size);
	return true;
}

/* ---- who may do what ---- */

/* The permission bits that a file may have. */
static unsigned
get_allowed_mode(EsgFileKind kind, uid_t owner, const EsgPolicy *policy)
{
	EsgKeyRule	rule = {policy->server_uid, policy->max_key_file_mode};

	/* whoever may write it has the server run commands */
	if (kind == ESG_FILE_HOSTS)
		return policy->max_file_mode & ~(unsigned) 0022;
	return esg_policy_file_is_secret(kind) ? esg_key_mode_allowed(owner, &rule) : policy->max_file_mode;
}

/* What the mode of a directory has too much. */
static unsigned
get_directory_excess(EsgFileKind kind, const EsgFileFacts *facts)
{
	if (kind == ESG_FILE_PAIR_DIRECTORY)
		return facts->read_only ? 0 : esg_key_mode_directory_excess(facts->mode);
	return facts->mode & S_ISVTX ? 0 : facts->mode & S_IWOTH;
}

/* The mode a file of that owner should have, or 0 if it is fine as it is. */
static unsigned
get_wanted_mode(const EsgFileFacts *facts, EsgFileKind kind, uid_t owner,
				const EsgPolicy *policy)
{
	unsigned	mode = facts->mode & MODE_BITS;
	unsigned	allowed;

	if (wants_directory(kind))
	{
		unsigned	excess = get_directory_excess(kind, facts);

		return excess != 0 ? mode & ~excess : 0;
	}
	allowed = get_allowed_mode(kind, owner, policy);
	if ((mode & ~allowed) == 0)
		return 0;
	if ((mode & allowed) != 0)
		return mode & allowed;
	return (allowed & 0600) != 0 ? allowed & 0600 : 0400;
}

unsigned
esg_policy_file_wanted_mode(const EsgFileFacts *facts, EsgFileKind kind,
							const EsgPolicy *policy)
{
	FileCase	c = {facts, kind, NULL, policy};

	if (!facts->exists || !has_right_type(&c))
		return 0;
	return get_wanted_mode(facts, kind, facts->uid, policy);
}

static bool
check_permissions_too_open(const FileCase *c, EsgRemark *remark)
{
	if (wants_directory(c->kind) ||
		esg_policy_file_wanted_mode(c->facts, c->kind, c->policy) == 0)
		return false;
	esg_remark_say(remark, "%04o, more than the %04o allowed",
				   (unsigned) c->facts->mode & MODE_BITS,
				   get_allowed_mode(c->kind, c->facts->uid, c->policy));
	return true;
}

bool
esg_policy_file_is_strange(const EsgFileFacts *facts, const EsgPolicy *policy)
{
	return !esg_key_mode_trusts(facts->uid, policy->server_uid);
}

/*
 * Not asked of the directories on the path: in containers and under mounted
 * volumes they belong to all sorts of users.
 */
static bool
has_wrong_owner(const FileCase *c)
{
	return !esg_policy_file_is_directory(c->kind) && c->facts->exists && has_right_type(c) &&
		esg_policy_file_is_strange(c->facts, c->policy);
}

/* Something that renews certificates under an account of its own: not to be disturbed. */
static bool
is_renewed_by_system(const FileCase *c)
{
	return c->facts->system_owner && !esg_policy_file_is_secret(c->kind) && c->kind != ESG_FILE_HOSTS;
}

static void
say_owner(EsgRemark *remark, const EsgFileFacts *facts)
{
	char	   *name = esg_x509_name_escape((const unsigned char *) facts->owner_name,
											strlen(facts->owner_name));

	if (name != NULL && name[0] != '\0')
		esg_remark_say(remark, "%s", name);
	else
		esg_remark_say(remark, "ID %lu", (unsigned long) facts->uid);
	OPENSSL_free(name);
}

static bool
check_wrong_owner(const FileCase *c, EsgRemark *remark)
{
	if (!has_wrong_owner(c))
		return false;
	say_owner(remark, c->facts);
	if (is_renewed_by_system(c))
		remark->severity = ESG_WARNING;
	return true;
}

static bool
check_directory_writable(const FileCase *c, EsgRemark *remark)
{
	if (!wants_directory(c->kind) ||
		esg_policy_file_wanted_mode(c->facts, c->kind, c->policy) == 0)
		return false;
	esg_remark_say(remark, "%04o", (unsigned) c->facts->mode & MODE_BITS);
	return true;
}

/* Whatever is in it: what it was made for did not happen, or happened without it. */
static bool
check_passphrase_leftover(const FileCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->kind == ESG_FILE_LEFTOVER && c->facts->exists;
}

/* ---- what is in it ---- */

/* Does the file hold what its setting asks for? */
static bool
is_usable(const FileCase *c)
{
	switch (c->kind)
	{
		case ESG_FILE_CERTIFICATE:
		case ESG_FILE_CLIENT:
		case ESG_FILE_CA:
			return c->content->certs > 0;
		case ESG_FILE_CRL:
			return c->content->crls > 0;
		default:
			return c->content->certs + c->content->crls > 0;
	}
}

static bool
check_unparsable(const FileCase *c, EsgRemark *remark)
{
	if (c->content == NULL || is_usable(c))
		return false;
	if (c->facts->size == 0)
		esg_remark_say(remark, "no bytes at all");
	else if (c->content->found[0] != '\0')
		esg_remark_say(remark, "%s", c->content->found);
	else
		esg_remark_say(remark, "%s", c->content->crls > 0 ? "a CRL" : "nothing");
	return true;
}

/* A broken block after good ones, or two files concatenated without a line end. */
static bool
check_partly_read(const FileCase *c, EsgRemark *remark)
{
	const EsgPemResult *pem = c->content;
	int			blocks = pem != NULL ? pem->certs + pem->crls : 0;

	if (pem == NULL || pem->end != ESG_PEM_BROKEN || (blocks == 0 && !pem->glued))
		return false;
	esg_remark_say(remark, "after %d good block%s, at byte %zu: %s", blocks, blocks == 1 ? "" : "s",
				   pem->fault_offset, pem->found);
	return true;
}

static bool
check_trusted_certificate_block(const FileCase *c, EsgRemark *remark)
{
	(void) remark;
	return c->content != NULL && c->content->skipped_trusted > 0;
}

bool
esg_policy_file_is_good(const EsgFileFacts *facts, EsgFileKind kind, const EsgPolicy *policy)
{
	FileCase	c = {facts, kind, NULL, policy};

	return facts->exists && facts->error == 0 && !facts->too_large && kind != ESG_FILE_LEFTOVER &&
		has_right_type(&c) && !has_wrong_owner(&c) && get_wanted_mode(facts, kind, facts->uid, policy) == 0;
}

#define BY_FILE(check) check
#define FINDING(code, name, state, severity, places, enforced, message, hint, check) [ESG_##code] = check,

static const FileCheckFn checks[ESG_CODE_COUNT] = {
#include "policy/finding_list.h"
};

void
esg_policy_file_check(const EsgFileFacts *facts, EsgFileKind kind, const EsgPemResult *content,
					  const EsgPolicy *policy, EsgFindings *out)
{
	FileCase	c = {facts, kind, content, policy};
	EsgRemark	remark;
	int			code;

	for (code = 0; code < ESG_CODE_COUNT; code++)
	{
		if (checks[code] != NULL && esg_remark_start(&remark, (EsgCode) code, ESG_PLACE_FILE) &&
			checks[code] (&c, &remark))
			esg_findings_add(out, &remark, policy->overrides);
	}
	esg_findings_sort(out);
}

/* ---- the command that mends it ---- */

static bool
is_switched_on(EsgCode code, const EsgPolicy *policy)
{
	return esg_findings_severity(code, ESG_PLACE_FILE, policy->overrides) != ESG_OK;
}

/* The program knows which of the files are still needed. */
static char *
suggest_tidying(const char *path)
{
	EsgShellText command = {NULL, 0, false};
	const char *slash = strrchr(path, '/');
	char	   *directory = OPENSSL_strndup(path, slash != NULL ? (size_t) (slash - path) : 0);

	if (directory == NULL)
		return NULL;
	esg_shell_text_append(&command, "ssl_guard_ctl tidy -D ");
	esg_shell_text_append_quoted(&command, directory[0] != '\0' ? directory : "/");
	OPENSSL_free(directory);
	return esg_shell_text_take(&command);
}

/* NULL only if memory ran out.  Both commands, chown first, if both are needed. */
char *
esg_policy_file_suggestion(const EsgFileFacts *facts, EsgFileKind kind, const char *path,
						   const char *owner_name, const EsgPolicy *policy)
{
	FileCase	c = {facts, kind, NULL, policy};
	EsgCode		mode_code = wants_directory(kind) ? ESG_DIRECTORY_WRITABLE : ESG_PERMISSIONS_TOO_OPEN;
	EsgShellText command = {NULL, 0, false};
	char		mode_text[32];
	unsigned	mode = 0;
	bool		chown;

	if (kind == ESG_FILE_LEFTOVER)
		return suggest_tidying(path);
	if (!facts->exists || !has_right_type(&c))
		return esg_shell_text_take(&command);
	chown = is_switched_on(ESG_WRONG_OWNER, policy) && has_wrong_owner(&c) &&
		!is_renewed_by_system(&c);
	if (is_switched_on(mode_code, policy))
		mode = get_wanted_mode(facts, kind, chown ? policy->server_uid : facts->uid, policy);
	if (chown)
	{
		esg_shell_text_append(&command, "chown ");
		esg_shell_text_append_name(&command, owner_name);
		esg_shell_text_append(&command, " ");
		esg_shell_text_append_quoted(&command, path);
	}
	if (mode != 0)
	{
		snprintf(mode_text, sizeof(mode_text), "%schmod %04o ", chown ? " && " : "", mode);
		esg_shell_text_append(&command, mode_text);
		esg_shell_text_append_quoted(&command, path);
	}
	return esg_shell_text_take(&command);
}
