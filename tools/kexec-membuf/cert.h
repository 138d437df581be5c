/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Certificates that the user gives, and what can be checked with them
 */
#ifndef CERT_H
#define CERT_H

#include "digest.h"
#include "utils.h"

#include <openssl/x509.h>

#define KEY_ID_LEN	64

/**
 * struct key_id - how a key is named
 * @skid: its subject key identifier, or the end of it
 * @skid_len: how many bytes of it are known, 0 if none
 * @issuer: who issued its certificate, or NULL
 * @serial: the certificate's serial number, or NULL
 */
struct key_id {
	u8 skid[KEY_ID_LEN];
	size_t skid_len;
	const X509_NAME *issuer;
	const ASN1_INTEGER *serial;
};

/**
 * struct raw_signature - a signature without its packaging
 * @hash: how @digest was made
 * @digest: what is signed
 * @digest_len: length of @digest in bytes
 * @sig: the signature
 * @sig_len: length of @sig in bytes
 */
struct raw_signature {
	const struct hash *hash;
	u8 digest[DIGEST_LEN];
	unsigned int digest_len;
	const u8 *sig;
	size_t sig_len;
};

/**
 * struct cert - a certificate
 * @x509: what it says
 * @path: the file that it came from
 */
struct cert {
	X509 *x509;
	const char *path;
};

/**
 * struct certs - certificates
 * @cert: the certificates
 * @count: how many there are
 */
struct certs {
	struct cert *cert;
	size_t count;
};

/**
 * certs_load() - read a file of certificates
 * @certs: where they are added
 * @path: the file: one or more in PEM, or one in DER
 *
 * Return: true, or false after a message.
 */
bool certs_load(struct certs *certs, const char *path);

/**
 * certs_free() - free what certs_load() added
 * @certs: the certificates
 */
void certs_free(struct certs *certs);

/**
 * certs_find() - find the certificate of a key
 * @certs: the certificates
 * @id: the key
 *
 * Return: the certificate, or NULL.
 */
const struct cert *certs_find(const struct certs *certs, const struct key_id *id);

/**
 * key_id_same() - whether two names are of one key
 * @a: a name
 * @b: another
 *
 * Where of one only the end of its subject key identifier is known, that decides. Issuer and serial
 * number do where one of them has no such identifier.
 *
 * Return: true if they are.
 */
bool key_id_same(const struct key_id *a, const struct key_id *b);

/**
 * key_id_of_cert() - how a certificate's key is named
 * @id: filled in; its pointers lead into @x509
 * @x509: the certificate
 */
void key_id_of_cert(struct key_id *id, const X509 *x509);

/**
 * raw_signature_of_cert() - the signature of a certificate
 * @raw: filled in; its pointer leads into @x509. A @hash of NULL if it is of a kind that the kernel
 *	does not have
 * @x509: the certificate
 */
void raw_signature_of_cert(struct raw_signature *raw, X509 *x509);

/**
 * raw_signature_check() - check a signature, the way the kernel does
 * @raw: the signature
 * @x509: certificate of the key
 *
 * Return: whether it is a signature by that key; ANSWER_UNKNOWN if libcrypto cannot tell.
 */
enum answer raw_signature_check(const struct raw_signature *raw, X509 *x509);

#endif /* CERT_H */
