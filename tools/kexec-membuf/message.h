/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PKCS#7 messages: who signed, and which keys the kernel may check it with
 */
#ifndef MESSAGE_H
#define MESSAGE_H

#include "cert.h"

#define WHY_LEN		256

/* checkpatch takes libcrypto's macro for a multiplication */
typedef STACK_OF(X509) x509_stack;

/* The longest chain of certificates that is followed */
#define LINKS_MAX	8

/**
 * struct link - a key that would prove a signature, if the kernel has it
 * @id: the key
 * @raw: what it must have signed: the file's digest, or a certificate nearer to that
 */
struct link {
	struct key_id id;
	struct raw_signature raw;
};

/**
 * struct message - a PKCS#7 message
 * @hash: how the file's digest is made, or NULL
 * @want: the digest that the message has for the file, if it says so itself
 * @want_len: length of @want, 0 if it does not
 * @links: in the order in which the kernel looks for their keys
 * @nr_links: how many there are
 * @cms: of an appended signature
 * @pkcs7: of a PE image
 * @certs: the certificates that it carries
 * @why: why the kernel would refuse it whoever signed it, or ""
 * @unknown: why this program cannot tell, or ""
 */
struct message {
	const struct hash *hash;
	u8 want[DIGEST_LEN];
	size_t want_len;
	struct link links[LINKS_MAX];
	size_t nr_links;
	struct CMS_ContentInfo_st *cms;
	struct pkcs7_st *pkcs7;
	x509_stack *certs;
	char why[WHY_LEN];
	char unknown[WHY_LEN];
};

/**
 * message_read_modsig() - read the message of an appended signature
 * @msg: filled in, to be freed with message_free(), also on failure
 * @buf: the message, which must stay
 * @len: its length in bytes
 *
 * Then message_check() completes it.
 */
void message_read_modsig(struct message *msg, const u8 *buf, size_t len);

/**
 * message_read_pe() - read the message of a PE image
 * @msg: filled in, to be freed with message_free(), also on failure
 * @buf: the message, which must stay
 * @len: its length in bytes
 *
 * Then message_check() completes it.
 */
void message_read_pe(struct message *msg, const u8 *buf, size_t len);

/**
 * message_check() - check a message in itself, and list the keys that would prove it
 * @msg: the message, without a @why
 * @digest: the file's digest, made with @msg->hash
 */
void message_check(struct message *msg, const struct digest *digest);

/**
 * message_free() - free what a message holds
 * @msg: the message
 */
void message_free(struct message *msg);

#endif /* MESSAGE_H */
