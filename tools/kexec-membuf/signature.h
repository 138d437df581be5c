/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What could prove a payload's file: told, not judged, which is the kernel's to do
 */
#ifndef SIGNATURE_H
#define SIGNATURE_H

#include "slot.h"

/* As much of a PE image's start as has the header that is looked for */
#define PE_HEAD_LEN	4096

/* The end of a key's identifier in hexadecimal, the NUL included */
#define KEY_ID_LEN	9

/**
 * struct signatures - what could prove a payload's file
 * @recorded: algorithm of the digest that was recorded at boot, or NULL
 * @ima: what security.ima holds, or NULL
 * @key: whose signature that is, "" if it is none
 * @key_known: there is such a key in /proc/keys
 * @appended: a signature is appended to the file
 * @pe: the file is a PE image with a signature
 */
struct signatures {
	const char *recorded;
	const char *ima;
	char key[KEY_ID_LEN];
	bool key_known;
	bool appended;
	bool pe;
};

/**
 * signatures_read() - look for what could prove the files of a slot
 * @root: descriptor of the root directory; tests give another one
 * @stash: descriptor from stash_open()
 * @slot: the slot
 * @sigs: filled in, KEXEC_STASH_NR_FILES of them; all zero for a file that is not there
 *
 * What cannot be read is not there.
 */
void signatures_read(int root, int stash, const struct slot *slot, struct signatures *sigs);

/**
 * signature_ima() - find out what security.ima holds
 * @buf: its content, which is not trusted
 * @len: how many bytes there are
 * @sigs: @ima and @key are filled in
 */
void signature_ima(const u8 *buf, size_t len, struct signatures *sigs);

/**
 * signature_pe() - find out whether a PE image has a signature
 * @head: the file's first bytes, which are not trusted
 * @len: how many there are; PE_HEAD_LEN are enough
 *
 * Return: true if it has one; false for what is no PE image.
 */
bool signature_pe(const u8 *head, size_t len);

#endif /* SIGNATURE_H */
