/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running kernel will say to a payload
 */
#ifndef JUDGE_H
#define JUDGE_H

#include "verify.h"

/**
 * struct opinion - what the kernel will say
 * @ok: whether it will take it
 * @why: why not, or why that cannot be told; ""
 * @todo: what to do about it; ""
 */
struct opinion {
	enum answer ok;
	char why[WHY_LEN];
	char todo[WHY_LEN];
};

/**
 * struct trust - what the kernel makes of a signature, with the keys of a keyring
 * @ok: whether it is good
 * @no_key: it is not, for want of the key
 * @why: why it is not good, or cannot be told to be; what it was checked with if it is
 */
struct trust {
	enum answer ok;
	bool no_key;
	char why[WHY_LEN];
};

/**
 * struct verdict - what the kernel will say to a payload
 * @opinion: to all of it
 * @about: name of the file that it is about, or NULL for the slot
 */
struct verdict {
	struct opinion opinion;
	const char *about;
};

/**
 * judge_signature() - what the kernel makes of a signature
 * @facts: what is known
 * @sig: the signature
 * @keyring: the keyring
 * @trust: filled in
 */
void judge_signature(const struct facts *facts, const struct signature *sig,
		     enum keyring_id keyring, struct trust *trust);

/**
 * judge_match() - whether a signature is that of the file's bytes, whatever keys the kernel has
 * @facts: what is known
 * @sig: the signature
 * @trust: filled in
 */
void judge_match(const struct facts *facts, const struct signature *sig, struct trust *trust);

/**
 * judge_rule() - the rule of IMA's policy that a file is under
 * @facts: what is known
 * @file: the file
 * @rule: filled in; of nothing, if there is no policy
 */
void judge_rule(const struct facts *facts, const struct file_facts *file, struct ima_rule *rule);

/**
 * judge_file() - what the kernel will say to a file
 * @facts: what is known
 * @file: the file
 * @opinion: filled in
 */
void judge_file(const struct facts *facts, const struct file_facts *file, struct opinion *opinion);

/**
 * judge_payload() - what the kernel will say to a payload
 * @facts: what is known
 * @verdict: filled in
 */
void judge_payload(const struct facts *facts, struct verdict *verdict);

#endif /* JUDGE_H */
