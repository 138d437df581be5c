// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Writing a payload into a slot, all of it or nothing
 *
 * The kernel's file stays open for writing from the first byte to the last one of the whole
 * payload: meanwhile the slot is bad, and whoever writes and is killed leaves it bad.
 */

#include "slot.h"
#include "sys.h"
#include "utils.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* Bytes that are written, read back and compared at once: they should stay in the CPU's cache */
#define CHUNK_LEN	0x20000

/* Whose slot is to be emptied by an exit() from anywhere */
static struct slot_writer *unfinished;

const char *slot_file_name(unsigned int id)
{
	return id == SLOT_CMDLINE ? KEXEC_STASH_CMDLINE : kexec_stash_file_name(id);
}

static void slot_change_msg(const char *slot, const char *file, int err)
{
	const char *todo, *why = explain(ACTION_CHANGE, err, &todo);

	error_msg("slot '%s': %s: cannot be changed: %s; %s", slot, file, why, todo);
}

bool slot_changeable(const struct slot *slot)
{
	const char *why;

	if (!strcmp(slot->state, "running"))
		why = "this kernel runs in it; take another slot";
	else if (!strcmp(slot->state, "loaded"))
		why = "is loaded; unload it first, or take another slot";
	else if (!strcmp(slot->state, "released"))
		why = "its memory was given back until the next boot; take another slot";
	else
		return true;
	error_msg("slot '%s': cannot be changed: %s", slot->name, why);
	return false;
}

int slot_lock(int stash, const char *name)
{
	int fd = openat(stash, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0) {
		error_msg("slot '%s': cannot be opened: %s", name, strerror(errno));
		return -1;
	}
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	if (errno == EWOULDBLOCK)
		error_msg("slot '%s': is being staged or erased by another kexec-membuf; %s", name,
			  "wait for it");
	else
		error_msg("slot '%s': cannot be locked: %s", name, strerror(errno));
	close(fd);
	return -1;
}

static int empty_file(int stash, const char *slot, unsigned int id)
{
	return sys_empty_file(stash, slot_path(slot, slot_file_name(id)).str);
}

bool slot_empty(int stash, const char *name)
{
	unsigned int id;
	int ret;

	for (id = 0; id < SLOT_NR_FILES; id++) {
		ret = empty_file(stash, name, id);
		if (ret) {
			slot_change_msg(name, slot_file_name(id), -ret);
			return false;
		}
	}
	return true;
}

static int open_file(const struct slot_writer *writer, unsigned int id, int flags)
{
	const char *slot = writer->slot->name;
	int fd = sys_open(writer->stash, slot_path(slot, slot_file_name(id)).str, flags);

	if (fd < 0)
		slot_change_msg(slot, slot_file_name(id), -fd);
	return fd;
}

bool slot_writer_begin(struct slot_writer *writer, int stash, const struct slot *slot)
{
	memset(writer, 0, sizeof(*writer));
	writer->stash = stash;
	writer->slot = slot;
	writer->out = -1;
	writer->back = -1;
	/* Whether it may be written to is known before anything is changed */
	writer->kernel = open_file(writer, KEXEC_STASH_KERNEL, O_WRONLY);
	return writer->kernel >= 0;
}

static void close_file(struct slot_writer *writer)
{
	close_fd(writer->back);
	writer->back = -1;
	/* The kernel is closed at the very end */
	if (writer->out != writer->kernel && writer->out >= 0)
		sys_close_written(writer->out);
	writer->out = -1;
}

static void empty_again(struct slot_writer *writer)
{
	unsigned int id;

	close_file(writer);
	for (id = 0; id < SLOT_NR_FILES; id++)
		empty_file(writer->stash, writer->slot->name, id);
	if (writer->kernel >= 0)
		sys_close_written(writer->kernel);
	writer->kernel = -1;
}

static void empty_unfinished(void)
{
	if (unfinished)
		empty_again(unfinished);
	unfinished = NULL;
}

bool slot_writer_empty(struct slot_writer *writer)
{
	static bool registered;

	if (!interrupts_hold())
		return false;
	if (!registered && atexit(empty_unfinished)) {
		error_msg("out of memory");
		return false;
	}
	registered = true;
	writer->check = xmalloc(CHUNK_LEN);
	unfinished = writer;
	return slot_empty(writer->stash, writer->slot->name);
}

bool slot_writer_open(struct slot_writer *writer, unsigned int id)
{
	close_file(writer);
	writer->out = id == KEXEC_STASH_KERNEL ? writer->kernel : open_file(writer, id, O_WRONLY);
	if (writer->out < 0)
		return false;
	writer->back = open_file(writer, id, O_RDONLY);
	return writer->back >= 0;
}

static bool write_msg(const struct slot_writer *writer, unsigned int id, int err, u64 room)
{
	const char *slot = writer->slot->name, *file = slot_file_name(id);

	if (err == ENOSPC)
		error_msg("slot '%s': %s: is larger than the %llu bytes of room for it; %s", slot,
			  file, room, id == KEXEC_STASH_INITRD ?
			  "take a larger slot or a smaller initrd" : "take a larger slot");
	else
		slot_change_msg(slot, file, err);
	return false;
}

static bool read_back(struct slot_writer *writer, unsigned int id, const u8 *buf, size_t len)
{
	ssize_t n = sys_pread(writer->back, writer->check, len, writer->size[id]);

	if (n == (ssize_t)len && !memcmp(buf, writer->check, len))
		return true;
	if (n < 0)
		error_msg("slot '%s': %s: cannot be read back: %s", writer->slot->name,
			  slot_file_name(id), strerror(-n));
	else
		error_msg("slot '%s': %s: reads back otherwise than it was written, at byte %llu; "
			  "%s",
			  writer->slot->name, slot_file_name(id), writer->size[id],
			  "somebody else writes to it, or the memory is faulty");
	return false;
}

bool slot_writer_write(struct slot_writer *writer, unsigned int id, const u8 *buf, size_t len,
		       u64 room)
{
	ssize_t n;

	while (len) {
		n = sys_write(writer->out, buf, len < CHUNK_LEN ? len : CHUNK_LEN);
		if (n <= 0)
			return write_msg(writer, id, n ? -n : EIO, room);
		if (!read_back(writer, id, buf, n))
			return false;
		writer->size[id] += n;
		buf += n;
		len -= n;
	}
	return true;
}

static bool check_sizes(const struct slot_writer *writer, const struct slot *slot)
{
	unsigned int id;

	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		if (slot->file_size[id] != writer->size[id]) {
			error_msg("slot '%s': %s: has %llu bytes, not the %llu that were written; "
				  "%s",
				  slot->name, slot_file_name(id), slot->file_size[id],
				  writer->size[id], "somebody else writes to it");
			return false;
		}
	}
	return true;
}

/* The kernel looks at its file when it is closed; the slot has the reason if it is bad */
static bool close_kernel(struct slot_writer *writer, struct slot *slot)
{
	char reason[SLOT_REASON_LEN];

	sys_close_written(writer->kernel);
	writer->kernel = -1;
	if (!slot_read(writer->stash, writer->slot->name, slot))
		return false;
	if (!strcmp(slot->state, "staged"))
		return true;
	if (slot_reason(writer->stash, slot->name, reason) > 0)
		error_msg("slot '%s': %s; stage another one", slot->name, reason);
	else
		error_msg("slot '%s': is %s, not staged; see dmesg", slot->name, slot->state);
	return false;
}

bool slot_writer_commit(struct slot_writer *writer, struct slot *slot)
{
	close_file(writer);
	if (!slot_read(writer->stash, writer->slot->name, slot) || !check_sizes(writer, slot))
		return false;
	if (interrupted()) {
		error_msg("slot '%s': interrupted; stage it again", slot->name);
		return false;
	}
	if (!close_kernel(writer, slot) || !check_sizes(writer, slot))
		return false;
	unfinished = NULL;
	return true;
}

void slot_writer_end(struct slot_writer *writer)
{
	if (unfinished == writer)
		empty_unfinished();
	if (writer->slot) {
		close_file(writer);
		if (writer->kernel >= 0)
			sys_close_written(writer->kernel);
	}
	free(writer->check);
	memset(writer, 0, sizeof(*writer));
	interrupts_release();
}
