// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unpacking xz and lzma
 */

#include "stage.h"
#include "utils.h"

#include <lzma.h>

#include <stdlib.h>

/* The dictionary, and what the decoder needs beside it */
#define MEMORY_MAX	(UNPACK_WINDOW_MAX + (4 << 20))

static bool start(struct unpacker *unpacker)
{
	static const lzma_stream init = LZMA_STREAM_INIT;
	lzma_stream *stream = xmalloc(sizeof(*stream));
	lzma_ret ret;

	*stream = init;
	unpacker->state = stream;
	if (unpacker->content == CONTENT_XZ)
		ret = lzma_stream_decoder(stream, MEMORY_MAX, 0);
	else
		ret = lzma_alone_decoder(stream, MEMORY_MAX);
	if (ret == LZMA_OK)
		return true;
	source_error(unpacker->src, UNPACK_NO_MEMORY);
	return false;
}

static enum unpack_status step(struct unpacker *unpacker)
{
	lzma_stream *stream = unpacker->state;
	lzma_ret ret;

	stream->next_in = unpacker->next;
	stream->avail_in = unpacker->left;
	stream->next_out = unpacker->piece + unpacker->len;
	stream->avail_out = sizeof(unpacker->piece) - unpacker->len;
	ret = lzma_code(stream, LZMA_RUN);
	unpack_took(unpacker, unpacker->left - stream->avail_in,
		    sizeof(unpacker->piece) - unpacker->len - stream->avail_out);
	switch (ret) {
	case LZMA_OK:
	case LZMA_BUF_ERROR:
		return UNPACK_MORE;
	case LZMA_STREAM_END:
		return UNPACK_END;
	case LZMA_MEMLIMIT_ERROR:
		return unpack_window_too_large(unpacker);
	case LZMA_MEM_ERROR:
		source_error(unpacker->src, UNPACK_NO_MEMORY);
		return UNPACK_FAILED;
	case LZMA_OPTIONS_ERROR:
		return unpack_damaged(unpacker, "liblzma does not know how it is packed");
	default:
		return unpack_damaged(unpacker, "its data is wrong");
	}
}

static void end(struct unpacker *unpacker)
{
	lzma_end(unpacker->state);
	free(unpacker->state);
}

const struct unpack_ops unpack_lzma_ops = {
	.start = start,
	.step = step,
	.end = end,
};
