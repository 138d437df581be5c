/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the errors of kexec_file_load() mean, and what to do
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include "slot.h"

/**
 * explain_reason() - why a call failed, where the kernel logged no reason of its own
 * @err: the error, a positive errno
 *
 * Return: half a sentence: "kernel: is not an arm64 Image".
 */
const char *explain_reason(int err);

/**
 * explain_advice() - what to do about it
 * @root: descriptor of the root directory, where sysctls and capabilities are looked up
 * @err: the error, a positive errno
 *
 * Return: half a sentence: "stage an uncompressed arm64 Image"; NULL where only the reason tells.
 */
const char *explain_advice(int root, int err);

/**
 * struct refusal - why the kernel refused a slot
 * @why: the kernel's own reason, or what the error means; with the error's name
 * @todo: what to do about it, or NULL
 */
struct refusal {
	char why[SLOT_REASON_LEN + 32];
	const char *todo;
};

/**
 * refusal_read() - find out why the kernel refused a slot
 * @root: descriptor of the root directory, where sysctls and capabilities are looked up
 * @stash: descriptor from stash_open()
 * @slot: the slot's name
 * @err: the error, a positive errno
 * @refusal: filled in
 */
void refusal_read(int root, int stash, const char *slot, int err, struct refusal *refusal);

/**
 * refusal_tell() - say on standard error why the kernel refused a slot
 * @root: as refusal_read() has it
 * @stash: descriptor from stash_open()
 * @slot: the slot's name
 * @err: the error, a positive errno
 */
void refusal_tell(int root, int stash, const char *slot, int err);

#endif /* EXPLAIN_H */
