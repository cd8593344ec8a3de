/* sources: policy/passphrase_command */
/*
 * test_passphrase_command.c
 *		What the text of ssl_passphrase_command shows.
 */
#include "esg_test.h"
#include "policy/passphrase_command.h"

/* wanted: "secret", "asks", "perhaps" of files that may be missing, in this order, then "program=", "file=" as often as there are */
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
	{"echo '-secret'", "secret", "echo ..."},
	{"echo -n -- ''", "", "echo ..."},
	{"printf -v x", "secret", "printf ..."},
	{"printf '%%s\\n' secret", "secret", "printf ..."},
	{"printf secret", "secret", "printf ..."},
	{"printf 'secret\\n'", "secret", "printf ..."},
	{"true && echo secret", "secret perhaps", "true ..."},
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
	{"gpg --batch --passphrase secret -d x", "secret program=gpg", "gpg ..."},
	{"PASS=secret get", "secret program=get", "..."},
	{"env -i PASS=secret get", "secret", "env ..."},
	{"env -i sh -c 'echo secret'", "secret", "env ..."},
	{"nice -n 10 echo secret", "secret", "nice ..."},
	{"K=secret; echo $K", "secret", "..."},
	{"K=secret sh -c 'echo \"${K}\"'", "secret program=sh", "..."},
	{"A=a K=secret; printf %%s \"key: $K\"", "secret", "..."},
	/* not in it */
	{"gpg --batch --passphrase \"$SECRET\" -d x", "program=gpg", "gpg ..."},
	{"gpg --batch --passphrase -d x", "program=gpg", "gpg ..."},
	{"get --pin /run/pin", "program=get", "get ..."},
	{"gpg --pinentry-mode=loopback --passphrase-repeat=0 --passphrase-fd 0 -d x", "program=gpg", "gpg ..."},
	{"gcloud secrets versions access latest --secret=key", "program=gcloud", "gcloud ..."},
	{"aws secretsmanager get-secret-value --secret-id=key", "program=aws", "aws ..."},
	{"vault write x secret_id=abc", "secret program=vault", "vault ..."},
	{"K=secret; echo $KEY", "", "..."},
	{"K=secret; echo $K_1", "", "..."},
	{"K=secret; echo '' \"$A$B\"", "", "..."},
	{"K=$(get); echo $K", "", "..."},
	{"K=secret; echo \"$ x\"", "", "..."},
	{"K=secret; echo \"$\"", "", "..."},
	{"false; get", "", "..."},
	{"K=; echo $K", "", "..."},
	{"K=/srv/file; echo $K", "", "..."},
	{"env -i get", "", "env ..."},
	{"nice -n 10 get", "", "nice ..."},
	{"-secret", "program=-secret", "-secret"},
	{"1234", "program=1234", "1234"},
	{"f() { get; }; f", "", "..."},
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
	{"if true; then cat /srv/a; else cat /srv/b; fi", "perhaps file=/srv/a file=/srv/b", "if ..."},
	{"cat $FILE", "program=cat", "cat ..."},
	{"head -n 1 /srv/secret", "program=head file=/srv/secret", "head ..."},
	{"cat 1", "program=cat file=1", "cat ..."},
	{"head -c -1 x 2", "program=head file=x file=2", "head ..."},
	{"cd /srv; cat secret", "perhaps file=secret", "cd ..."},
	{"cat /srv/a || cat /srv/b", "perhaps program=cat file=/srv/a file=/srv/b", "cat ..."},
	{"mount /srv && cat /srv/a", "perhaps program=mount file=/srv/a", "mount ..."},
	{"test -r a; cat a", "perhaps file=a", "test ..."},
	{"cat /srv/a | rev", "program=cat file=/srv/a", "cat ..."},
	{"cat /srv/a & wait", "program=cat file=/srv/a", "cat ..."},
	{"cat /srv/*", "program=cat", "cat ..."},
	{"gpg -d /srv/secret.gpg", "program=gpg", "gpg ..."},
	{"cat a b c d e f", "program=cat file=a file=b file=c file=d", "cat ..."},
	/* somebody is asked */
	{"systemd-ask-password '%p'", "asks program=systemd-ask-password", "systemd-ask-password ..."},
	{"/usr/bin/pinentry-curses", "asks program=/usr/bin/pinentry-curses", "/usr/bin/pinentry-curses"},
	{"read x; echo $x", "asks", "read ..."},
	{"read x < /srv/secret; echo $x", "file=/srv/secret", "read ..."},
	{"get | while read x; do echo $x; done", "perhaps program=get", "get ..."},
	{"read x < /dev/tty; echo $x", "asks", "read ..."},
	{"cat /dev/tty", "asks program=cat", "cat ..."},
	{"cat < /dev/tty", "asks program=cat", "cat ..."},
	/* how words are made */
	{"sh -c get", "program=sh", "sh ..."},
	{"sh script 'echo secret'", "program=sh", "sh ..."},
	{"sh --rcfile 'echo secret'", "program=sh", "sh ..."},
	{"env sh -c get", "program=sh", "env ..."},
	{"PASS=secret LC_ALL=C get", "secret program=get", "..."},
	{"PASS=secret cat <<< $X", "secret program=cat", "..."},
	{"echo $(get) secret", "secret", "echo ..."},
	{"echo $(get)x", "", "echo ..."},
	{"echo `get`x", "", "echo ..."},
	{"echo $(cat $(get) /srv/a)", "file=/srv/a", "echo ..."},
	{"echo $(get (1) ) secret", "secret", "echo ..."},
	{"'env' get", "program=env", "..."},
	{"cat \"/srv/a\\\"b\"", "program=cat file=/srv/a\"b", "cat ..."},
	{"cat \"/srv/a\\b\"", "program=cat file=/srv/a\\b", "cat ..."},
	{"cat '/srv/a\\\\b'", "program=cat file=/srv/a\\\\b", "cat ..."},
	{"cat a</srv/b", "program=cat file=a file=/srv/b", "cat ..."},
	{"cat 12</srv/b", "program=cat file=/srv/b", "cat ..."},
	{"cat '1'</srv/b", "program=cat file=1 file=/srv/b", "cat ..."},
	{"cat /srv/a%%%p%%b", "program=cat file=/srv/a%%b", "cat ..."},
	{"=x", "program==x", "..."},
	{"1=x", "program=1=x", "..."},
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

	snprintf(out, size, "%s%s%s", command->has_secret ? " secret" : "", command->asks_person ? " asks" : "",
			 command->files_may_be_missing ? " perhaps" : "");
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

/* Just as long as there is room for, and a little more. */
static void
test_lengths(void)
{
	static char text[5 * ESG_COMMAND_WORD_SIZE];
	EsgPassphraseCommand command;

	memset(text, 'x', ESG_COMMAND_WORD_SIZE - 1);
	esg_passphrase_command_read(text, &command);
	is_text(command.program, text, "a program of 1023 letters");
	is_text(command.shown, text, "shown");
	text[ESG_COMMAND_WORD_SIZE - 1] = 'x';
	esg_passphrase_command_read(text, &command);
	is_text(command.program, "", "of 1024: not known");
	is_text(command.shown, "", "nor shown");
	for (size_t size = 4 * ESG_COMMAND_WORD_SIZE - 2; size <= 4 * ESG_COMMAND_WORD_SIZE; size++)
	{
		memset(text, ' ', sizeof(text) - 1);
		memcpy(text + size - 12, ";echo secret", 12);
		text[size] = '\0';
		esg_passphrase_command_read(text, &command);
		is_int(command.has_secret, 1, "the secret at the end of what is read");
	}
	for (size_t size = ESG_COMMAND_NAME_SIZE - 1; size <= ESG_COMMAND_NAME_SIZE; size++)
	{
		snprintf(text, sizeof(text), "%0*d=secret; echo $A%0*d", (int) size, 0, (int) size - 1, 0);
		text[0] = 'A';
		esg_passphrase_command_read(text, &command);
		is_int(command.has_secret, size < ESG_COMMAND_NAME_SIZE, "a long variable that is printed");
	}
	strcpy(text, "A=a B=b C=c D=d E=e; echo $E");
	esg_passphrase_command_read(text, &command);
	is_int(command.has_secret, 0, "many variables");
	for (size_t size = 60; size <= 70; size++)
	{
		memset(text, 'x', sizeof(text) - 1);
		memcpy(text, "PASS", 4);
		text[size] = '\0';
		strcat(text, "=secret get");
		esg_passphrase_command_read(text, &command);
		is_int(command.has_secret, 1, "a long name");
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
	test_lengths();
	return done();
}
