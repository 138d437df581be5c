/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The loaded image, as /sys/kernel/kexec shows it
 */
#ifndef KEXEC_STATE_H
#define KEXEC_STATE_H

#include <linux/types.h>

/**
 * kexec_is_loaded() - whether an image is loaded
 * @root: descriptor of the root directory; tests give another one
 * @loaded: set
 *
 * Return: true, or false after a message.
 */
bool kexec_is_loaded(int root, bool *loaded);

/**
 * kexec_copy_bytes() - how many bytes will be copied when the loaded image is started
 * @root: descriptor of the root directory; tests give another one
 * @bytes: set; counted by the kernel from the image's own entry list
 *
 * Return: true, or false after a message.
 */
bool kexec_copy_bytes(int root, u64 *bytes);

#endif /* KEXEC_STATE_H */
