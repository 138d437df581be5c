// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * PKCS#7 messages that fuzzing starts from, see seeds.h
 */

#include <stdio.h>
#include <stdlib.h>

#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/pkcs7.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>

#include "seeds.h"

static void must(bool done)
{
	if (done)
		return;
	fprintf(stderr, "seed: libcrypto failed\n");
	exit(1);
}

static void add_extension(X509 *x509, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, x509, x509, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	must(ext && X509_add_ext(x509, ext, -1));
	X509_EXTENSION_free(ext);
}

/* Signed by its own key, but issued by another name: with a chain to follow */
static X509 *make_cert(EVP_PKEY *key)
{
	X509 *x509 = X509_new();
	X509_NAME *name = X509_get_subject_name(x509);

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), 4711);
	X509_gmtime_adj(X509_getm_notBefore(x509), 0);
	X509_gmtime_adj(X509_getm_notAfter(x509), 1000000);
	must(X509_set_pubkey(x509, key));
	must(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const u8 *)"seed", -1, -1, 0));
	must(X509_set_issuer_name(x509, name));
	add_extension(x509, NID_subject_key_identifier, "hash");
	add_extension(x509, NID_authority_key_identifier, "keyid");
	must(X509_sign(x509, key, EVP_sha256()));
	return x509;
}

void *modsig_seed(size_t *size)
{
	EVP_PKEY *key = EVP_RSA_gen(1024);
	X509 *x509 = make_cert(key);
	BIO *data = BIO_new_mem_buf("seed", 4);
	u8 *der = NULL;
	CMS_ContentInfo *cms;

	cms = CMS_sign(x509, key, NULL, data, CMS_DETACHED | CMS_BINARY | CMS_NOATTR);
	must(cms);
	*size = i2d_CMS_ContentInfo(cms, &der);
	CMS_ContentInfo_free(cms);
	BIO_free(data);
	X509_free(x509);
	EVP_PKEY_free(key);
	return der;
}

/* SEQUENCE { SEQUENCE { OBJECT }, SEQUENCE { SEQUENCE { sha256, NULL }, OCTET STRING } } */
static const u8 indirect_data[] = {
	0x30, 0x41, 0x30, 0x0c, 0x06, 0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x01,
	0x0f, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
	0x01, 0x05, 0x00, 0x04, 0x20, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
	18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31
};

static void set_content(PKCS7 *p7)
{
	PKCS7 *content = PKCS7_new();
	ASN1_STRING *str = ASN1_STRING_new();
	ASN1_TYPE *other = ASN1_TYPE_new();

	must(ASN1_STRING_set(str, indirect_data, sizeof(indirect_data)));
	ASN1_TYPE_set(other, V_ASN1_SEQUENCE, str);
	content->type = OBJ_txt2obj("1.3.6.1.4.1.311.2.1.4", 1);
	content->d.other = other;
	must(PKCS7_set_content(p7, content));
}

void *authenticode_seed(size_t *size)
{
	EVP_PKEY *key = EVP_RSA_gen(1024);
	X509 *x509 = make_cert(key);
	PKCS7 *p7 = PKCS7_new();
	u8 *der = NULL;
	BIO *bio;

	must(PKCS7_set_type(p7, NID_pkcs7_signed));
	must(PKCS7_sign_add_signer(p7, x509, key, EVP_sha256(), PKCS7_BINARY));
	must(PKCS7_content_new(p7, NID_pkcs7_data));
	bio = PKCS7_dataInit(p7, NULL);
	/* What is signed is the sequence's content */
	must(bio && BIO_write(bio, indirect_data + 2, sizeof(indirect_data) - 2) > 0);
	must(PKCS7_dataFinal(p7, bio));
	set_content(p7);
	*size = i2d_PKCS7(p7, &der);
	BIO_free_all(bio);
	PKCS7_free(p7);
	X509_free(x509);
	EVP_PKEY_free(key);
	return der;
}
