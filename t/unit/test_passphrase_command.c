/* sources: policy/passphrase_command */
/*
 * test_passphrase_command.c
 *		What the text of ssl_passphrase_command shows.
 */
#include "esg_test.h"
#include "policy/passphrase_command.h"

/* wanted: "secret", "asks", in this order, then "program=", "file=" as often as there are */
typedef struct Case
{
	const char *text;
	const char *wanted;
	const char *shown;
} Case;

static const Case cases[] = {
	{"", "", ""},
	{"/srv/bin/ask", "program=/srv/bin/ask", "/srv/bin/ask"},
	{"/srv/bin/ask \"%p\"", "program=/srv/bin/ask", "/srv/bin/ask ..."},
	{"'/srv/bin/ask me'", "program=/srv/bin/ask me", "..."},
	/* the secret in the text */
	{"echo secret", "secret", "echo ..."},
	{"echo 'open sesame'", "secret", "echo ..."},
	{"/bin/echo secret", "secret program=/bin/echo", "/bin/echo ..."},
	{"echo \"secret\"", "secret", "echo ..."},
	{"echo -n secret", "secret", "echo ..."},
	{"printf '%%s\\n' secret", "secret", "printf ..."},
	{"printf secret", "secret", "printf ..."},
	{"printf 'secret\\n'", "secret", "printf ..."},
	{"true && echo secret", "secret", "true ..."},
	{"(echo secret)", "secret", "..."},
	{"echo secret|base64 -d", "secret", "echo ..."},
	{"sh -c 'echo secret'", "secret program=sh", "sh ..."},
	{"bash -ec \"echo 'secret'\"", "secret program=bash", "bash ..."},
	{"cat <<< secret", "secret program=cat", "cat ..."},
	{"echo $(echo secret)", "secret", "echo ..."},
	{"echo `echo secret`", "secret", "echo ..."},
	{"VAULT_TOKEN=abc vault read x", "secret program=vault", "..."},
	{"openssl rsautl -passin pass:abc", "secret program=openssl", "openssl ..."},
	{"get --password=abc", "secret program=get", "get ..."},
	/* not in it */
	{"echo", "", "echo"},
	{"echo \"$SECRET\"", "", "echo ..."},
	{"echo $SECRET", "", "echo ..."},
	{"printf '%%s\\n' \"$SECRET\"", "", "printf ..."},
	{"printf '%%-10.3s' \"${SECRET}\"", "", "printf ..."},
	{"# echo secret", "", "..."},
	{"get --password-file=abc", "program=get", "get ..."},
	{"get --password=/run/abc", "program=get", "get ..."},
	{"get --password=$SECRET", "program=get", "get ..."},
	{"get --ping=abc", "program=get", "get ..."},
	{"LC_ALL=C get", "program=get", "..."},
	{"openssl rsautl -passin pass:", "program=openssl", "openssl ..."},
	/* files */
	{"cat /srv/secret", "program=cat file=/srv/secret", "cat ..."},
	{"cat '/srv/a secret'", "program=cat file=/srv/a secret", "cat ..."},
	{"cat /srv/my\\ secret", "program=cat file=/srv/my secret", "cat ..."},
	{"head -1 < /srv/secret", "program=head file=/srv/secret", "head ..."},
	{"cat /srv/secret 2>/dev/null", "program=cat file=/srv/secret", "cat ..."},
	{"echo $(cat /srv/secret)", "file=/srv/secret", "echo ..."},
	{"echo \"$(cat '/srv/secret')\"", "file=/srv/secret", "echo ..."},
	{"if true; then cat /srv/a; else cat /srv/b; fi", "file=/srv/a file=/srv/b", "if ..."},
	{"cat $FILE", "program=cat", "cat ..."},
	{"cat /srv/*", "program=cat", "cat ..."},
	{"gpg -d /srv/secret.gpg", "program=gpg", "gpg ..."},
	{"cat a b c d e f", "program=cat file=a file=b file=c file=d", "cat ..."},
	/* somebody is asked */
	{"systemd-ask-password '%p'", "asks program=systemd-ask-password", "systemd-ask-password ..."},
	{"/usr/bin/pinentry-curses", "asks program=/usr/bin/pinentry-curses", "/usr/bin/pinentry-curses"},
	{"read x; echo $x", "asks", "read ..."},
	{"cat /dev/tty", "asks program=cat", "cat ..."},
	{"cat < /dev/tty", "asks program=cat", "cat ..."},
	/* what a shell refuses */
	{"echo 'secret", "secret", "echo ..."},
	{"echo $(echo secret", "secret", "echo ..."},
	{"cat \\", "program=cat file=\\", "cat ..."},
	{"<", "", "..."},
	{"((((((((((", "", "..."},
	{"$($($($($($(echo secret))))))", "", "..."},
};

static void
describe(const EsgPassphraseCommand *command, char *out, size_t size)
{
	size_t		used;

	snprintf(out, size, "%s%s", command->has_secret ? " secret" : "", command->asks_person ? " asks" : "");
	if (command->program[0] != '\0')
	{
		used = strlen(out);
		snprintf(out + used, size - used, " program=%s", command->program);
	}
	for (int i = 0; i < command->file_count; i++)
	{
		used = strlen(out);
		snprintf(out + used, size - used, " file=%s", command->files[i]);
	}
}

/* Longer than all that there is room for. */
static void
test_long(void)
{
	static char text[20000];
	EsgPassphraseCommand command;

	memset(text, 'x', sizeof(text) - 1);
	esg_passphrase_command_read(text, &command);
	is_text(command.shown, "", "a program of 20,000 letters is not shown");
	memcpy(text, "cat ", 4);
	esg_passphrase_command_read(text, &command);
	is_int(command.file_count, 0, "nor taken for a file");
	memcpy(text, "echo $(", 7);
	esg_passphrase_command_read(text, &command);
	is_int(command.has_secret, 0, "nor for a secret");
}

int
main(void)
{
	EsgPassphraseCommand command;
	char		got[8192];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		esg_passphrase_command_read(cases[i].text, &command);
		describe(&command, got, sizeof(got));
		is_text(got[0] == ' ' ? got + 1 : got, cases[i].wanted, cases[i].text);
		is_text(command.shown, cases[i].shown, "shown");
	}
	test_long();
	return done();
}
