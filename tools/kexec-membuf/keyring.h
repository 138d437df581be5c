/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's keys, as far as it shows them: /proc/keys, and which keyring holds which
 */
#ifndef KEYRING_H
#define KEYRING_H

#include "cert.h"

/**
 * enum keyring_id - the kernel's keyrings that a kexec image may be checked with
 * @KEYRING_IMA: ".ima"
 * @KEYRING_BUILTIN: ".builtin_trusted_keys"
 * @KEYRING_SECONDARY: ".secondary_trusted_keys", which has the one before in it
 * @KEYRING_MACHINE: ".machine"
 * @KEYRING_PLATFORM: ".platform"
 * @NR_KEYRINGS: how many there are
 */
enum keyring_id {
	KEYRING_IMA,
	KEYRING_BUILTIN,
	KEYRING_SECONDARY,
	KEYRING_MACHINE,
	KEYRING_PLATFORM,
	NR_KEYRINGS
};

/**
 * struct kernel_key - one of the kernel's keys
 * @serial: its serial number
 * @id: its subject key identifier, or the last four bytes of it
 * @usable: it is not revoked, expired, or otherwise gone
 * @ecdsa: it is no RSA key
 * @keyrings: those that hold it, a bit each
 */
struct kernel_key {
	u32 serial;
	struct key_id id;
	bool usable;
	bool ecdsa;
	unsigned int keyrings;
};

/**
 * struct keyrings - the kernel's keys
 * @keys: the asymmetric ones
 * @nr_keys: how many there are
 * @blacklist: digests that the kernel refuses, lines of "bin:<digest in hexadecimal>"
 * @exists: whether there is a keyring
 * @why: why it cannot be told what a keyring holds, or NULL
 */
struct keyrings {
	struct kernel_key *keys;
	size_t nr_keys;
	char *blacklist;
	enum answer exists[NR_KEYRINGS];
	const char *why[NR_KEYRINGS];
};

/**
 * keyring_name() - the kernel's name of a keyring
 * @id: the keyring
 *
 * Return: the name.
 */
const char *keyring_name(enum keyring_id id);

/**
 * keyrings_read() - read which keys the kernel has
 * @root: descriptor of the root directory; tests give another one
 * @keyrings: filled in, to be freed with keyrings_free(). What cannot be read has its reason there
 */
void keyrings_read(int root, struct keyrings *keyrings);

/**
 * keyrings_free() - free what keyrings_read() filled in
 * @keyrings: the keys
 */
void keyrings_free(struct keyrings *keyrings);

/**
 * keyrings_find() - find a key in a keyring
 * @keyrings: the kernel's keys
 * @keyring: the keyring
 * @id: the key; its subject key identifier is looked for
 * @key: set to the key, or NULL
 *
 * Return: whether the keyring holds it.
 */
enum answer keyrings_find(const struct keyrings *keyrings, enum keyring_id keyring,
			  const struct key_id *id, const struct kernel_key **key);

/**
 * keyrings_refuse() - whether the kernel refuses a digest, whoever signed it
 * @keyrings: the kernel's keys
 * @digest: the digest
 * @len: its length in bytes
 *
 * Return: true if it is on the kernel's list of those.
 */
bool keyrings_refuse(const struct keyrings *keyrings, const u8 *digest, size_t len);

/**
 * kernel_key_check() - have the kernel check a signature with one of its keys
 * @key: the key
 * @raw: the signature
 *
 * The kernel does so only for those who may search the key, which even root may not as a rule.
 *
 * Return: whether it is a signature by that key; ANSWER_UNKNOWN if the kernel does not say.
 */
enum answer kernel_key_check(const struct kernel_key *key, const struct raw_signature *raw);

#endif /* KEYRING_H */
