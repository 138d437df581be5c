// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Fuzz what is staged from: the input is a FIT, and it is a kernel as it may come, packed or not,
 * and what signs one
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "stage.h"
#include "slot.h"

#define ROOM	0x800000ULL

static void demand(bool holds, const char *what)
{
	if (holds)
		return;
	dprintf(STDERR_FILENO, "stage: %s\n", what);
	abort();
}

static void check_image(const struct fit_image *image, size_t size)
{
	if (!image->name)
		return;
	demand(image->data.size && image->data.offset <= size &&
	       image->data.size <= size - image->data.offset, "an image is not in the file");
	demand(image->nr_sums <= FIT_SUMS_MAX, "too many hashes");
	for (size_t i = 0; i < image->nr_sums; i++)
		demand(image->sums[i].len && image->sums[i].len <= DIGEST_LEN,
		       "a hash has no right length");
}

static void fuzz_fit(const u8 *data, size_t size, const char *conf)
{
	char why[FIT_WHY_LEN] = "";
	struct fit fit;

	if (fit_read(data, size, conf, &fit, why)) {
		demand(fit.conf && fit.image[KEXEC_STASH_KERNEL].name,
		       "a configuration without a kernel");
		for (int i = 0; i < KEXEC_STASH_NR_FILES; i++)
			check_image(&fit.image[i], size);
	} else {
		demand(why[0], "a FIT is refused without a reason");
	}
	fit_free(&fit);
}

static void fuzz_head(const u8 *data, size_t size)
{
	const char *why = NULL;
	struct signatures sigs = {};

	signature_pe(data, size < PE_HEAD_LEN ? size : PE_HEAD_LEN);
	signature_ima(data, size, &sigs);
	demand(sigs.ima && strlen(sigs.key) < KEY_ID_LEN, "security.ima is not told right");
	if (content_look(data, size, &why) == CONTENT_OTHER)
		demand(why, "a kernel is refused without a reason");
}

static void unpack_all(struct kernel_source *kernel)
{
	ssize_t len = kernel->len;
	const u8 *piece = kernel->piece;
	u64 total = 0;
	u8 sum = 0;

	while (len > 0) {
		for (ssize_t i = 0; i < len; i++)
			sum ^= piece[i];
		total += len;
		len = unpack_next(kernel->unpacker, &piece);
	}
	demand(!kernel->packed[0] || total <= ROOM, "more was unpacked than fits");
	if (!len)
		source_finish(kernel->src);
	/* So that the bytes are read */
	if (sum == 0 && total == 1)
		puts("");
}

static void fuzz_kernel(const u8 *data, size_t size)
{
	struct kernel_source kernel;
	struct source src;
	static int fd = -1;
	char path[32];

	if (fd < 0)
		fd = memfd_create("kernel", 0);
	if (ftruncate(fd, 0) || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (source_open(&src, "a", "kernel", path) &&
	    kernel_source_start(&kernel, &src, NULL, ROOM)) {
		demand(kernel.image.image_size <= ROOM, "a kernel owns more than there is");
		unpack_all(&kernel);
	}
	kernel_source_end(&kernel);
	source_close(&src);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	/* Drop messages; findings do not come this way */
	stderr = fopen("/dev/null", "w");
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u8 *copy = malloc(size ? size : 1);	/* watched at its end */

	if (!copy)
		return 0;
	memcpy(copy, data, size);
	fuzz_fit(copy, size, NULL);
	fuzz_fit(copy, size, "conf-1");
	fuzz_head(copy, size);
	fuzz_kernel(copy, size);
	free(copy);
	return 0;
}
