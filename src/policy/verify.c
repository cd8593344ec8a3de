/*
 * policy/verify.c
 *		What OpenSSL itself says of a chain as the server sends it.
 *
 * The whole path is verified, past each fault, so that a fault with a finding of
 * its own does not hide another behind it.
 */
#include "policy/verify.h"

#include <stddef.h>

#include <openssl/err.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

/* Other findings say these: of the leaf, or of any certificate. */
static bool
has_own_finding(int error, int depth)
{
	switch (error)
	{
		case X509_V_ERR_INVALID_PURPOSE:
			return depth == 0;	/* wrong_purpose */
		case X509_V_ERR_CERT_SIGNATURE_FAILURE: /* bad_signature */
		case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
		case X509_V_ERR_INVALID_EXTENSION:	/* malformed_extension */
		case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY: /* unusable_key */
			return true;
		default:
			return false;
	}
}

/* Keeps the first fault, and goes on. */
static int
note_fault(int good, X509_STORE_CTX *context)
{
	EsgChainFault *fault = X509_STORE_CTX_get_app_data(context);
	int			error = X509_STORE_CTX_get_error(context);
	int			depth = X509_STORE_CTX_get_error_depth(context);

	if (!good && fault->error == X509_V_OK && !has_own_finding(error, depth))
	{
		fault->error = error;
		fault->depth = depth;
	}
	return 1;
}

static bool
set_up(X509_STORE_CTX *context, X509_STORE *store, X509 *leaf, STACK_OF(X509) *others,
	   EsgChainFault *fault)
{
	X509_VERIFY_PARAM *param;

	if (X509_STORE_CTX_init(context, store, leaf, others) != 1)
		return false;
	X509_STORE_CTX_set_app_data(context, fault);
	X509_STORE_CTX_set_verify_cb(context, note_fault);
	param = X509_STORE_CTX_get0_param(context);
	X509_VERIFY_PARAM_set_auth_level(param, 0);
	return X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN |
									   X509_V_FLAG_NO_CHECK_TIME) == 1 &&
		X509_VERIFY_PARAM_set_purpose(param, X509_PURPOSE_SSL_SERVER) == 1;
}

/*
 * Unless it is a root, clients have another certificate above the top, and of
 * one in between OpenSSL wants basicConstraints; of the last it does not.
 */
static bool
is_unfit_between(X509 *top)
{
	return X509_check_ca(top) != 1 &&
		X509_NAME_cmp(X509_get_subject_name(top), X509_get_issuer_name(top)) != 0;
}

bool
esg_policy_verify_path(X509 *const *path, int count, EsgChainFault *out)
{
	X509_STORE *store = X509_STORE_new();
	X509_STORE_CTX *context = X509_STORE_CTX_new();
	STACK_OF(X509) *others = sk_X509_new_null();
	bool		good = store != NULL && context != NULL && others != NULL;
	int			i;

	out->error = X509_V_OK;
	out->depth = 0;
	for (i = 1; good && i < count; i++)
		good = sk_X509_push(others, path[i]) > 0;
	good = good && X509_STORE_add_cert(store, path[count - 1]) == 1 &&
		set_up(context, store, path[0], others, out);
	if (good && X509_verify_cert(context) < 0 && out->error == X509_V_OK)
		out->error = X509_STORE_CTX_get_error(context);
	if (good && out->error == X509_V_OK && count > 1 && is_unfit_between(path[count - 1]))
	{
		out->error = X509_V_ERR_INVALID_CA;
		out->depth = count - 1;
	}
	X509_STORE_CTX_free(context);
	X509_STORE_free(store);
	sk_X509_free(others);
	ERR_clear_error();
	return good;
}
