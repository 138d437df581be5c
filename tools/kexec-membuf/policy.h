/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IMA's policy: which rule decides over a file of the stash
 */
#ifndef POLICY_H
#define POLICY_H

#include "utils.h"

#include <linux/types.h>

#define RULE_LEN	256
#define CONDITION_LEN	64

/**
 * enum appraise_type - what an appraise rule asks for
 * @APPRAISE_NOTHING: nothing: no rule, or a rule that exempts the file
 * @APPRAISE_HASH: a digest or a signature in security.ima
 * @APPRAISE_IMASIG: a signature in security.ima
 * @APPRAISE_MODSIG: a signature in security.ima, or an appended one
 * @APPRAISE_SIGV3: a signature of version 3 in security.ima
 * @APPRAISE_VERITY: an fs-verity signature in security.ima
 */
enum appraise_type {
	APPRAISE_NOTHING,
	APPRAISE_HASH,
	APPRAISE_IMASIG,
	APPRAISE_MODSIG,
	APPRAISE_SIGV3,
	APPRAISE_VERITY
};

/**
 * struct ima_file - what rules may ask of a file of the stash, and of who loads it
 * @func: "KEXEC_KERNEL_CHECK" or "KEXEC_INITRAMFS_CHECK"
 * @uid: user who loads
 * @gid: group who loads
 * @fowner: owner of the file
 * @fgroup: group of the file
 */
struct ima_file {
	const char *func;
	u64 uid;
	u64 gid;
	u64 fowner;
	u64 fgroup;
};

/**
 * struct ima_rule - the rule that decides
 * @type: what it asks for
 * @by_func: it is for this hook, not for files at large
 * @text: the rule, "" if there is none
 * @algos: the hash algorithms that it allows, separated by commas, or ""
 * @condition: a condition of this rule, or of one before it, that this program does not know, or ""
 */
struct ima_rule {
	enum appraise_type type;
	bool by_func;
	char text[RULE_LEN];
	char algos[RULE_LEN];
	char condition[CONDITION_LEN];
};

/**
 * policy_find_rule() - find the rule that decides whether a file is appraised
 * @policy: the policy, as /sys/kernel/security/ima/policy shows it
 * @file: the file
 * @rule: filled in
 */
void policy_find_rule(const char *policy, const struct ima_file *file, struct ima_rule *rule);

/**
 * policy_asks_kernel_signature() - whether kernels need a signature by IMA's policy
 * @policy: the policy
 *
 * Where that is so, lockdown leaves kernels to IMA. As the kernel does it, conditions other than
 * func= do not matter here.
 *
 * Return: true if they do.
 */
bool policy_asks_kernel_signature(const char *policy);

/**
 * policy_allows_hash() - whether a rule takes a hash algorithm
 * @rule: the rule
 * @name: the algorithm
 *
 * Return: true if it does.
 */
bool policy_allows_hash(const struct ima_rule *rule, const char *name);

#endif /* POLICY_H */
