/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a payload into a slot, all of it or nothing
 */
#ifndef SLOT_WRITE_H
#define SLOT_WRITE_H

#include "slot.h"

/* The payload's files, the command line included */
#define SLOT_CMDLINE		KEXEC_STASH_NR_FILES
#define SLOT_NR_FILES		(SLOT_CMDLINE + 1)

/**
 * struct slot_writer - who writes a payload into a slot
 * @stash: descriptor from stash_open()
 * @slot: the slot, as it was before
 * @kernel: descriptor of its kernel, open for writing as long as the payload is not complete
 * @out: descriptor of the file that is being written
 * @back: the same to read from
 * @check: room to read back what was written
 * @size: how much was written of each file
 */
struct slot_writer {
	int stash;
	const struct slot *slot;
	int kernel;
	int out;
	int back;
	u8 *check;
	u64 size[SLOT_NR_FILES];
};

/**
 * slot_file_name() - name of a payload's file
 * @id: enum kexec_stash_file_id or SLOT_CMDLINE
 *
 * Return: the name.
 */
const char *slot_file_name(unsigned int id);

/**
 * slot_lock() - keep others from staging into a slot or erasing it
 * @stash: descriptor from stash_open()
 * @name: the slot's name
 *
 * Return: a descriptor that keeps it locked until it is closed, or -1 after a message.
 */
int slot_lock(int stash, const char *name);

/**
 * slot_change_msg() - say why a slot's payload cannot be changed
 * @slot: the slot's name
 * @file: name of the file
 * @err: what the kernel said, an errno
 */
void slot_change_msg(const char *slot, const char *file, int err);

/**
 * slot_changeable() - whether a slot's payload can be changed
 * @slot: the slot
 *
 * Return: true, or false after a message.
 */
bool slot_changeable(const struct slot *slot);

/**
 * slot_empty() - empty all files of a payload
 * @stash: descriptor from stash_open()
 * @name: the slot's name
 *
 * Return: true, or false after a message.
 */
bool slot_empty(int stash, const char *name);

/**
 * slot_writer_begin() - open a slot to be staged into; nothing is changed yet
 * @writer: filled in, to be ended with slot_writer_end() also on failure
 * @stash: descriptor from stash_open()
 * @slot: the slot, locked; stays the caller's
 *
 * Return: true, or false after a message.
 */
bool slot_writer_begin(struct slot_writer *writer, int stash, const struct slot *slot);

/**
 * slot_writer_empty() - empty the slot
 * @writer: the writer
 *
 * From here on the slot is empty or bad until slot_writer_commit(), and whatever ends the program
 * leaves it so. Signals are held back until slot_writer_end(), see interrupted().
 *
 * Return: true, or false after a message.
 */
bool slot_writer_empty(struct slot_writer *writer);

/**
 * slot_writer_open() - begin with one of the files
 * @writer: the writer
 * @id: the file; the kernel is the first one
 *
 * Return: true, or false after a message.
 */
bool slot_writer_open(struct slot_writer *writer, unsigned int id);

/**
 * slot_writer_write() - write the next bytes of a file, and compare them
 * @writer: the writer
 * @id: the file, opened with slot_writer_open()
 * @buf: the bytes
 * @len: how many there are, at most UNPACK_PIECE_LEN or a little more
 * @room: bytes of room there are for the file, for the message
 *
 * Return: true, or false after a message.
 */
bool slot_writer_write(struct slot_writer *writer, unsigned int id, const u8 *buf, size_t len,
		       u64 room);

/**
 * slot_writer_close() - be done with the file that was opened
 * @writer: the writer
 */
void slot_writer_close(struct slot_writer *writer);

/**
 * slot_writer_commit() - the payload is complete
 * @writer: the writer
 * @slot: filled in with the slot as it is now
 *
 * Return: true if it is staged now, or false after a message.
 */
bool slot_writer_commit(struct slot_writer *writer, struct slot *slot);

/**
 * slot_writer_end() - let go of the slot
 * @writer: the writer, or one that is all zero
 *
 * It is empty afterwards if it was touched and slot_writer_commit() did not succeed. If there was a
 * signal, the program ends by it.
 */
void slot_writer_end(struct slot_writer *writer);

#endif /* SLOT_WRITE_H */
