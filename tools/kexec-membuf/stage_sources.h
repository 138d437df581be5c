/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be staged: opened and looked at as far as it can be before a slot is changed
 */
#ifndef STAGE_SOURCES_H
#define STAGE_SOURCES_H

#include "fit.h"
#include "kernel_source.h"
#include "slot.h"

/**
 * struct stage_sources - what is to be staged
 * @slot: the slot
 * @src: where the files come from; not open for those that are not given
 * @whole: the FIT's file
 * @fit: what is in the FIT
 * @kernel: the kernel
 * @dtb: the whole dtb, or NULL
 * @dtb_size: its size in bytes
 */
struct stage_sources {
	const struct slot *slot;
	struct source src[KEXEC_STASH_NR_FILES];
	struct source whole;
	struct fit fit;
	struct kernel_source kernel;
	u8 *dtb;
	size_t dtb_size;
};

/**
 * stage_sources_open() - open files, and check them
 * @sources: filled in, to be closed with stage_sources_close() also on failure
 * @stash: descriptor from stash_open()
 * @slot: the slot; stays the caller's
 * @paths: the files, "-" for standard input, NULL for those that are not given
 *
 * Return: true, or false after a message.
 */
bool stage_sources_open(struct stage_sources *sources, int stash, const struct slot *slot,
			const char * const *paths);

/**
 * stage_sources_open_fit() - open a FIT, and check it
 * @sources: filled in, to be closed with stage_sources_close() also on failure
 * @stash: descriptor from stash_open()
 * @slot: the slot; stays the caller's
 * @path: the FIT
 * @conf: name of the configuration, NULL for the FIT's default
 *
 * Return: true, or false after a message.
 */
bool stage_sources_open_fit(struct stage_sources *sources, int stash, const struct slot *slot,
			    const char *path, const char *conf);

/**
 * stage_sources_room() - how long a file may be
 * @sources: what is to be staged
 * @id: the file
 * @kernel_size: size of the kernel, 0 if it is not known yet
 *
 * Return: room for it, in bytes.
 */
u64 stage_sources_room(const struct stage_sources *sources, enum kexec_stash_file_id id,
		       u64 kernel_size);

/**
 * stage_sources_close() - close what was opened
 * @sources: what is to be staged, or all zero
 */
void stage_sources_close(struct stage_sources *sources);

#endif /* STAGE_SOURCES_H */
