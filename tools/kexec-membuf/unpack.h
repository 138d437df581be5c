/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unpacking a file while it is read
 */
#ifndef UNPACK_H
#define UNPACK_H

#include "content.h"
#include "source.h"

/* Bytes of a piece, as a rule; only the last one has fewer */
#define UNPACK_PIECE_LEN	0x20000

struct unpacker;

/**
 * unpack_start() - begin to unpack
 * @src: where the bytes come from; stays the caller's
 * @content: how they are compressed: CONTENT_GZIP, CONTENT_ZSTD; not at all for all others
 * @room: how long the outcome may become
 *
 * Return: what unpack_next() takes, or NULL after a message.
 */
struct unpacker *unpack_start(struct source *src, enum content content, u64 room);

/**
 * unpack_next() - unpack the next piece
 * @unpacker: what unpack_start() returned
 * @piece: set to the bytes, which stay there until the next call
 *
 * Return: how many there are, 0 at the end; or -1 after a message.
 */
ssize_t unpack_next(struct unpacker *unpacker, const u8 **piece);

/**
 * unpack_written() - tell where all pieces have been written to
 * @unpacker: what unpack_start() returned
 * @fd: descriptor of a file, to be read from, that begins with all pieces so far
 *
 * What can be looked back at there need not be kept.
 *
 * Return: true, or false after a message.
 */
bool unpack_written(struct unpacker *unpacker, int fd);

/**
 * unpack_end() - free what unpack_start() returned
 * @unpacker: it, or NULL
 */
void unpack_end(struct unpacker *unpacker);

#endif /* UNPACK_H */
