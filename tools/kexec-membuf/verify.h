/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of a payload before it is loaded: digests, signatures, keys
 */
#ifndef VERIFY_H
#define VERIFY_H

#include "boot_record.h"
#include "keyring.h"
#include "message.h"
#include "payload.h"
#include "policy.h"
#include "security.h"

#define IMA_XATTR	"security.ima"
#define IMA_XATTR_LEN	4096

/* The whole file by two algorithms, the part below an appended signature, a PE image */
#define DIGESTS_MAX	4

/**
 * enum sig_kind - the kinds of signatures
 * @SIG_IMA: in security.ima
 * @SIG_MODSIG: appended to the file
 * @SIG_PE: in a PE image
 */
enum sig_kind {
	SIG_IMA,
	SIG_MODSIG,
	SIG_PE
};

/**
 * struct signature - a signature of a file
 * @kind: its kind
 * @name: what it is called
 * @hash: its hash algorithm, or NULL
 * @links: the keys that would prove it, in the order that the kernel looks for them
 * @nr_links: how many there are
 * @why: why the kernel would refuse it whoever signed it, or ""
 * @unknown: why it cannot be told what the kernel makes of it, or ""
 */
struct signature {
	enum sig_kind kind;
	const char *name;
	const struct hash *hash;
	const struct link *links;
	size_t nr_links;
	char why[WHY_LEN];
	char unknown[WHY_LEN];
};

/**
 * struct file_facts - what is known of a file
 * @id: the file
 * @size: its size in bytes, 0 if it is not there
 * @broken: what is wrong with its content, or NULL
 * @uid: its owner
 * @gid: its group
 * @digests: digests of it, those of the whole file first
 * @nr_digests: how many there are
 * @nr_whole: how many are of the whole file
 * @whole: the range that is the whole file
 * @below_modsig: the range that is below an appended signature
 * @recorded: whether it has a recorded digest
 * @recorded_match: whether it is that of the file, if it was the file's
 * @xattr_buf: the content of security.ima
 * @xattr_len: its length, or -errno
 * @xattr: what it holds
 * @xattr_why: what is wrong with it, or NULL
 * @pe: where the parts of a PE image are
 * @modsig: the appended message
 * @modsig_buf: its bytes
 * @pe_msg: the message of a PE image
 * @pe_buf: its bytes
 * @ima_link: the key of a signature in security.ima
 * @sigs: the file's signatures
 * @nr_sigs: how many there are
 */
struct file_facts {
	enum kexec_stash_file_id id;
	u64 size;
	const char *broken;
	u64 uid;
	u64 gid;
	struct digest digests[DIGESTS_MAX];
	size_t nr_digests;
	size_t nr_whole;
	struct file_range whole;
	struct file_range below_modsig;
	enum answer recorded;
	enum answer recorded_match;
	u8 xattr_buf[IMA_XATTR_LEN];
	ssize_t xattr_len;
	struct ima_xattr xattr;
	const char *xattr_why;
	struct pe_image pe;
	struct message modsig;
	u8 *modsig_buf;
	struct message pe_msg;
	u8 *pe_buf;
	struct link ima_link;
	struct signature sigs[3];
	size_t nr_sigs;
};

/**
 * struct facts - what is known of a slot and of the running kernel
 * @slot: the slot
 * @payload: what its payload says of itself
 * @record: what was recorded of it at boot
 * @security: what the running kernel asks for
 * @keyrings: the running kernel's keys
 * @certs: the user's certificates
 * @file: the payload's files
 */
struct facts {
	struct slot slot;
	struct payload payload;
	struct boot_record record;
	struct security security;
	struct keyrings keyrings;
	struct certs certs;
	struct file_facts file[KEXEC_STASH_NR_FILES];
};

/**
 * facts_read() - find out all that a verdict is made of
 * @root: descriptor of the root directory; tests give another one
 * @stash: descriptor from stash_open()
 * @name: name of the slot
 * @facts: filled in but for @certs, to be freed with facts_free(), also on failure
 *
 * Return: true, or false after a message.
 */
bool facts_read(int root, int stash, const char *name, struct facts *facts);

/**
 * facts_free() - free what facts hold
 * @facts: the facts
 */
void facts_free(struct facts *facts);

/**
 * facts_signature() - find a signature of a file
 * @file: the file
 * @kind: its kind
 *
 * Return: the signature, or NULL if there is none of that kind.
 */
const struct signature *facts_signature(const struct file_facts *file, enum sig_kind kind);

/**
 * facts_digest() - find the digest of a whole file
 * @file: the file
 * @hash: the algorithm
 *
 * Return: the digest, or NULL if it was not needed.
 */
const struct digest *facts_digest(const struct file_facts *file, const struct hash *hash);

#endif /* VERIFY_H */
