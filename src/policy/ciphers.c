/*
 * policy/ciphers.c
 *		What is wrong with a cipher suite.
 *
 * Told by its parts, never by its name.
 */
#include "policy/ciphers.h"

#include <stddef.h>
#include <string.h>

#include <openssl/objects.h>

#define MAX_EXPORT_BITS 56

static const char *const fault_names[ESG_CIPHER_FAULT_COUNT] = {
	"no encryption", "no authentication", "export strength", "RC4", "3DES", "no forward secrecy"
};

/* The keys of a session are made for it alone. */
static bool
has_forward_secrecy(int key_exchange)
{
	static const int ephemeral[] = {NID_kx_ecdhe, NID_kx_dhe, NID_kx_ecdhe_psk, NID_kx_dhe_psk, NID_kx_srp, NID_kx_any};

	for (size_t i = 0; i < sizeof(ephemeral) / sizeof(ephemeral[0]); i++)
	{
		if (key_exchange == ephemeral[i])
			return true;
	}
	return false;
}

static EsgCipherAuth
key_of(int authentication)
{
	switch (authentication)
	{
		case NID_auth_any:
		case NID_auth_null:
			return ESG_CIPHER_ANY_KEY;
		case NID_auth_rsa:
			return ESG_CIPHER_RSA;
		case NID_auth_ecdsa:
			return ESG_CIPHER_ECDSA;
		default:
			return ESG_CIPHER_OTHER_KEY;
	}
}

void
esg_ciphers_judge(const EsgCipherParts *parts, EsgCipher *out)
{
	out->auth = key_of(parts->authentication);
	out->tls13 = parts->key_exchange == NID_kx_any;
	out->faults = 0;
	if (parts->encryption == NID_undef)
		out->faults |= ESG_CIPHER_NO_ENCRYPTION;
	else if (parts->bits <= MAX_EXPORT_BITS)
		out->faults |= ESG_CIPHER_EXPORT;
	if (parts->authentication == NID_auth_null)
		out->faults |= ESG_CIPHER_NO_AUTHENTICATION;
	if (parts->encryption == NID_rc4)
		out->faults |= ESG_CIPHER_RC4;
	if (parts->encryption == NID_des_ede3_cbc)
		out->faults |= ESG_CIPHER_3DES;
	if (!has_forward_secrecy(parts->key_exchange))
		out->faults |= ESG_CIPHER_NO_FORWARD_SECRECY;
}

void
esg_ciphers_read(const SSL_CIPHER *cipher, EsgCipher *out)
{
	EsgCipherParts parts = {
		.key_exchange = SSL_CIPHER_get_kx_nid(cipher),
		.authentication = SSL_CIPHER_get_auth_nid(cipher),
		.encryption = SSL_CIPHER_get_cipher_nid(cipher),
		.bits = SSL_CIPHER_get_bits(cipher, NULL)
	};

	memset(out, 0, sizeof(*out));
	out->name = SSL_CIPHER_get_name(cipher);
	esg_ciphers_judge(&parts, out);
}

const char *
esg_ciphers_fault_name(int n)
{
	return n >= 0 && n < ESG_CIPHER_FAULT_COUNT ? fault_names[n] : "";
}
