/*
 * ctl/probe.c
 *		ssl_guard_ctl probe: what do servers show in their TLS handshake?
 *
 * Every address of a name is asked, one after the other, each for the time limit
 * at most.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "ctl/probe.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/identity.h"
#include "ctl/memory.h"
#include "ctl/message.h"
#include "ctl/moment.h"
#include "ctl/options.h"
#include "ctl/output.h"
#include "ctl/probe_judge.h"
#include "secret/forget.h"

/* milliseconds */
#define DEFAULT_TIME_LIMIT 5000
#define MAX_TIME_LIMIT (3600 * 1000)

typedef struct Options
{
	const char *ca_file;
	const char *name;			/* that clients connect by; NULL: the target's */
	const char *cert_file;
	const char *key_file;
	const char *passphrase_file;
	bool		direct;
	int			time_limit;		/* milliseconds */
	int64_t		at;				/* seconds since 1970 */
	EsgOutputStyle style;
} Options;

typedef struct Probe
{
	const Options *options;
	EsgTarget	named;			/* options->name */
	EsgProbeJudge judge;
	EsgIdentity identity;
	EsgReport	report;
} Probe;

static const char help[] =
"ssl_guard_ctl probe asks servers for their certificates as a client does, and judges\n"
"what they show as ext_ssl_guard does. No session is begun, so that a server logs no\n"
"error. It works with PostgreSQL, and with whatever else answers to its SSLRequest.\n"
"\n"
"Usage:\n"
"  ssl_guard_ctl probe [OPTION]... HOST[:PORT]...\n"
"\n"
"HOST is a name, of which every address is asked, or an address; [ADDRESS]:PORT where\n"
"it is one of IPv6. PORT is 5432 unless it is named.\n"
"\n"
"Options:\n"
"      --ca FILE             verify the chain by the CAs in FILE (PEM), as clients do that\n"
"                            have it as sslrootcert\n"
"      --name NAME           the name by which clients connect: asked for by SNI, and\n"
"                            looked for in the certificate [HOST]\n"
"      --cert FILE           present the certificate in FILE (PEM), with its chain\n"
"      --key FILE            its key [in the file of --cert]; its passphrase is in the\n"
"                            pair FILE.cipher and FILE.rand, or is asked for\n"
"      --passphrase-file FILE\n"
"                            take the first line of FILE as the passphrase\n"
"      --direct              begin with TLS at once, as PostgreSQL 17 and later take it\n"
"      --timeout SECONDS     for each address, and for its name [5]\n"
"      --at TIME             judge as of another day: 2027-03-01, 2027-03-01T08:00:00Z, +30d\n"
ESG_OUTPUT_HELP
"  -V, --version             print the version\n"
"  -h, --help                print this help\n"
"\n"
ESG_OUTPUT_STATUS_HELP;

/* ---- one address ---- */

static void
add_step(EsgReportObject *server, const char *name, int64_t microseconds)
{
	if (microseconds >= 0)
		esg_report_fact_ms(server, name, (double) microseconds / 1000);
}

static void
add_steps(EsgReportObject *server, int64_t resolve_us, const EsgTlsAnswer *answer)
{
	add_step(server, "resolve", resolve_us);
	add_step(server, "connect", answer->connect_us);
	add_step(server, "answer", answer->answer_us);
	add_step(server, "handshake", answer->handshake_us);
}

static void
add_ca_names(EsgReportObject *server, const STACK_OF(X509_NAME) *names)
{
	int			count = names != NULL ? sk_X509_NAME_num(names) : 0;
	int			i;

	for (i = 0; i < count; i++)
	{
		char	   *name = esg_x509_name_text(sk_X509_NAME_value(names, i));

		if (name != NULL)
			esg_report_fact_item(server, "ca_names", name);
		OPENSSL_free(name);
	}
}

/* What becomes of the client's certificate, as far as TLS tells. */
static void
add_request(const Probe *probe, const EsgTlsAnswer *answer, EsgReportObject *server)
{
	bool		shown = probe->identity.cert != NULL;

	if (answer->end != ESG_TLS_SHOWN && !answer->wants_cert)
		return;
	esg_report_fact_bool(server, "asks_for_client_certificate", answer->wants_cert);
	add_ca_names(server, answer->ca_names);
	if (!answer->wants_cert && shown)
		esg_report_remark(server, ESG_STATUS_OK, NULL, "it did not ask for the client's certificate");
	if (answer->taken == ESG_TLS_TAKEN && shown)
		esg_report_fact_bool(server, "takes_client_certificate", true);
	if (answer->taken != ESG_TLS_TAKEN_REFUSED)
		return;
	if (shown)
	{
		esg_report_fact_bool(server, "takes_client_certificate", false);
		esg_report_remark(server, ESG_STATUS_CRITICAL,
						  "The log of the server says why; \"ssl_guard_ctl check --as client\" judges the certificate.",
						  "it refuses the client's certificate: %s", answer->refusal);
	}
	else
		esg_report_remark(server, ESG_STATUS_OK, "Present one with --cert and --key.",
						  "it refuses clients without a certificate: %s", answer->refusal);
}

static const char *
hint_for(EsgTlsEnd end, bool direct)
{
	if (end == ESG_TLS_NONE)
		return "Install a certificate and its key, set \"ssl\" to on and reload the server; "
			"for a pooler, see its settings for TLS with clients.";
	if (direct && (end == ESG_TLS_CLOSED || end == ESG_TLS_REFUSED))
		return "PostgreSQL before version 17 does not take TLS without SSLRequest: try without --direct.";
	if (end == ESG_TLS_NOT_POSTGRES)
		return "For a server that begins with TLS at once there is --direct.";
	return NULL;
}

static void
say_end(const Probe *probe, const EsgTlsAnswer *answer, EsgReportObject *server)
{
	/* a certificate was shown, and it is said who refuses whom */
	if (answer->end == ESG_TLS_SHOWN ||
		(answer->chain != NULL && answer->taken == ESG_TLS_TAKEN_REFUSED))
		return;
	esg_report_remark(server, answer->end == ESG_TLS_NONE ? ESG_STATUS_WARNING : ESG_STATUS_UNKNOWN,
					  hint_for(answer->end, probe->options->direct), "it %s", answer->reason);
}

static void
ask_address(Probe *probe, const EsgTarget *target, const EsgAddress *address, int64_t resolve_us)
{
	EsgReportObject *server = esg_report_add_server(&probe->report, ESG_OBJECT_SERVER, target->name,
													address->text);
	const EsgTarget *named = probe->judge.named ? probe->judge.named : target;
	EsgTlsQuestion question = {
		.address = (const struct sockaddr *) &address->address,
		.address_size = address->size,
		.host_name = named->is_address ? NULL : named->host,
		.time_limit = probe->options->time_limit,
		.direct = probe->options->direct,
		.cert = probe->identity.cert,
		.cert_chain = probe->identity.chain,
		.key = probe->identity.key
	};
	EsgTlsAnswer answer;

	(void) esg_tls_client_ask(&question, &answer);
	esg_probe_judge_words(&probe->judge, &answer, server);
	add_request(probe, &answer, server);
	add_steps(server, target->is_address ? -1 : resolve_us, &answer);
	say_end(probe, &answer, server);
	if (answer.chain != NULL)
		esg_probe_judge_chain(&probe->judge, target, address, &answer, &probe->report, server);
	esg_tls_client_forget(&answer);
}

static bool
ask_target(Probe *probe, const char *argument)
{
	EsgTarget	target;
	EsgAddresses *addresses;
	int			i;

	if (!esg_target_parse(argument, &target))
		return false;
	addresses = OPENSSL_malloc(sizeof(*addresses));
	if (addresses == NULL)
		return esg_message_error("out of memory");
	if (!esg_resolve_find(&target, probe->options->time_limit, addresses))
		esg_report_remark(esg_report_add_server(&probe->report, ESG_OBJECT_SERVER, target.name, ""),
						  ESG_STATUS_UNKNOWN, NULL, "could not find its address: %s", addresses->reason);
	for (i = 0; i < addresses->count; i++)
		ask_address(probe, &target, &addresses->items[i], addresses->took_us);
	OPENSSL_free(addresses);
	return true;
}

/* ---- options ---- */

enum
{
	OPTION_CA = 1, OPTION_NAME, OPTION_CERT, OPTION_KEY, OPTION_PASSPHRASE_FILE, OPTION_DIRECT,
	OPTION_TIMEOUT, OPTION_AT
};

static const struct option long_options[] = {
	{"ca", required_argument, NULL, OPTION_CA},
	{"name", required_argument, NULL, OPTION_NAME},
	{"cert", required_argument, NULL, OPTION_CERT},
	{"key", required_argument, NULL, OPTION_KEY},
	{"passphrase-file", required_argument, NULL, OPTION_PASSPHRASE_FILE},
	{"direct", no_argument, NULL, OPTION_DIRECT},
	{"timeout", required_argument, NULL, OPTION_TIMEOUT},
	{"at", required_argument, NULL, OPTION_AT},
	ESG_OUTPUT_LONG_OPTIONS,
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0}
};

static bool
parse_timeout(const char *value, Options *options)
{
	char	   *end;
	double		seconds = strtod(value, &end);

	if (value[0] < '0' || value[0] > '9' || *end != '\0' ||
		!(seconds >= 0.1 && seconds * 1000 <= MAX_TIME_LIMIT))
		return esg_message_error("invalid value \"%s\" of option --timeout: 0.1 to %d seconds are needed", value,
								 MAX_TIME_LIMIT / 1000);
	options->time_limit = (int) (seconds * 1000 + 0.5);
	return true;
}

/* False for what is none, or has a faulty value. */
static bool
take_option(int c, Options *options)
{
	switch (c)
	{
		case OPTION_CA:
			options->ca_file = optarg;
			return true;
		case OPTION_NAME:
			options->name = optarg;
			return true;
		case OPTION_CERT:
			options->cert_file = optarg;
			return true;
		case OPTION_KEY:
			options->key_file = optarg;
			return true;
		case OPTION_PASSPHRASE_FILE:
			options->passphrase_file = optarg;
			return true;
		case OPTION_DIRECT:
			options->direct = true;
			return true;
		case OPTION_TIMEOUT:
			return parse_timeout(optarg, options);
		case OPTION_AT:
			return esg_moment_parse(optarg, &options->at);
		default:
			return esg_output_option(c, optarg, &options->style) > 0;
	}
}

static int
fail_usage(void)
{
	fprintf(stderr, "Try \"ssl_guard_ctl probe --help\" for more information.\n");
	return ESG_STATUS_UNKNOWN;
}

/* -1, or the exit status */
static int
parse_options(int argc, char **argv, Options *options)
{
	int			c;

	if (!esg_options_check_long(argc, argv, long_options))
		return fail_usage();
	optind = 0;
	while ((c = getopt_long(argc, argv, "qVh", long_options, NULL)) != -1)
	{
		if (c == 'V')
			return esg_options_print_version();
		if (c == 'h')
			return esg_options_print_help(help);
		if (!take_option(c, options))
			return fail_usage();
	}
	if (optind == argc)
		esg_message_error("no server given: HOST[:PORT] is needed");
	else if (!options->cert_file && (options->key_file || options->passphrase_file))
		esg_message_error("options --key and --passphrase-file are for the certificate of --cert");
	else
		return -1;
	return fail_usage();
}

/* Before anything is asked: a typing error in the last one would cost all the waiting. */
static bool
check_targets(int argc, char **argv)
{
	EsgTarget	target;
	int			i;

	for (i = optind; i < argc; i++)
		if (!esg_target_parse(argv[i], &target))
			return false;
	return true;
}

static bool
load(Probe *probe)
{
	const Options *options = probe->options;

	if (!esg_probe_judge_start(options->ca_file, options->at, &probe->judge))
		return false;
	if (options->name != NULL && !esg_target_parse(options->name, &probe->named))
		return false;
	if (options->name != NULL)
		probe->judge.named = &probe->named;
	return options->cert_file == NULL ||
		esg_identity_load(options->cert_file, options->key_file, options->passphrase_file,
						  &probe->identity);
}

static int
probe_all(const Options *options, int argc, char **argv)
{
	Probe		probe = {.options = options};
	int			status = ESG_STATUS_UNKNOWN;
	bool		good;
	int			i;

	good = load(&probe);
	if (good)
	{
		esg_report_start(&probe.report, "probe", options->at);
		for (i = optind; i < argc; i++)
			good = ask_target(&probe, argv[i]) && good;
		status = esg_output_finish(&probe.report, &options->style);
	}
	esg_identity_free(&probe.identity);
	esg_probe_judge_free(&probe.judge);
	esg_secret_forget_stack();
	return good ? status : ESG_STATUS_UNKNOWN;
}

int
esg_probe_run(int argc, char **argv)
{
	Options		options = {.time_limit = DEFAULT_TIME_LIMIT,.at = esg_moment_now()};
	int			status = parse_options(argc, argv, &options);

	if (status >= 0)
		return status;
	if (!check_targets(argc, argv))
		return fail_usage();
	signal(SIGPIPE, SIG_IGN);
	if (options.cert_file)
		esg_memory_protect();
	return probe_all(&options, argc, argv);
}
