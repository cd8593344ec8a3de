/*
 * fuzz_probe.c
 *		What the network sends to "ssl_guard_ctl probe".
 *
 * The first byte says how: a server's bytes, from its answer to SSLRequest or
 * from its TLS on; or certificates in DER, one after the other, as a chain that
 * was shown.  The client's random numbers are always the same, so that a recorded
 * handshake is answered again.  Whatever comes, the client ends in time with an
 * empty error queue and no descriptor too many, and what is printed is JSON,
 * UTF-8 and free of control characters.
 */
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/err.h>

#include "checks.h"
#include "ctl/output.h"
#include "ctl/output_json.h"
#include "ctl/output_nagios.h"
#include "ctl/output_prometheus.h"
#include "ctl/output_text.h"
#include "ctl/probe_judge.h"
#include "fixed_random.h"

#define NOW INT64_C(1790000000)
#define TIME_LIMIT 2000

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int	listener = -1;
static struct sockaddr_in own_address;
static const uint8_t *answer;
static size_t answer_size;

/* The server: says what it has to say, and hangs up. */
static void *
serve(void *arg)
{
	int			fd = accept(listener, NULL, NULL);
	char		rest[4096];

	(void) arg;
	must(fd >= 0);
	(void) !write(fd, answer, answer_size);
	(void) shutdown(fd, SHUT_WR);
	while (read(fd, rest, sizeof(rest)) > 0)
		;
	(void) close(fd);
	return NULL;
}

static void
start(void)
{
	socklen_t	size = sizeof(own_address);

	if (listener >= 0)
		return;
	fixed_random_use();
	/* reading the system's roots takes longer than all the rest */
	must(setenv("SSL_CERT_FILE", "/dev/null", 1) == 0 && setenv("SSL_CERT_DIR", "/dev/null", 1) == 0);
	signal(SIGPIPE, SIG_IGN);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	own_address.sin_family = AF_INET;
	own_address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	must(bind(listener, (struct sockaddr *) &own_address, size) == 0 && listen(listener, 1) == 0 &&
		 getsockname(listener, (struct sockaddr *) &own_address, &size) == 0);
}

/* ---- what is printed ---- */

static bool
is_utf8(const unsigned char *p, const unsigned char *end)
{
	while (p < end)
	{
		int			more = *p < 0x80 ? 0 : *p >= 0xF0 ? 3 : *p >= 0xE0 ? 2 : 1;

		if ((*p & 0xC0) == 0x80 || *p > 0xF4 || end - p <= more)
			return false;
		for (p++; more > 0; more--, p++)
			if ((*p & 0xC0) != 0x80)
				return false;
	}
	return true;
}

/* As far as a program that reads it can be led astray: quotes, braces, brackets. */
static bool
is_json(const char *p, const char *end)
{
	int			depth = 0;
	bool		quoted = false;

	for (; p < end; p++)
	{
		if (quoted && *p == '\\')
		{
			if (++p == end || strchr("\"\\", *p) == NULL)
				return false;
		}
		else if (*p == '"')
			quoted = !quoted;
		else if (!quoted)
			depth += (*p == '{' || *p == '[') - (*p == '}' || *p == ']');
		if (depth < 0 || (quoted && *p == '\n'))
			return false;
	}
	return depth == 0 && !quoted;
}

typedef void (*Print) (const EsgReport *report);

static void
print_text(const EsgReport *report)
{
	esg_output_text_print(report, false, false);
}

/* Standard output is a file meanwhile. */
static void
look_at(Print print, const EsgReport *report)
{
	char	   *text = NULL;
	size_t		size = 0;
	FILE	   *saved = stdout;
	size_t		i;

	stdout = open_memstream(&text, &size);
	must(stdout != NULL);
	print(report);
	must(fclose(stdout) == 0);
	stdout = saved;
	must(size > 0 && text[size - 1] == '\n' && is_utf8((unsigned char *) text, (unsigned char *) text + size));
	for (i = 0; i < size; i++)
		must(((unsigned char) text[i] >= ' ' || text[i] == '\n') && text[i] != 0x7F);
	must(print != esg_output_json_print || is_json(text, text + size));
	free(text);
}

static void
judge(const EsgTarget *target, const EsgTlsAnswer *shown)
{
	EsgAddress	address = {.text = "127.0.0.1:5432"};
	EsgProbeJudge by;
	EsgReport	report;
	EsgReportObject *server;

	must(esg_probe_judge_start(NULL, NOW, &by));
	esg_report_start(&report, "probe", NOW);
	server = esg_report_add_server(&report, ESG_OBJECT_SERVER, target->name, address.text);
	esg_probe_judge_words(&by, shown, server);
	esg_report_remark(server, ESG_STATUS_OK, NULL, "it %s", shown->reason);
	if (shown->chain != NULL && sk_X509_num(shown->chain) > 0)
		esg_probe_judge_chain(&by, target, &address, shown, &report, server);
	esg_report_sort(&report);
	must(!report.out_of_memory && ERR_peek_error() == 0);
	look_at(print_text, &report);
	look_at(esg_output_json_print, &report);
	look_at(esg_output_prometheus_print, &report);
	look_at(esg_output_nagios_print, &report);
	esg_report_free(&report);
	esg_probe_judge_free(&by);
}

/* ---- what comes ---- */

static int
lowest_free(void)
{
	int			fd = dup(0);

	(void) close(fd);
	return fd;
}

static void
ask(bool direct, const uint8_t *data, size_t size)
{
	EsgTarget	target = {.host = "localhost",.port = "5432",.name = "localhost:5432"};
	EsgTlsQuestion question = {
		.address = (struct sockaddr *) &own_address,.address_size = sizeof(own_address),
		.host_name = "localhost",.time_limit = TIME_LIMIT,.direct = direct
	};
	EsgTlsAnswer shown;
	pthread_t	server;
	int			before = lowest_free();

	answer = data;
	answer_size = size;
	must(pthread_create(&server, NULL, serve, NULL) == 0);
	(void) esg_tls_client_ask(&question, &shown);
	must(pthread_join(server, NULL) == 0);
	must(ERR_peek_error() == 0 && lowest_free() == before);
	must((shown.end == ESG_TLS_SHOWN) == (shown.reason[0] == '\0'));
	judge(&target, &shown);
	esg_tls_client_forget(&shown);
}

static void
show(const uint8_t *data, size_t size)
{
	EsgTarget	target = {.host = "db1.example.com",.port = "5432",.name = "db1.example.com:5432"};
	EsgTlsAnswer shown = {.chain = sk_X509_new_null()};
	const uint8_t *end = data + size;

	while (data < end && sk_X509_num(shown.chain) < 12)
	{
		X509	   *cert = d2i_X509(NULL, &data, (long) (end - data));

		if (cert == NULL)
			break;
		must(sk_X509_push(shown.chain, cert) > 0);
	}
	ERR_clear_error();
	judge(&target, &shown);
	esg_tls_client_forget(&shown);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	start();
	if (size < 1)
		return 0;
	if (data[0] % 4 == 0)
		show(data + 1, size - 1);
	else
		ask(data[0] % 4 == 1, data + 1, size - 1);
	return 0;
}
