// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Reading the slots as the stash's file system shows them
 */

#include "slot.h"
#include "sys.h"
#include "utils.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool mount_stash(void)
{
	int ret;

	if (geteuid()) {
		error_msg("no stash is mounted on %s; run this as root, who may mount it",
			  STASH_DIR);
		return false;
	}
	ret = sys_mount_stash();
	if (ret == -ENODEV)
		error_msg("this kernel has no stash; boot one built with CONFIG_KEXEC_STASH");
	else if (ret == -ENOENT)
		error_msg("cannot mount the stash: there is no %s; mount /sys first, %s", STASH_DIR,
			  "or boot a kernel built with CONFIG_KEXEC_STASH");
	else if (ret)
		error_msg("cannot mount the stash on %s: %s", STASH_DIR, strerror(-ret));
	return !ret;
}

static int open_if_stash(int root)
{
	/* Relative, for the tests' sake */
	int fd = openat(root, &STASH_DIR[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 || sys_is_stash(fd))
		return fd;
	close(fd);
	return -1;
}

int stash_open(int root)
{
	int fd = open_if_stash(root);

	if (fd >= 0)
		return fd;
	if (!mount_stash())
		return -1;
	fd = open_if_stash(root);
	if (fd < 0)
		error_msg("cannot open %s after mounting the stash there: another mount hides it",
			  STASH_DIR);
	return fd;
}

struct slot_path slot_path(const char *slot, const char *file)
{
	struct slot_path path;

	snprintf(path.str, sizeof(path.str), "%s/%s", slot, file);
	return path;
}

static int word_read(int stash, const char *slot, const char *file, char *word)
{
	return read_line_at(stash, slot_path(slot, file).str, word, SLOT_WORD_LEN);
}

/* Where a slot is in memory is root's to know; its size is 0 for others */
static int place_read(int stash, const char *slot, const char *file, u64 *val)
{
	int ret = read_number_at(stash, slot_path(slot, file).str, val);

	if (ret != -EACCES)
		return ret;
	*val = 0;
	return 0;
}

static int file_size_read(int stash, const char *slot, const char *file, u64 *size)
{
	struct stat st;

	/* An unlinked file is one that is not there */
	*size = 0;
	if (!fstatat(stash, slot_path(slot, file).str, &st, AT_SYMLINK_NOFOLLOW))
		*size = st.st_size;
	else if (errno != ENOENT)
		return -errno;
	return 0;
}

/* Of a slot that exists; @file is set to the file that could not be read */
static int facts_read(int stash, struct slot *slot, const char **file)
{
	const char *name = slot->name;
	u64 verified = 0;
	int ret, i;

	*file = "state";
	ret = word_read(stash, name, *file, slot->state);
	if (ret)
		return ret;
	*file = "origin";
	ret = word_read(stash, name, *file, slot->origin);
	if (ret)
		return ret;
	*file = "base";
	ret = place_read(stash, name, *file, &slot->base);
	if (ret)
		return ret;
	*file = "size";
	ret = place_read(stash, name, *file, &slot->size);
	if (ret)
		return ret;
	*file = "verified";
	ret = read_number_at(stash, slot_path(name, *file).str, &verified);
	slot->verified = verified;
	for (i = 0; !ret && i < KEXEC_STASH_NR_FILES; i++) {
		*file = kexec_stash_file_name(i);
		ret = file_size_read(stash, name, *file, &slot->file_size[i]);
	}
	return ret;
}

static bool slot_fill(int stash, const char *name, struct slot *slot)
{
	const char *file;
	int ret;

	memset(slot, 0, sizeof(*slot));
	snprintf(slot->name, sizeof(slot->name), "%s", name);
	ret = facts_read(stash, slot, &file);
	if (ret)
		error_msg("slot '%s': %s: cannot be read: %s", name, file, strerror(-ret));
	return !ret;
}

int slot_reason(int stash, const char *name, char *reason)
{
	int ret = read_line_at(stash, slot_path(name, "reason").str, reason, SLOT_REASON_LEN);

	return ret ? ret : reason[0] != '\0';
}

int slot_open_kernel(int stash, const char *name)
{
	int fd = openat(stash, slot_path(name, "kernel").str, O_RDONLY | O_CLOEXEC);

	if (fd < 0 && errno == ENOENT)
		error_msg("slot '%s': kernel: there is none; stage one first", name);
	else if (fd < 0)
		error_msg("slot '%s': kernel: cannot be opened: %s%s", name, strerror(errno),
			  errno == EACCES ? "; run this as root" : "");
	return fd;
}

static int is_slot(const struct dirent *entry)
{
	return kexec_stash_label_ok(entry->d_name) &&
	       (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN);
}

static int names_read(int stash, struct dirent ***names)
{
	int n = scandirat(stash, ".", names, is_slot, alphasort);

	if (n < 0)
		error_msg("%s: cannot be read: %s", STASH_DIR, strerror(errno));
	return n;
}

static void names_free(struct dirent **names, int n)
{
	if (n < 0)
		return;
	while (n--)
		free(names[n]);
	free(names);
}

bool slots_read(int stash, struct slot **slots, size_t *count)
{
	struct dirent **names;
	bool ok = false;
	int i, n;

	*slots = NULL;
	n = names_read(stash, &names);
	if (n < 0)
		goto out;
	*slots = xmalloc((n + 1) * sizeof(**slots));
	for (i = 0; i < n; i++) {
		if (!slot_fill(stash, names[i]->d_name, &(*slots)[i]))
			goto out;
	}
	*count = n;
	ok = true;
out:
	if (!ok) {
		free(*slots);
		*slots = NULL;
	}
	names_free(names, n);
	return ok;
}

static void no_slot_msg(const char *name, struct dirent **names, int n)
{
	char *list = xasprintf("%s", n ? "" : "there are none; reserve one at boot");
	int i;

	for (i = 0; i < n; i++) {
		char *old = list;

		list = xasprintf("%s%s'%s'", old, i ? ", " : "there are: ", names[i]->d_name);
		free(old);
	}
	error_msg("slot '%s': does not exist; %s", name, list);
	free(list);
}

bool slot_read(int stash, const char *name, struct slot *slot)
{
	struct dirent **names;
	bool ok = false;
	int i, n;

	n = names_read(stash, &names);
	if (n < 0)
		return false;
	for (i = 0; i < n; i++) {
		if (!strcmp(names[i]->d_name, name))
			break;
	}
	if (i == n)
		no_slot_msg(name, names, n);
	else
		ok = slot_fill(stash, name, slot);
	names_free(names, n);
	return ok;
}

bool slot_find(int stash, const char *state, struct slot *slot)
{
	struct slot *slots;
	size_t i, count;

	memset(slot, 0, sizeof(*slot));
	if (!slots_read(stash, &slots, &count))
		return false;
	for (i = 0; i < count; i++) {
		if (!strcmp(slots[i].state, state))
			*slot = slots[i];
	}
	free(slots);
	return true;
}

bool kexec_is_loaded(int root, bool *loaded)
{
	u64 val;
	int ret;

	ret = read_number_at(root, "sys/kernel/kexec/loaded", &val);
	/* Its name before Linux 6.19 */
	if (ret == -ENOENT)
		ret = read_number_at(root, "sys/kernel/kexec_loaded", &val);
	if (ret == -ENOENT) {
		error_msg("there is no /sys/kernel/kexec/loaded; %s",
			  "mount /sys, or boot a kernel that has kexec");
		return false;
	}
	if (ret) {
		error_msg("/sys/kernel/kexec/loaded: cannot be read: %s", strerror(-ret));
		return false;
	}
	*loaded = val;
	return true;
}

bool kexec_copy_bytes(int root, u64 *bytes)
{
	int ret = read_number_at(root, "sys/kernel/kexec/copy_bytes", bytes);

	if (ret)
		error_msg("/sys/kernel/kexec/copy_bytes: cannot be read: %s", strerror(-ret));
	return !ret;
}
