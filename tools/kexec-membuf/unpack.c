// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unpacking a file while it is read
 *
 * Of what is unpacked only a piece is kept, and what a library keeps to look back at: up to
 * UNPACK_WINDOW_MAX, where a file was packed so hard, and not more than was unpacked.
 */

#include "stage.h"
#include "utils.h"

#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include <stdlib.h>
#include <string.h>

/* inflateInit2()'s: the largest window, and a gzip header */
#define GZIP_WINDOW_BITS	(15 + 16)

static bool gzip_start(struct unpacker *unpacker)
{
	z_stream *z = xmalloc(sizeof(*z));

	memset(z, 0, sizeof(*z));
	unpacker->state = z;
	if (inflateInit2(z, GZIP_WINDOW_BITS) == Z_OK)
		return true;
	source_error(unpacker->src, UNPACK_NO_MEMORY);
	return false;
}

static enum unpack_status gzip_step(struct unpacker *unpacker)
{
	z_stream *z = unpacker->state;
	int ret;

	z->next_in = (u8 *)unpacker->next;
	z->avail_in = unpacker->left;
	z->next_out = unpacker->piece + unpacker->len;
	z->avail_out = sizeof(unpacker->piece) - unpacker->len;
	ret = inflate(z, Z_NO_FLUSH);
	unpack_took(unpacker, unpacker->left - z->avail_in,
		    sizeof(unpacker->piece) - unpacker->len - z->avail_out);
	if (ret == Z_STREAM_END)
		return UNPACK_END;
	if (ret == Z_OK || ret == Z_BUF_ERROR)
		return UNPACK_MORE;
	return unpack_damaged(unpacker, z->msg ? z->msg : zError(ret));
}

static void gzip_end(struct unpacker *unpacker)
{
	inflateEnd(unpacker->state);
	free(unpacker->state);
}

static const struct unpack_ops gzip_ops = {
	.start = gzip_start,
	.step = gzip_step,
	.end = gzip_end,
};

static bool zstd_start(struct unpacker *unpacker)
{
	unpacker->state = ZSTD_createDCtx();
	if (unpacker->state &&
	    !ZSTD_isError(ZSTD_DCtx_setParameter(unpacker->state, ZSTD_d_windowLogMax,
						 UNPACK_WINDOW_LOG)))
		return true;
	source_error(unpacker->src, UNPACK_NO_MEMORY);
	return false;
}

static enum unpack_status zstd_step(struct unpacker *unpacker)
{
	ZSTD_inBuffer in = { unpacker->next, unpacker->left, 0 };
	ZSTD_outBuffer out = { unpacker->piece, sizeof(unpacker->piece), unpacker->len };
	size_t ret = ZSTD_decompressStream(unpacker->state, &out, &in);

	if (ZSTD_isError(ret)) {
		if (ZSTD_getErrorCode(ret) == ZSTD_error_frameParameter_windowTooLarge)
			return unpack_window_too_large(unpacker);
		return unpack_damaged(unpacker, ZSTD_getErrorName(ret));
	}
	unpack_took(unpacker, in.pos, out.pos - unpacker->len);
	return ret ? UNPACK_MORE : UNPACK_END;
}

static void zstd_end(struct unpacker *unpacker)
{
	ZSTD_freeDCtx(unpacker->state);
}

static const struct unpack_ops zstd_ops = {
	.start = zstd_start,
	.step = zstd_step,
	.end = zstd_end,
};

static const struct unpack_ops *find_ops(enum content content)
{
	switch (content) {
#ifdef HAVE_LZMA
	case CONTENT_XZ:
	case CONTENT_LZMA:
		return &unpack_lzma_ops;
#endif
#ifdef HAVE_LZ4
	case CONTENT_LZ4:
		return &unpack_lz4_ops;
#endif
	case CONTENT_GZIP:
		return &gzip_ops;
	case CONTENT_ZSTD:
		return &zstd_ops;
	default:
		return NULL;
	}
}

bool unpack_known(enum content content)
{
	return find_ops(content);
}

enum unpack_status unpack_damaged(const struct unpacker *unpacker, const char *why)
{
	source_error(unpacker->src, "is damaged: %s; get the file again", why);
	return UNPACK_FAILED;
}

enum unpack_status unpack_window_too_large(const struct unpacker *unpacker)
{
	source_error(unpacker->src, "needs a window of more than %llu MiB to be unpacked; %s",
		     UNPACK_WINDOW_MAX >> 20, "pack it with a smaller one");
	return UNPACK_FAILED;
}

enum unpack_status unpack_cut_off(const struct unpacker *unpacker)
{
	source_error(unpacker->src,
		     "is cut off: its compressed data has no end; get the file again");
	return UNPACK_FAILED;
}

void unpack_took(struct unpacker *unpacker, size_t in, size_t out)
{
	unpacker->next += in;
	unpacker->left -= in;
	unpacker->len += out;
}

bool unpack_fill(struct unpacker *unpacker, size_t want)
{
	ssize_t n;

	if (unpacker->left >= want)
		return true;
	memmove(unpacker->input, unpacker->next, unpacker->left);
	unpacker->next = unpacker->input;
	n = source_read(unpacker->src, unpacker->input + unpacker->left,
			sizeof(unpacker->input) - unpacker->left);
	if (n < 0)
		return false;
	unpacker->left += n;
	return true;
}

/* Zeros are padding; of what else there is, a signature of the packed file as a rule, we tell */
static bool see_what_is_behind(struct unpacker *unpacker)
{
	bool only_zeros = true;
	u64 total = 0;

	do {
		total += unpacker->left;
		for (; unpacker->left; unpack_took(unpacker, 1, 0))
			only_zeros &= !*unpacker->next;
		if (!unpack_fill(unpacker, 1))
			return false;
	} while (unpacker->left);
	if (!only_zeros)
		source_notice(unpacker->src, "%llu bytes behind the compressed data are left out",
			      total);
	return true;
}

/* Behind a stream there is another one, or what does not belong to it */
static bool stream_done(struct unpacker *unpacker)
{
	const char *why;

	if (!unpack_fill(unpacker, CONTENT_MAGIC_LEN))
		return false;
	unpacker->ops->end(unpacker);
	unpacker->state = NULL;
	if (content_look(unpacker->next, unpacker->left, &why) == unpacker->content)
		return unpacker->ops->start(unpacker);
	unpacker->done = true;
	return see_what_is_behind(unpacker);
}

static bool unpack_some(struct unpacker *unpacker)
{
	size_t left, len = unpacker->len;

	if (!unpack_fill(unpacker, 1))
		return false;
	left = unpacker->left;
	switch (unpacker->ops->step(unpacker)) {
	case UNPACK_FAILED:
		return false;
	case UNPACK_END:
		return stream_done(unpacker);
	default:
		break;
	}
	if (unpacker->left == left && unpacker->len == len)
		return unpack_cut_off(unpacker) == UNPACK_MORE;
	return true;
}

struct unpacker *unpack_start(struct source *src, enum content content, u64 room)
{
	struct unpacker *unpacker = xmalloc(sizeof(*unpacker));

	memset(unpacker, 0, offsetof(struct unpacker, input));
	unpacker->ops = find_ops(content);
	unpacker->content = content;
	unpacker->src = src;
	unpacker->room = room;
	unpacker->next = unpacker->input;
	if (!unpacker->ops ||
	    (unpack_fill(unpacker, CONTENT_MAGIC_LEN) && unpacker->ops->start(unpacker)))
		return unpacker;
	unpack_end(unpacker);
	return NULL;
}

ssize_t unpack_next(struct unpacker *unpacker, const u8 **piece)
{
	*piece = unpacker->piece;
	if (!unpacker->ops)
		return source_read(unpacker->src, unpacker->piece, sizeof(unpacker->piece));
	unpacker->len = 0;
	while (unpacker->len < sizeof(unpacker->piece) && !unpacker->done) {
		if (!unpack_some(unpacker))
			return -1;
	}
	unpacker->total += unpacker->len;
	if (unpacker->total > unpacker->room) {
		source_error(unpacker->src,
			     "unpacks to more than the %llu bytes of room for it; %s",
			     unpacker->room, "take a larger slot");
		return -1;
	}
	return unpacker->len;
}

void unpack_end(struct unpacker *unpacker)
{
	if (unpacker && unpacker->state)
		unpacker->ops->end(unpacker);
	free(unpacker);
}
