// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unpacking lz4: frames, and the older format that kernels are packed with (lz4 -l)
 *
 * The older format is a magic number and blocks. Each block has its packed size in front and
 * unpacks to 8 MiB, the last one to less. Nothing marks the end.
 */

#include "stage.h"
#include "utils.h"

#include <lz4.h>
#include <lz4frame.h>

#include <stdlib.h>
#include <string.h>

#define OLD_MAGIC	0x184c2102
#define OLD_BLOCK_LEN	(8 << 20)

/**
 * struct lz4 - unpacking lz4
 * @frame: liblz4's state; NULL for the older format
 * @begun: the magic number was read, of the older format
 * @pos: how much of @out was taken
 * @len: how much there is
 * @packed: a block
 * @out: the same unpacked
 */
struct lz4 {
	LZ4F_dctx *frame;
	bool begun;
	size_t pos;
	size_t len;
	char packed[LZ4_COMPRESSBOUND(OLD_BLOCK_LEN)];
	char out[OLD_BLOCK_LEN];
};

static bool start(struct unpacker *unpacker)
{
	/* Not touched where it is a frame */
	struct lz4 *lz4 = xmalloc(sizeof(*lz4));

	memset(lz4, 0, offsetof(struct lz4, packed));
	unpacker->state = lz4;
	if (unpacker->left >= 4 && get_le32(unpacker->next) == OLD_MAGIC)
		return true;
	if (!LZ4F_isError(LZ4F_createDecompressionContext(&lz4->frame, LZ4F_VERSION)))
		return true;
	source_error(unpacker->src, UNPACK_NO_MEMORY);
	return false;
}

static enum unpack_status frame_step(struct unpacker *unpacker, struct lz4 *lz4)
{
	size_t in = unpacker->left, out = sizeof(unpacker->piece) - unpacker->len, ret;

	ret = LZ4F_decompress(lz4->frame, unpacker->piece + unpacker->len, &out, unpacker->next,
			      &in, NULL);
	if (LZ4F_isError(ret))
		return unpack_damaged(unpacker, LZ4F_getErrorName(ret));
	unpack_took(unpacker, in, out);
	return ret ? UNPACK_MORE : UNPACK_END;
}

/* UNPACK_END where what follows is no block */
static enum unpack_status old_block(struct unpacker *unpacker, struct lz4 *lz4)
{
	size_t size, done, n;
	int len;

	if (!unpack_fill(unpacker, 4))
		return UNPACK_FAILED;
	if (!lz4->begun)
		unpack_took(unpacker, 4, 0);
	lz4->begun = true;
	if (!unpack_fill(unpacker, 4))
		return UNPACK_FAILED;
	size = unpacker->left < 4 ? 0 : get_le32(unpacker->next);
	if (!size || size > sizeof(lz4->packed))
		return UNPACK_END;
	unpack_took(unpacker, 4, 0);
	for (done = 0; done < size; done += n) {
		if (!unpack_fill(unpacker, 1))
			return UNPACK_FAILED;
		n = unpacker->left < size - done ? unpacker->left : size - done;
		if (!n)
			return unpack_cut_off(unpacker);
		memcpy(lz4->packed + done, unpacker->next, n);
		unpack_took(unpacker, n, 0);
	}
	len = LZ4_decompress_safe(lz4->packed, lz4->out, size, sizeof(lz4->out));
	if (len <= 0)
		return unpack_damaged(unpacker, "a block of it is wrong");
	lz4->len = len;
	lz4->pos = 0;
	return UNPACK_MORE;
}

static enum unpack_status step(struct unpacker *unpacker)
{
	struct lz4 *lz4 = unpacker->state;
	enum unpack_status status;
	size_t n;

	if (lz4->frame)
		return frame_step(unpacker, lz4);
	if (lz4->pos == lz4->len) {
		status = old_block(unpacker, lz4);
		if (status != UNPACK_MORE)
			return status;
	}
	n = sizeof(unpacker->piece) - unpacker->len;
	if (n > lz4->len - lz4->pos)
		n = lz4->len - lz4->pos;
	memcpy(unpacker->piece + unpacker->len, lz4->out + lz4->pos, n);
	lz4->pos += n;
	unpack_took(unpacker, 0, n);
	return UNPACK_MORE;
}

static void end(struct unpacker *unpacker)
{
	struct lz4 *lz4 = unpacker->state;

	LZ4F_freeDecompressionContext(lz4->frame);
	free(lz4);
}

const struct unpack_ops unpack_lz4_ops = {
	.start = start,
	.step = step,
	.end = end,
};
