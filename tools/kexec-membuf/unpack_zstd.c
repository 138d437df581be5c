// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Unpacking zstd
 *
 * zstd looks back at what it has unpacked, up to 128 MiB where a kernel was compressed hard.
 * That history lies in the slot already, so it is not kept a second time: all is unpacked into
 * one reserved range of addresses, and what was written to the slot's file is replaced there by
 * a mapping of that file.
 */

#include "stage.h"
#include "utils.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ZSTD_d_stableOutBuffer: what is unpacked stays where it is, and no window is kept */
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>
#include <zstd_errors.h>

/* So much is unpacked, about, before it is replaced */
#define STEP_LEN	0x40000

/*
 * What one call may write: a block has 128 KiB, but libzstd believes the 21 bits of an RLE block's
 * size before it looks whether they are too many
 */
#define CALL_LEN	0x200000

#define MAGIC_LEN	4

/**
 * struct zstd - unpacking zstd
 * @base: what all have
 * @ctx: libzstd's state
 * @out: the range of addresses, and how much is unpacked
 * @room: length of the range
 * @writable: end of what can be written in it
 * @mapped: end of what is the slot's file
 * @given: end of what unpack_next() has returned
 * @want: bytes of input that libzstd asks for
 * @done: the last frame is unpacked
 * @input: bytes that were read
 */
struct zstd {
	struct unpacker base;
	ZSTD_DCtx *ctx;
	ZSTD_outBuffer out;
	size_t room;
	size_t writable;
	size_t mapped;
	size_t given;
	size_t want;
	bool done;
	u8 input[ZSTD_BLOCKSIZE_MAX + MAGIC_LEN];
};

static u8 *out_at(const struct zstd *zstd, size_t pos)
{
	return (u8 *)zstd->out.dst + pos;
}

static bool no_memory(const struct zstd *zstd)
{
	source_error(zstd->base.src, "cannot be unpacked: %s", strerror(ENOMEM));
	return false;
}

static bool make_writable(struct zstd *zstd)
{
	size_t end = zstd->room;

	if (zstd->writable == end || zstd->writable - zstd->out.pos >= CALL_LEN)
		return true;
	if (end - zstd->writable > CALL_LEN + STEP_LEN)
		end = zstd->writable + CALL_LEN + STEP_LEN;
	if (mprotect(out_at(zstd, zstd->writable), end - zstd->writable, PROT_READ | PROT_WRITE))
		return no_memory(zstd);
	zstd->writable = end;
	return true;
}

static bool decode_error(const struct zstd *zstd, size_t ret)
{
	const struct source *src = zstd->base.src;

	switch (ZSTD_getErrorCode(ret)) {
	case ZSTD_error_dstSize_tooSmall:
		source_error(src, "unpacks to more than the %zu bytes of room for it; %s",
			     zstd->out.size, "take a larger slot");
		break;
	case ZSTD_error_memory_allocation:
		return no_memory(zstd);
	default:
		source_error(src, "is damaged: %s; get the file again", ZSTD_getErrorName(ret));
	}
	return false;
}

/* One block at most, since no more is given than was asked for */
static bool decode(struct zstd *zstd, size_t len)
{
	ZSTD_inBuffer in = { .src = zstd->input, .size = len };
	size_t ret;

	while (in.pos < in.size) {
		if (!make_writable(zstd))
			return false;
		ret = ZSTD_decompressStream(zstd->ctx, &zstd->out, &in);
		if (ZSTD_isError(ret))
			return decode_error(zstd, ret);
		zstd->want = ret;
	}
	return true;
}

/* Behind a frame there is another one, or what does not belong to it */
static bool next_frame(struct zstd *zstd)
{
	const char *why;
	ssize_t n = source_read(zstd->base.src, zstd->input, MAGIC_LEN);

	if (n < 0)
		return false;
	if (n == MAGIC_LEN && content_look(zstd->input, n, &why) == CONTENT_ZSTD)
		return decode(zstd, n);
	zstd->done = true;
	return unpack_trailing(zstd->base.src, zstd->input, n);
}

static bool next_block(struct zstd *zstd)
{
	size_t len = zstd->want < sizeof(zstd->input) ? zstd->want : sizeof(zstd->input);
	ssize_t n = source_read(zstd->base.src, zstd->input, len);

	if (n < 0)
		return false;
	if ((size_t)n < len) {
		source_error(zstd->base.src, UNPACK_CUT_OFF);
		return false;
	}
	return decode(zstd, len);
}

static ssize_t zstd_next(struct unpacker *unpacker, const u8 **piece)
{
	struct zstd *zstd = (struct zstd *)unpacker;
	size_t len;

	while (!zstd->done && zstd->out.pos - zstd->given < UNPACK_PIECE_LEN) {
		if (!(zstd->want ? next_block(zstd) : next_frame(zstd)))
			return -1;
	}
	*piece = out_at(zstd, zstd->given);
	len = zstd->out.pos - zstd->given;
	zstd->given = zstd->out.pos;
	return len;
}

static bool can_be_mapped(int fd)
{
	void *page = mmap(NULL, 1, PROT_READ, MAP_SHARED, fd, 0);

	if (page == MAP_FAILED)
		return false;
	munmap(page, 1);
	return true;
}

static bool zstd_written(struct unpacker *unpacker, int fd)
{
	struct zstd *zstd = (struct zstd *)unpacker;
	size_t end = zstd->given & -(size_t)sysconf(_SC_PAGESIZE);

	/* Where files of the stash cannot be mapped it takes more memory */
	if (zstd->given - zstd->mapped < STEP_LEN || !can_be_mapped(fd))
		return true;
	if (mmap(out_at(zstd, zstd->mapped), end - zstd->mapped, PROT_READ, MAP_SHARED | MAP_FIXED,
		 fd, zstd->mapped) == MAP_FAILED)
		return no_memory(zstd);
	zstd->mapped = end;
	return true;
}

static void zstd_end(struct unpacker *unpacker)
{
	struct zstd *zstd = (struct zstd *)unpacker;

	ZSTD_freeDCtx(zstd->ctx);
	if (zstd->out.dst)
		munmap(zstd->out.dst, zstd->room);
	free(zstd);
}

static const struct unpack_ops zstd_ops = {
	.next = zstd_next,
	.written = zstd_written,
	.end = zstd_end,
};

static bool set_up(struct zstd *zstd)
{
	ZSTD_bounds window = ZSTD_dParam_getBounds(ZSTD_d_windowLogMax);
	void *range;

	zstd->ctx = ZSTD_createDCtx();
	range = mmap(NULL, zstd->room, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		     -1, 0);
	if (!zstd->ctx || range == MAP_FAILED)
		return no_memory(zstd);
	zstd->out.dst = range;
	zstd->out.size = zstd->room;
	if (ZSTD_isError(ZSTD_DCtx_setParameter(zstd->ctx, ZSTD_d_stableOutBuffer, 1)) ||
	    ZSTD_isError(ZSTD_DCtx_setParameter(zstd->ctx, ZSTD_d_windowLogMax,
						window.upperBound))) {
		source_error(zstd->base.src, "cannot be unpacked: libzstd %s is not known here",
			     ZSTD_versionString());
		return false;
	}
	return true;
}

struct unpacker *unpack_zstd_start(struct source *src, u64 room)
{
	struct zstd *zstd = xmalloc(sizeof(*zstd));

	memset(zstd, 0, sizeof(*zstd));
	zstd->base.ops = &zstd_ops;
	zstd->base.src = src;
	zstd->room = room;
	if (set_up(zstd))
		return &zstd->base;
	zstd_end(&zstd->base);
	return NULL;
}
