// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unpacking a file while it is read
 */

#include "stage.h"
#include "utils.h"

#include <zlib.h>

#include <stdlib.h>
#include <string.h>

#define INPUT_LEN	0x10000

/* As it is */

struct plain {
	struct unpacker base;
	u8 piece[UNPACK_PIECE_LEN];
};

static ssize_t plain_next(struct unpacker *unpacker, const u8 **piece)
{
	struct plain *plain = (struct plain *)unpacker;

	*piece = plain->piece;
	return source_read(unpacker->src, plain->piece, sizeof(plain->piece));
}

static void plain_end(struct unpacker *unpacker)
{
	free(unpacker);
}

static const struct unpack_ops plain_ops = {
	.next = plain_next,
	.end = plain_end,
};

static struct unpacker *plain_start(struct source *src)
{
	struct plain *plain = xmalloc(sizeof(*plain));

	plain->base.ops = &plain_ops;
	plain->base.src = src;
	return &plain->base;
}

/* gzip */

/**
 * struct gzip - unpacking gzip
 * @base: what all have
 * @z: zlib's state
 * @done: the last member is unpacked
 * @input: bytes that were read
 * @piece: bytes that were unpacked
 */
struct gzip {
	struct unpacker base;
	z_stream z;
	bool done;
	u8 input[INPUT_LEN];
	u8 piece[UNPACK_PIECE_LEN];
};

/* Have at least so many bytes of input, if there are so many */
static bool gzip_fill(struct gzip *gzip, size_t want)
{
	ssize_t n;

	if (gzip->z.avail_in >= want)
		return true;
	memmove(gzip->input, gzip->z.next_in, gzip->z.avail_in);
	n = source_read(gzip->base.src, gzip->input + gzip->z.avail_in,
			sizeof(gzip->input) - gzip->z.avail_in);
	if (n < 0)
		return false;
	gzip->z.next_in = gzip->input;
	gzip->z.avail_in += n;
	return true;
}

/* Behind a member there is another one, or what does not belong to it */
static bool gzip_member_done(struct gzip *gzip)
{
	static const u8 magic[] = { 0x1f, 0x8b };

	if (!gzip_fill(gzip, sizeof(magic)))
		return false;
	if (gzip->z.avail_in >= sizeof(magic) &&
	    !memcmp(gzip->z.next_in, magic, sizeof(magic))) {
		inflateReset(&gzip->z);
		return true;
	}
	gzip->done = true;
	return unpack_trailing(gzip->base.src, gzip->z.next_in, gzip->z.avail_in);
}

static bool gzip_inflate(struct gzip *gzip)
{
	int ret;

	if (!gzip_fill(gzip, 1))
		return false;
	if (!gzip->z.avail_in) {
		source_error(gzip->base.src, UNPACK_CUT_OFF);
		return false;
	}
	ret = inflate(&gzip->z, Z_NO_FLUSH);
	if (ret == Z_STREAM_END)
		return gzip_member_done(gzip);
	if (ret == Z_OK || ret == Z_BUF_ERROR)
		return true;
	source_error(gzip->base.src, "is damaged: %s; get the file again",
		     gzip->z.msg ? gzip->z.msg : zError(ret));
	return false;
}

static ssize_t gzip_next(struct unpacker *unpacker, const u8 **piece)
{
	struct gzip *gzip = (struct gzip *)unpacker;

	*piece = gzip->piece;
	gzip->z.next_out = gzip->piece;
	gzip->z.avail_out = sizeof(gzip->piece);
	while (gzip->z.avail_out && !gzip->done) {
		if (!gzip_inflate(gzip))
			return -1;
	}
	return sizeof(gzip->piece) - gzip->z.avail_out;
}

static void gzip_end(struct unpacker *unpacker)
{
	struct gzip *gzip = (struct gzip *)unpacker;

	inflateEnd(&gzip->z);
	free(gzip);
}

static const struct unpack_ops gzip_ops = {
	.next = gzip_next,
	.end = gzip_end,
};

/* inflateInit2()'s: the largest window, and a gzip header */
#define GZIP_WINDOW_BITS	(15 + 16)

static struct unpacker *gzip_start(struct source *src)
{
	struct gzip *gzip = xmalloc(sizeof(*gzip));

	memset(&gzip->z, 0, sizeof(gzip->z));
	gzip->base.ops = &gzip_ops;
	gzip->base.src = src;
	gzip->z.next_in = gzip->input;
	gzip->done = false;
	if (inflateInit2(&gzip->z, GZIP_WINDOW_BITS) != Z_OK) {
		source_error(src, "cannot be unpacked: out of memory");
		free(gzip);
		return NULL;
	}
	return &gzip->base;
}

/* What they have in common */

bool unpack_trailing(struct source *src, const u8 *buf, size_t len)
{
	bool only_zeros = true;
	u8 more[1024];
	u64 total = 0;
	ssize_t n = len;
	size_t i;

	while (n > 0) {
		for (i = 0; i < (size_t)n; i++)
			only_zeros &= !buf[i];
		total += n;
		buf = more;
		n = source_read(src, more, sizeof(more));
	}
	if (!n && !only_zeros)
		source_notice(src, "%llu bytes behind the compressed data are left out", total);
	return !n;
}

struct unpacker *unpack_start(struct source *src, enum content content, u64 room)
{
	switch (content) {
	case CONTENT_GZIP:
		return gzip_start(src);
	case CONTENT_ZSTD:
		return unpack_zstd_start(src, room);
	default:
		return plain_start(src);
	}
}

ssize_t unpack_next(struct unpacker *unpacker, const u8 **piece)
{
	return unpacker->ops->next(unpacker, piece);
}

bool unpack_written(struct unpacker *unpacker, int fd)
{
	return !unpacker->ops->written || unpacker->ops->written(unpacker, fd);
}

void unpack_end(struct unpacker *unpacker)
{
	if (unpacker)
		unpacker->ops->end(unpacker);
}
