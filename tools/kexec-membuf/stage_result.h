/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What was staged, for the user
 */
#ifndef STAGE_RESULT_H
#define STAGE_RESULT_H

#include "slot.h"

/**
 * struct staged_file - a file that was staged
 * @source: the argument that it came from, NULL if there is no such file
 * @image: name of the FIT's image that it is, or NULL
 * @packed: what it was unpacked from, "" if it was not
 * @hashes: checksums that were found right, in one string, "" for none
 */
struct staged_file {
	const char *source;
	const char *image;
	const char *packed;
	const char *hashes;
};

/**
 * struct stage_result - what was staged
 * @slot: the slot as it is now
 * @file: where its files came from
 * @cmdline: the command line, NULL for none
 * @conf: name of the FIT's configuration, or NULL
 * @ns: how long it took
 */
struct stage_result {
	struct slot slot;
	struct staged_file file[KEXEC_STASH_NR_FILES];
	const char *cmdline;
	const char *conf;
	u64 ns;
};

/**
 * stage_result_print() - print what was staged
 * @result: it
 */
void stage_result_print(const struct stage_result *result);

/**
 * stage_result_print_json() - print what was staged, as JSON
 * @result: it
 */
void stage_result_print_json(const struct stage_result *result);

#endif /* STAGE_RESULT_H */
