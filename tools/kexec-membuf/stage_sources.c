// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is to be staged: opened and looked at as far as it can be before a slot is changed
 */

#include "stage.h"
#include "utils.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

u64 stage_sources_room(const struct stage_sources *sources, enum kexec_stash_file_id id,
		       u64 kernel_size)
{
	struct kexec_stash_record rec = { .size = sources->slot->size };
	u64 end = sources->kernel.image.image_size;
	const char *next;

	if (end < kernel_size)
		end = kernel_size;
	/* The kernel comes first, however small it turns out to be */
	if (!end)
		end = 1;
	return kexec_stash_room(&rec, id, kexec_stash_place(&rec, id, end), &next);
}

/* To empty the slot must not empty what is to be staged into it */
static bool check_not_in_slot(const struct source *src, int stash, const char *slot)
{
	bool same = false;
	struct stat st;
	unsigned int id;

	for (id = 0; id < SLOT_NR_FILES; id++)
		same |= !fstatat(stash, slot_path(slot, slot_file_name(id)).str, &st, 0) &&
			st.st_dev == src->st.st_dev && st.st_ino == src->st.st_ino;
	if (same)
		source_error(src, "is in the slot itself; give another file");
	return !same;
}

static bool check_room(const struct stage_sources *sources, enum kexec_stash_file_id id)
{
	const struct source *src = &sources->src[id];
	u64 room = stage_sources_room(sources, id, 0);

	if (src->size == SOURCE_SIZE_UNKNOWN || src->size <= room)
		return true;
	source_error(src, "has %llu bytes, but there is room for %llu; %s", src->size, room,
		     id == KEXEC_STASH_INITRD ? "take a larger slot or a smaller initrd" :
		     "take a larger slot");
	return false;
}

static bool start_kernel(struct stage_sources *sources)
{
	const struct fit_image *image = &sources->fit.image[KEXEC_STASH_KERNEL];

	if (!kernel_source_start(&sources->kernel, &sources->src[KEXEC_STASH_KERNEL], image->comp,
				 stage_sources_room(sources, KEXEC_STASH_KERNEL, 0)))
		return false;
	return sources->kernel.packed[0] || check_room(sources, KEXEC_STASH_KERNEL);
}

static bool start_initrd(struct stage_sources *sources)
{
	struct source *src = &sources->src[KEXEC_STASH_INITRD];
	const char *why;

	if (!source_peek(src))
		return false;
	why = content_initrd_fault(src->peek, src->peek_len);
	if (why) {
		source_error(src, "%s", why);
		return false;
	}
	return check_room(sources, KEXEC_STASH_INITRD);
}

/* A dtb is small: it is read and checked as a whole */
static bool read_dtb(struct stage_sources *sources)
{
	struct source *src = &sources->src[KEXEC_STASH_DTB];
	struct dtb_info info;
	const char *why;
	ssize_t n;

	if (!source_peek(src) || !check_room(sources, KEXEC_STASH_DTB))
		return false;
	sources->dtb = xmalloc(KEXEC_STASH_DTB_MAX);
	n = source_read(src, sources->dtb, KEXEC_STASH_DTB_MAX);
	if (n < 0)
		return false;
	sources->dtb_size = n;
	if (!source_finish(src))
		return false;
	if (src->pos > sources->dtb_size) {
		source_error(src, "is larger than the %d bytes that a dtb may have",
			     KEXEC_STASH_DTB_MAX);
		return false;
	}
	why = dtb_read(sources->dtb, n, &info);
	dtb_free(&info);
	if (why)
		source_error(src, "%s; give another file", why);
	return !why;
}

static bool check_sources(struct stage_sources *sources, int stash)
{
	int id;

	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		if (sources->src[id].name &&
		    !check_not_in_slot(&sources->src[id], stash, sources->slot->name))
			return false;
	}
	if (!start_kernel(sources))
		return false;
	if (sources->src[KEXEC_STASH_INITRD].name && !start_initrd(sources))
		return false;
	return !sources->src[KEXEC_STASH_DTB].name || read_dtb(sources);
}

static bool open_files(struct stage_sources *sources, const char * const *paths)
{
	int id;

	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		if (paths[id] && !source_open(&sources->src[id], sources->slot->name,
					      kexec_stash_file_name(id), paths[id]))
			return false;
	}
	return true;
}

/* What is found is copied: the file is not mapped any longer when its bytes are read */
static bool map_and_read_fit(struct stage_sources *sources, const char *conf)
{
	const struct source *whole = &sources->whole;
	char why[FIT_WHY_LEN];
	void *map;
	bool ok;

	map = mmap(NULL, whole->st.st_size, PROT_READ, MAP_PRIVATE, whole->fd, 0);
	if (map == MAP_FAILED) {
		source_error(whole, "cannot be read: %s", strerror(errno));
		return false;
	}
	ok = fit_read(map, whole->st.st_size, conf, &sources->fit, why);
	munmap(map, whole->st.st_size);
	if (!ok)
		source_error(whole, "%s", why);
	return ok;
}

static bool open_image(struct stage_sources *sources, enum kexec_stash_file_id id)
{
	struct fit_image *image = &sources->fit.image[id];
	struct source *src = &sources->src[id];
	struct checksum *sums = image->sums;
	size_t nr_sums = image->nr_sums;

	if (!image->name)
		return true;
	image->sums = NULL;
	image->nr_sums = 0;
	if (!source_open_part(src, &sources->whole, kexec_stash_file_name(id), image->name,
			      &image->data, sums, nr_sums))
		return false;
	if (!nr_sums)
		source_notice(src, "has no hash: it is not known to be whole");
	return true;
}

/* "FILE#CONF", unless there is a file of that very name. Cuts @path at the '#' */
static const char *split_fit(char *path)
{
	char *hash = strrchr(path, '#');

	if (!hash || !access(path, F_OK))
		return NULL;
	*hash = '\0';
	return hash + 1;
}

static bool open_fit(struct stage_sources *sources, const char *fit)
{
	struct source *whole = &sources->whole;
	const char *conf;
	int id;

	sources->fit_path = xasprintf("%s", fit);
	conf = split_fit(sources->fit_path);
	if (!source_open(whole, sources->slot->name, "FIT", sources->fit_path))
		return false;
	if (!S_ISREG(whole->st.st_mode) || !whole->st.st_size) {
		source_error(whole, "%s", S_ISREG(whole->st.st_mode) ? "is empty" :
			     "is no file: a FIT is not read in order; put it into a file first");
		return false;
	}
	if (!map_and_read_fit(sources, conf))
		return false;
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		if (!open_image(sources, id))
			return false;
	}
	if (sources->fit.unused)
		source_notice(whole, "its loadables %s are not used", sources->fit.unused);
	return true;
}

bool stage_sources_open(struct stage_sources *sources, int stash, const struct slot *slot,
			const char * const *paths, const char *fit)
{
	memset(sources, 0, sizeof(*sources));
	sources->slot = slot;
	if (!(fit ? open_fit(sources, fit) : open_files(sources, paths)))
		return false;
	return check_sources(sources, stash);
}

void stage_sources_close(struct stage_sources *sources)
{
	int id;

	kernel_source_end(&sources->kernel);
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		source_close(&sources->src[id]);
	source_close(&sources->whole);
	fit_free(&sources->fit);
	free(sources->fit_path);
	free(sources->dtb);
	memset(sources, 0, sizeof(*sources));
}
