/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the errors of kexec_file_load() mean, and what to do
 */
#ifndef EXPLAIN_H
#define EXPLAIN_H

#include <linux/types.h>

/**
 * explain_reason() - why a call failed, where the kernel logged no reason of its own
 * @err: the error, a positive errno
 *
 * Return: half a sentence: "kernel: is not an arm64 Image".
 */
const char *explain_reason(int err);

/**
 * explain_outside() - what to do about an error that has nothing to do with a slot
 * @root: descriptor of the root directory
 * @err: the error, a positive errno
 *
 * Return: as explain_advice()'s; NULL where it may have to do with one.
 */
const char *explain_outside(int root, int err);

/**
 * explain_advice() - what to do about it
 * @root: descriptor of the root directory, where sysctls and capabilities are looked up
 * @err: the error, a positive errno
 *
 * Return: half a sentence: "stage an uncompressed arm64 Image"; NULL where only the reason tells.
 */
const char *explain_advice(int root, int err);

#endif /* EXPLAIN_H */
