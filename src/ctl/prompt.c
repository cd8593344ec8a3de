/*
 * ctl/prompt.c
 *		Where ssl_guard_ctl gets a passphrase from.
 *
 * Input is read byte by byte with read(): no buffer of the C library keeps a
 * copy of it.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/prompt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/select.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "ctl/message.h"

#ifndef NSIG
#define NSIG _NSIG
#endif

static volatile sig_atomic_t caught_signal;

static void
note_signal(int signal_number)
{
	caught_signal = signal_number;
}

/*
 * Reads one byte: 1, 0 at the end, -1 with errno.  From a terminal, signals are
 * blocked but here; mask is what was blocked before, NULL for other input.
 */
static int
read_byte(int fd, const sigset_t *mask, char *c)
{
	for (;;)
	{
		ssize_t		n;

		if (mask)
		{
			fd_set		fds;

			FD_ZERO(&fds);
			FD_SET(fd, &fds);
			if (pselect(fd + 1, &fds, NULL, NULL, NULL, mask) < 0 &&
				(errno != EINTR || caught_signal))
				return -1;
		}
		n = read(fd, c, 1);
		if (n >= 0 || errno != EINTR)
			return (int) n;
	}
}

/*
 * Reads a line without its end; CR LF is one.  Of one that is too long no more
 * is read than it takes to know: /dev/zero has no end.
 */
static bool
read_line(int fd, const sigset_t *mask, EsgPassphrase *out)
{
	char		c = '\0';
	char		last = '\0';
	int			n = 0;

	out->len = 0;
	while (out->len <= sizeof(out->secret) && (n = read_byte(fd, mask, &c)) > 0 && c != '\n')
	{
		if (out->len < sizeof(out->secret))
			out->secret[out->len] = c;
		out->len++;
		last = c;
	}
	if (n >= 0 && last == '\r')
		out->len--;
	OPENSSL_cleanse(&c, sizeof(c));
	OPENSSL_cleanse(&last, sizeof(last));
	return n >= 0;
}

static bool
check_passphrase(const EsgPassphrase *passphrase)
{
	switch (esg_secret_format_check_passphrase(passphrase->secret, passphrase->len))
	{
		case ESG_SECRET_OK:
			return true;
		case ESG_SECRET_NO_PASSPHRASE:
			return esg_message_error("the passphrase is empty");
		case ESG_SECRET_TOO_LONG:
			return esg_message_error("the passphrase is longer than %d bytes", ESG_MAX_PASSPHRASE);
		default:
			return esg_message_error("the passphrase has a zero byte or a line end");
	}
}

static bool
read_from(int fd, const char *name, EsgPassphrase *out)
{
	if (!read_line(fd, NULL, out))
		return esg_message_error("could not read the passphrase from %s: %s",
								 name, strerror(errno));
	return check_passphrase(out);
}

/*
 * Also from a pipe, as "--passphrase-file <(…)" makes one; not from a terminal,
 * which would show what is typed.
 */
static bool
read_from_file(const char *file, EsgPassphrase *out)
{
	int			fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	bool		good;

	if (fd < 0)
		return esg_message_error("could not open file \"%s\": %s", file, strerror(errno));
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)))
		esg_message_warning("file \"%s\" is accessible to others: mode %04o",
							file, (unsigned) st.st_mode & 07777);
	good = isatty(fd) ? esg_message_error("file \"%s\" is a terminal", file) : read_from(fd, file, out);
	close(fd);
	return good;
}

static void
write_text(int fd, const char *message)
{
	size_t		len = strlen(message);

	/* nobody to tell if the terminal takes no text */
	while (len > 0)
	{
		ssize_t		n = write(fd, message, len);

		if (n <= 0)
			break;
		message += n;
		len -= (size_t) n;
	}
}

/*
 * Does this signal, if it is not ignored, end or stop the program, or let it go
 * on after a stop by SIGSTOP, when the shell may have changed the terminal?  A
 * fault of the program's own is not waited out.
 */
static bool
matters_to_terminal(int signal_number)
{
	switch (signal_number)
	{
		case SIGKILL:
		case SIGSTOP:
		case SIGCHLD:
		case SIGURG:
		case SIGWINCH:
		case SIGILL:
		case SIGSEGV:
		case SIGBUS:
		case SIGFPE:
			return false;
		default:
			return true;
	}
}

/*
 * Catches the signals that matter, and leaves them blocked: so none gets lost
 * between two looks at caught_signal.  What the C library keeps for itself
 * cannot be caught.
 */
static void
catch_signals(struct sigaction saved[NSIG], sigset_t *mask)
{
	struct sigaction action;
	sigset_t	all;
	int			i;

	memset(&action, 0, sizeof(action));
	action.sa_handler = note_signal;
	sigemptyset(&action.sa_mask);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, mask);
	caught_signal = 0;
	for (i = 1; i < NSIG; i++)
	{
		/* nothing to restore */
		saved[i].sa_handler = SIG_IGN;
		if (matters_to_terminal(i) && sigaction(i, NULL, &saved[i]) == 0 &&
			saved[i].sa_handler != SIG_IGN)
			sigaction(i, &action, NULL);
	}
}

static void
restore_signals(const struct sigaction saved[NSIG], const sigset_t *mask)
{
	int			i;

	for (i = 1; i < NSIG; i++)
		if (saved[i].sa_handler != SIG_IGN)
			sigaction(i, &saved[i], NULL);
	if (caught_signal)
		raise(caught_signal);	/* delivered when unblocked below */
	sigprocmask(SIG_SETMASK, mask, NULL);
}

/*
 * Reads one line from the terminal without echo.  A signal first gets its echo
 * back, then its way; after a stop the question is asked again.
 */
static bool
ask(int tty, const char *question, EsgPassphrase *out)
{
	for (;;)
	{
		struct sigaction saved[NSIG];
		struct termios before;
		struct termios quiet;
		sigset_t	mask;
		bool		good = false;
		int			error;

		/* in the background, wait to be brought to the foreground */
		if (tcgetpgrp(tty) != getpgrp())
			raise(SIGTTIN);
		catch_signals(saved, &mask);
		error = tcgetattr(tty, &before) == 0 ? 0 : errno;
		if (error == 0)
		{
			quiet = before;
			quiet.c_lflag &= ~(tcflag_t) (ECHO | ECHONL);
			if (tcsetattr(tty, TCSAFLUSH, &quiet) == 0)
			{
				write_text(tty, question);
				good = read_line(tty, &mask, out);
			}
			error = good ? 0 : errno;
			write_text(tty, "\n");
			tcsetattr(tty, TCSAFLUSH, &before);
		}
		restore_signals(saved, &mask);
		if (good)
			return true;
		esg_secret_format_wipe(out);
		if (!caught_signal)
			return esg_message_error("could not read from the terminal: %s", strerror(error));
	}
}

static bool
ask_once(int tty, EsgPassphrase *out)
{
	return ask(tty, "Passphrase of the private key: ", out) && check_passphrase(out);
}

static bool
ask_twice(int tty, EsgPassphrase *out)
{
	EsgPassphrase again;
	bool		good;

	if (!ask_once(tty, out))
		return false;
	good = ask(tty, "Again: ", &again);
	if (good && (again.len != out->len || CRYPTO_memcmp(again.secret, out->secret, out->len) != 0))
		good = esg_message_error("the two passphrases differ");
	esg_secret_format_wipe(&again);
	return good;
}

static bool
read_from_terminal(bool (*question) (int tty, EsgPassphrase *out), EsgPassphrase *out)
{
	int			tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	bool		good;

	if (tty < 0)
		return esg_message_error("could not open the terminal: %s", strerror(errno));
	if (tty < FD_SETSIZE)		/* or pselect() cannot wait for it */
		good = question(tty, out);
	else
		good = esg_message_error("could not open the terminal: %s", strerror(EMFILE));
	close(tty);
	return good;
}

static bool
read_any(const char *file, bool (*question) (int tty, EsgPassphrase *out), EsgPassphrase *out)
{
	bool		good;

	if (file)
		good = read_from_file(file, out);
	else if (isatty(STDIN_FILENO))
		good = read_from_terminal(question, out);
	else
		good = read_from(STDIN_FILENO, "standard input", out);
	if (!good)
		esg_secret_format_wipe(out);
	else
		memset(out->secret + out->len, 0, sizeof(out->secret) - out->len);
	return good;
}

bool
esg_prompt_read(const char *file, EsgPassphrase *out)
{
	return read_any(file, ask_twice, out);
}

bool
esg_prompt_read_known(const char *file, EsgPassphrase *out)
{
	return read_any(file, ask_once, out);
}
