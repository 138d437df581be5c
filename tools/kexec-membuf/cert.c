// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Certificates that the user gives, and what can be checked with them
 */

#include "cert.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void add(struct certs *certs, X509 *x509, const char *path)
{
	struct cert *cert = xmalloc((certs->count + 1) * sizeof(*cert));

	if (certs->count)
		memcpy(cert, certs->cert, certs->count * sizeof(*cert));
	cert[certs->count].x509 = x509;
	cert[certs->count].path = path;
	free(certs->cert);
	certs->cert = cert;
	certs->count++;
}

bool certs_load(struct certs *certs, const char *path)
{
	size_t before = certs->count;
	BIO *bio = BIO_new_file(path, "r");
	X509 *x509;

	if (!bio) {
		error_msg("certificate '%s': cannot be opened: %s", path, strerror(errno));
		return false;
	}
	while ((x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL)))
		add(certs, x509, path);
	if (certs->count == before && BIO_reset(bio) == 0) {
		x509 = d2i_X509_bio(bio, NULL);
		if (x509)
			add(certs, x509, path);
	}
	BIO_free(bio);
	ERR_clear_error();
	if (certs->count > before)
		return true;
	error_msg("certificate '%s': is no X.509 certificate; give one in PEM or DER", path);
	return false;
}

void certs_free(struct certs *certs)
{
	while (certs->count)
		X509_free(certs->cert[--certs->count].x509);
	free(certs->cert);
	certs->cert = NULL;
}

void key_id_of_cert(struct key_id *id, const X509 *x509)
{
	const ASN1_OCTET_STRING *skid = X509_get0_subject_key_id((X509 *)x509);

	memset(id, 0, sizeof(*id));
	id->issuer = X509_get_issuer_name(x509);
	id->serial = X509_get0_serialNumber(x509);
	if (skid && ASN1_STRING_length(skid) <= KEY_ID_LEN) {
		id->skid_len = ASN1_STRING_length(skid);
		memcpy(id->skid, ASN1_STRING_get0_data(skid), id->skid_len);
	}
}

bool key_id_same(const struct key_id *a, const struct key_id *b)
{
	size_t len = a->skid_len < b->skid_len ? a->skid_len : b->skid_len;

	if (len)
		return !memcmp(a->skid + a->skid_len - len, b->skid + b->skid_len - len, len);
	return a->issuer && a->serial && b->issuer && b->serial &&
	       !X509_NAME_cmp(a->issuer, b->issuer) && !ASN1_INTEGER_cmp(a->serial, b->serial);
}

const struct cert *certs_find(const struct certs *certs, const struct key_id *id)
{
	struct key_id other;
	size_t i;

	for (i = 0; i < certs->count; i++) {
		key_id_of_cert(&other, certs->cert[i].x509);
		if (key_id_same(id, &other))
			return &certs->cert[i];
	}
	return NULL;
}

void raw_signature_of_cert(struct raw_signature *raw, X509 *x509)
{
	const ASN1_BIT_STRING *sig;
	const X509_ALGOR *algo;
	unsigned char *tbs = NULL;
	int md, len;

	memset(raw, 0, sizeof(*raw));
	X509_get0_signature(&sig, &algo, x509);
	if (!OBJ_find_sigid_algs(X509_get_signature_nid(x509), &md, NULL))
		return;
	len = i2d_re_X509_tbs(x509, &tbs);
	raw->hash = hash_by_nid(md);
	if (len < 0 || !raw->hash)
		return;
	raw->digest_len = hash_bytes(raw->hash, tbs, len, raw->digest);
	OPENSSL_free(tbs);
	raw->sig = sig->data;
	raw->sig_len = sig->length;
}

enum answer raw_signature_check(const struct raw_signature *raw, X509 *x509)
{
	EVP_PKEY *key = X509_get0_pubkey(x509);
	enum answer answer = ANSWER_UNKNOWN;
	EVP_PKEY_CTX *ctx = NULL;
	EVP_MD *md = NULL;

	if (!key || !raw->hash || !raw->digest_len || !raw->hash->openssl)
		return ANSWER_UNKNOWN;
	md = EVP_MD_fetch(NULL, raw->hash->openssl, NULL);
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	if (!md || !ctx || EVP_PKEY_verify_init(ctx) <= 0)
		goto out;
	if (EVP_PKEY_is_a(key, "RSA") &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) <= 0)
		goto out;
	if (EVP_PKEY_CTX_set_signature_md(ctx, md) <= 0)
		goto out;
	/* What is no signature at all is an error to libcrypto */
	if (EVP_PKEY_verify(ctx, raw->sig, raw->sig_len, raw->digest, raw->digest_len) == 1)
		answer = ANSWER_YES;
	else
		answer = ANSWER_NO;
out:
	ERR_clear_error();
	EVP_PKEY_CTX_free(ctx);
	EVP_MD_free(md);
	return answer;
}
