/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What unpackers have in common
 */
#ifndef UNPACK_IMPL_H
#define UNPACK_IMPL_H

#include "unpack.h"

#define UNPACK_CUT_OFF	"is cut off: its compressed data has no end; get the file again"

/**
 * struct unpack_ops - what an unpacker does
 * @next: see unpack_next()
 * @written: see unpack_written(); NULL if it does not matter
 * @end: see unpack_end()
 */
struct unpack_ops {
	ssize_t (*next)(struct unpacker *unpacker, const u8 **piece);
	bool (*written)(struct unpacker *unpacker, int fd);
	void (*end)(struct unpacker *unpacker);
};

/**
 * struct unpacker - what all unpackers begin with
 * @ops: what it does
 * @src: where the bytes come from
 */
struct unpacker {
	const struct unpack_ops *ops;
	struct source *src;
};

/**
 * unpack_zstd_start() - unpack_start() for zstd
 * @src: where the bytes come from
 * @room: how long the outcome may become
 *
 * Return: the unpacker, or NULL after a message.
 */
struct unpacker *unpack_zstd_start(struct source *src, u64 room);

/**
 * unpack_trailing() - see to what is behind the compressed data
 * @src: where the bytes come from; it is read to its end
 * @buf: those of them that were read already
 * @len: how many these are
 *
 * Zeros are padding; what else there is, a signature of the compressed file as a rule, is said to
 * be left out.
 *
 * Return: true, or false after a message.
 */
bool unpack_trailing(struct source *src, const u8 *buf, size_t len);

#endif /* UNPACK_IMPL_H */
