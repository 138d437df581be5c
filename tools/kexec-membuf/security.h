/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the running kernel asks of a kexec image: lockdown, KEXEC_SIG, IMA, EVM, sysctls
 */
#ifndef SECURITY_H
#define SECURITY_H

#include "utils.h"

/**
 * enum ima_mode - what IMA does with a file that it finds fault with
 * @IMA_MODE_ENFORCE: it refuses it
 * @IMA_MODE_LOG: it says so in the log
 * @IMA_MODE_FIX: it writes what it expects into security.ima
 * @IMA_MODE_OFF: it does not look
 */
enum ima_mode {
	IMA_MODE_ENFORCE,
	IMA_MODE_LOG,
	IMA_MODE_FIX,
	IMA_MODE_OFF
};

/**
 * struct security - what the running kernel asks for
 * @load_disabled: kexec_load_disabled is set
 * @lockdown: the kernel is locked down
 * @lockdown_mode: "none", "integrity", "confidentiality", or why it cannot be told
 * @kexec_sig: the kernel checks signatures of images
 * @kexec_sig_forced: and refuses those that have none
 * @pe_signatures: it knows those of PE images
 * @config_from: where its configuration was read, or NULL
 * @policy: IMA's policy, or NULL
 * @policy_why: why there is none, or NULL
 * @ima: whether the kernel appraises files
 * @ima_mode: what it does with those that it finds fault with
 * @evm: EVM guards extended attributes
 */
struct security {
	bool load_disabled;
	enum answer lockdown;
	char lockdown_mode[64];
	enum answer kexec_sig;
	enum answer kexec_sig_forced;
	enum answer pe_signatures;
	char *config_from;
	char *policy;
	const char *policy_why;
	enum answer ima;
	enum ima_mode ima_mode;
	enum answer evm;
};

/**
 * security_read() - find out what the running kernel asks for
 * @root: descriptor of the root directory; tests give another one
 * @security: filled in, to be freed with security_free()
 */
void security_read(int root, struct security *security);

/**
 * security_free() - free what security_read() filled in
 * @security: what the running kernel asks for
 */
void security_free(struct security *security);

#endif /* SECURITY_H */
