/*
 * login/peer.c
 *		What a login shows: its connection, and its client's certificate.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_authid.h"
#include "libpq/hba.h"
#include "miscadmin.h"
#include "utils/syscache.h"

#include "compat.h"
#include "login/peer.h"
#include "x509/errors.h"

X509 *
esg_login_peer_cert(void)
{
	/* background workers have no Port */
	if (MyProcPort == NULL || !MyProcPort->ssl_in_use)
		return NULL;
	return MyProcPort->peer;
}

static bool
is_gss_encrypted(Port *port)
{
#ifdef ENABLE_GSS
	return be_gssapi_get_enc(port);
#else
	return false;
#endif
}

void
esg_login_peer_read(Port *port, EsgPeer *out)
{
	memset(out, 0, sizeof(*out));
	out->role_name = port->user_name;
	out->method = port->hba != NULL ? hba_authname(port->hba->auth_method) : "";
	out->host = port->remote_host ? port->remote_host : "";
	out->address = &port->raddr;
	out->local = port->raddr.addr.ss_family == AF_UNIX;
	/* core stores clientcert=verify-full for the method cert, too */
	out->line_wants_certificate = port->hba != NULL &&
		port->hba->clientcert != clientCertOff;
	out->line_takes_both = port->hba != NULL && port->hba->conntype == ctHost;
	out->plaintext = !out->local && !port->ssl_in_use && !is_gss_encrypted(port);
	if (!port->ssl_in_use || port->ssl == NULL)
		return;
	out->tls = true;
	out->ssl = port->ssl;
	out->tls_version = SSL_version(port->ssl);
	out->cert = port->peer;
	if (out->cert != NULL)
		out->chain = SSL_get0_verified_chain(port->ssl);
	out->has_fingerprint = out->cert != NULL &&
		esg_x509_info_fingerprint(out->cert, out->fingerprint);
	out->has_anchor = out->chain != NULL && sk_X509_num(out->chain) > 0 &&
		esg_x509_info_sha1(sk_X509_value(out->chain, sk_X509_num(out->chain) - 1), out->anchor);
	esg_errors_forget();
}

EsgTransport
esg_login_peer_transport(const EsgPeer *peer)
{
	if (peer->tls)
		return ESG_TRANSPORT_TLS;
	return peer->plaintext ? ESG_TRANSPORT_PLAIN : ESG_TRANSPORT_GSS;
}

const char *
esg_login_peer_transport_name(EsgTransport transport)
{
	switch (transport)
	{
		case ESG_TRANSPORT_TLS:
			return "tls";
		case ESG_TRANSPORT_GSS:
			return "gss";
		default:
			return "plain";
	}
}

bool
esg_login_peer_may_log_in(const EsgPeer *peer)
{
	HeapTuple	tuple = SearchSysCache1(AUTHNAME, CStringGetDatum(peer->role_name));
	bool		may;

	if (!HeapTupleIsValid(tuple))
		return false;
	may = ((Form_pg_authid) GETSTRUCT(tuple))->rolcanlogin;
	ReleaseSysCache(tuple);
	return may;
}

void
esg_login_peer_add_pair(EsgRefusal *refusal, const char *key, const char *printable)
{
	esg_alarm_text_append_pair(refusal->pairs, sizeof(refusal->pairs), key, printable);
}

void
esg_login_peer_add_bytes(EsgRefusal *refusal, const char *key, const char *value)
{
	char	   *printable = esg_report_printable(value);

	esg_login_peer_add_pair(refusal, key, printable);
	pfree(printable);
}

void
esg_login_peer_begin_refusal(const EsgPeer *peer, EsgCode code, EsgRefusal *out)
{
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	memset(out, 0, sizeof(*out));
	out->code = code;
	esg_login_peer_add_bytes(out, "role", peer->role_name);
	esg_login_peer_add_bytes(out, "host", peer->host);
	if (!peer->has_fingerprint)
		return;
	esg_x509_info_fingerprint_text(peer->fingerprint, text);
	esg_login_peer_add_pair(out, "fingerprint", text);
}

void
esg_login_peer_object(const EsgPeer *peer, char *buf)
{
	char	   *role = esg_report_printable(peer->role_name);
	char		text[ESG_FINGERPRINT_TEXT_SIZE];

	strlcpy(text, peer->cert != NULL ? "unknown certificate" : "no certificate", sizeof(text));
	if (peer->has_fingerprint)
		esg_x509_info_fingerprint_text(peer->fingerprint, text);
	snprintf(buf, ESG_OBJECT_SIZE, "role %s, %s", esg_report_quoted(role), text);
	pfree(role);
}
