/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is staged: files, FITs and packed kernels, looked at and read piece by piece
 */
#ifndef STAGE_H
#define STAGE_H

#include "slot.h"

#include <openssl/types.h>

#include <sys/stat.h>
#include <sys/types.h>

/* What a file is, by its first bytes; these are not trusted */

/**
 * struct file_range - a part of a file
 * @offset: where it starts
 * @size: its length in bytes
 */
struct file_range {
	u64 offset;
	u64 size;
};

/* As many as all magic numbers of packed files have at most */
#define CONTENT_MAGIC_LEN	6

/**
 * enum content - what a file is
 * @CONTENT_IMAGE: an arm64 Image
 * @CONTENT_GZIP: compressed with gzip
 * @CONTENT_ZSTD: compressed with zstd
 * @CONTENT_XZ: compressed with xz
 * @CONTENT_LZMA: compressed with lzma
 * @CONTENT_LZ4: compressed with lz4, as frames or in the older format of kernels
 * @CONTENT_ZBOOT: an EFI zboot image
 * @CONTENT_OTHER: no kernel for this machine, or one that cannot be unpacked here
 */
enum content {
	CONTENT_IMAGE,
	CONTENT_GZIP,
	CONTENT_ZSTD,
	CONTENT_XZ,
	CONTENT_LZMA,
	CONTENT_LZ4,
	CONTENT_ZBOOT,
	CONTENT_OTHER
};

/**
 * content_look() - find out what a file is
 * @head: its first bytes
 * @len: how many there are at @head
 * @why: set to what it is and what to do, for CONTENT_OTHER
 *
 * Return: what it is.
 */
enum content content_look(const u8 *head, size_t len, const char **why);

/**
 * content_initrd_fault() - find out whether a file can be no initrd
 * @head: its first bytes
 * @len: how many there are at @head
 *
 * Hardly anything can be known of it: the kernel unpacks it, and knows more archives than one.
 *
 * Return: what it is and what to do, or NULL.
 */
const char *content_initrd_fault(const u8 *head, size_t len);

/* The checksums that a FIT has of its images */

/* Longest digest */
#define DIGEST_LEN		64

/* Room for the name of an algorithm, the NUL included */
#define CHECKSUM_ALGO_LEN	16

/**
 * struct checksum - a checksum that bytes must have
 * @algo: the algorithm: "crc32", "md5", "sha1", "sha256", "sha384" or "sha512"
 * @want: what it must be
 * @len: its length in bytes
 * @crc: the checksum so far, for "crc32"
 * @ctx: the digest so far, for all others
 */
struct checksum {
	char algo[CHECKSUM_ALGO_LEN];
	u8 want[DIGEST_LEN];
	unsigned int len;
	u32 crc;
	EVP_MD_CTX *ctx;
};

/**
 * checksum_start() - begin a checksum
 * @sum: filled in; to be freed with checksum_free() also on failure
 * @algo: the algorithm
 * @value: what it must be
 * @len: how many bytes there are at @value
 *
 * Return: NULL, or what is wrong with it.
 */
const char *checksum_start(struct checksum *sum, const char *algo, const void *value, size_t len);

/**
 * checksum_update() - take the next bytes
 * @sum: the checksum
 * @buf: the bytes
 * @len: how many there are
 */
void checksum_update(struct checksum *sum, const void *buf, size_t len);

/**
 * checksum_matches() - whether all bytes together have the checksum
 * @sum: the checksum; it takes no more bytes
 *
 * Return: true if they have.
 */
bool checksum_matches(struct checksum *sum);

/**
 * checksum_free() - free what checksum_start() filled in
 * @sum: the checksum
 */
void checksum_free(struct checksum *sum);

/* Where the bytes of a payload's file come from */

/* Bytes of a source's start that can be looked at before they are read */
#define SOURCE_PEEK_LEN	1024

/**
 * struct source - where the bytes of a payload's file come from
 * @slot: name of the slot, for messages
 * @file: name of the payload's file, for messages
 * @name: what the user calls the source, for messages; NULL if there is none
 * @fd: its descriptor
 * @st: what it was like when it was opened
 * @start: where it starts in the file
 * @size: its size in bytes, or SOURCE_SIZE_UNKNOWN
 * @pos: how much was read of it
 * @left: bytes until the end of the part that source_narrow() chose
 * @narrowed: whether it did
 * @peek: its first bytes
 * @peek_len: how many there are
 * @sums: checksums that it must have
 * @nr_sums: how many these are
 */
struct source {
	const char *slot;
	const char *file;
	char *name;
	int fd;
	struct stat st;
	u64 start;
	u64 size;
	u64 pos;
	u64 left;
	bool narrowed;
	u8 peek[SOURCE_PEEK_LEN];
	size_t peek_len;
	struct checksum *sums;
	size_t nr_sums;
};

/**
 * source_open() - open a file to stage from
 * @src: filled in, to be closed with source_close() also on failure
 * @slot: name of the slot
 * @file: name of the payload's file
 * @path: the file's path, or "-" for standard input
 *
 * Return: true, or false after a message.
 */
bool source_open(struct source *src, const char *slot, const char *file, const char *path);

/**
 * source_open_part() - stage from a part of a file
 * @src: filled in, to be closed with source_close() also on failure; it takes over @sums
 * @whole: the file, opened with source_open()
 * @file: name of the payload's file
 * @name: name of the part, for messages
 * @range: where it is
 * @sums: checksums that it must have, to be freed
 * @nr_sums: how many these are
 *
 * Return: true, or false after a message.
 */
bool source_open_part(struct source *src, const struct source *whole, const char *file,
		      const char *name, const struct file_range *range, struct checksum *sums,
		      size_t nr_sums);

/**
 * source_close() - close a source
 * @src: the source, or one that is all zero
 */
void source_close(struct source *src);

/**
 * source_peek() - read the first bytes, for a look at them
 * @src: the source; its @peek is filled in
 *
 * Return: true, or false after a message, also if there is not a byte.
 */
bool source_peek(struct source *src);

/**
 * source_narrow() - leave out what is before and behind a part
 * @src: the source, of which nothing was read yet
 * @range: the part
 *
 * Return: true, or false after a message.
 */
bool source_narrow(struct source *src, const struct file_range *range);

/**
 * source_read() - read the next bytes
 * @src: the source
 * @buf: filled in
 * @len: at most so many bytes
 *
 * Return: how many there are, fewer than @len only at its end; or -1 after a message.
 */
ssize_t source_read(struct source *src, void *buf, size_t len);

/**
 * source_finish() - read what is left, and see whether all was as it should be
 * @src: the source
 *
 * Return: true, or false after a message.
 */
bool source_finish(struct source *src);

/**
 * source_error() - say what is wrong with a source
 * @src: the source
 * @format: as error_msg()'s: what is wrong, and what to do
 */
__attribute__((__format__(__printf__, 2, 3)))
void source_error(const struct source *src, const char *format, ...);

/**
 * source_notice() - say what is worth knowing of a source
 * @src: the source
 * @format: as error_msg()'s
 */
__attribute__((__format__(__printf__, 2, 3)))
void source_notice(const struct source *src, const char *format, ...);

/* Unpacking a file while it is read */

/* Bytes of a piece, as a rule; only the last one has fewer */
#define UNPACK_PIECE_LEN	0x20000
#define UNPACK_INPUT_LEN	0x10000

/* As far as a packed file may look back: what kernels are packed with (zstd --ultra -22, xz -9) */
#define UNPACK_WINDOW_LOG	27
#define UNPACK_WINDOW_MAX	(128ULL << 20)

#define UNPACK_NO_MEMORY	"cannot be unpacked: out of memory"

/**
 * enum unpack_status - what came of a step
 * @UNPACK_MORE: there may be more
 * @UNPACK_END: the stream is unpacked
 * @UNPACK_FAILED: it cannot be, after a message
 */
enum unpack_status {
	UNPACK_MORE,
	UNPACK_END,
	UNPACK_FAILED
};

struct unpacker;

/**
 * struct unpack_ops - how one kind of file is unpacked
 * @start: begin a stream; its first bytes are there as input. False after a message
 * @step: take input, add to the piece, see unpack_took(); no progress is the end of what is cut off
 * @end: free what @start made
 */
struct unpack_ops {
	bool (*start)(struct unpacker *unpacker);
	enum unpack_status (*step)(struct unpacker *unpacker);
	void (*end)(struct unpacker *unpacker);
};

/**
 * struct unpacker - a file that is being unpacked
 * @ops: how; NULL if it is not packed
 * @content: what it is
 * @src: where the bytes come from
 * @room: how long the outcome may become
 * @total: how long it is so far
 * @state: what @ops keep
 * @done: all is unpacked
 * @next: input that was not taken yet
 * @left: how many bytes there are
 * @len: bytes in @piece
 * @input: bytes that were read
 * @piece: bytes that were unpacked
 */
struct unpacker {
	const struct unpack_ops *ops;
	enum content content;
	struct source *src;
	u64 room;
	u64 total;
	void *state;
	bool done;
	const u8 *next;
	size_t left;
	size_t len;
	u8 input[UNPACK_INPUT_LEN];
	u8 piece[UNPACK_PIECE_LEN];
};

/**
 * unpack_known() - whether a kind of packed file can be unpacked
 * @content: the kind
 *
 * Return: true if it can; some libraries may have been left out of the build.
 */
bool unpack_known(enum content content);

/**
 * unpack_start() - begin to unpack
 * @src: where the bytes come from; stays the caller's
 * @content: how they are packed; not at all if unpack_known() does not know it
 * @room: how long the outcome of a packed file may become
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
 * unpack_end() - free what unpack_start() returned
 * @unpacker: it, or NULL
 */
void unpack_end(struct unpacker *unpacker);

extern const struct unpack_ops unpack_lzma_ops;
extern const struct unpack_ops unpack_lz4_ops;

/**
 * unpack_took() - a step took input and made output
 * @unpacker: the file that is being unpacked
 * @in: bytes that were taken from @next
 * @out: bytes that were added to @piece
 */
void unpack_took(struct unpacker *unpacker, size_t in, size_t out);

/**
 * unpack_fill() - read on, for a step that needs more input
 * @unpacker: the file that is being unpacked
 * @want: bytes that should be left; fewer are at the file's end
 *
 * Return: true, or false after a message.
 */
bool unpack_fill(struct unpacker *unpacker, size_t want);

/**
 * unpack_damaged() - say that a file is damaged
 * @unpacker: the file that is being unpacked
 * @why: how
 *
 * Return: UNPACK_FAILED, as unpack_window_too_large() and unpack_cut_off(), which say just that.
 */
enum unpack_status unpack_damaged(const struct unpacker *unpacker, const char *why);
enum unpack_status unpack_window_too_large(const struct unpacker *unpacker);
enum unpack_status unpack_cut_off(const struct unpacker *unpacker);

/* A FIT, which is not trusted: of which images a configuration is made, and where these are */

/* Checksums of one image at most */
#define FIT_SUMS_MAX	8

/* Longest text of what is wrong with a FIT, the NUL included */
#define FIT_WHY_LEN	512

/**
 * struct fit_image - an image of a FIT
 * @name: its name, printable; NULL if the configuration has none of the kind
 * @comp: its compression, printable, or NULL
 * @data: where its bytes are in the file
 * @sums: checksums that these have
 * @nr_sums: how many there are
 */
struct fit_image {
	char *name;
	char *comp;
	struct file_range data;
	struct checksum *sums;
	size_t nr_sums;
};

/**
 * struct fit - what is staged of a FIT
 * @conf: name of the configuration, printable
 * @image: its images, by the file of the payload that each is
 * @unused: what the configuration names beside these, printable, or NULL
 */
struct fit {
	char *conf;
	struct fit_image image[KEXEC_STASH_NR_FILES];
	char *unused;
};

/**
 * fit_read() - find a configuration's images in a FIT
 * @buf: the file
 * @size: its size in bytes
 * @conf: name of the configuration, NULL for the FIT's default
 * @fit: filled in, to be freed with fit_free() also on failure; nothing in it leads into @buf
 * @why: FIT_WHY_LEN bytes, set to what is wrong on failure
 *
 * Only the tree is looked at, not the images' bytes.
 *
 * Return: true, or false if it cannot be staged.
 */
bool fit_read(const void *buf, u64 size, const char *conf, struct fit *fit, char *why);

/**
 * fit_free() - free what fit_read() filled in
 * @fit: all zero afterwards
 */
void fit_free(struct fit *fit);

/* A kernel to be staged: what it is, unpacked as it is read */

/* Room for what a kernel was unpacked from, the NUL included */
#define KERNEL_PACKED_LEN	16

/**
 * struct kernel_source - a kernel to be staged
 * @src: where its bytes come from
 * @unpacker: unpacks them
 * @piece: its first bytes, unpacked
 * @len: how many these are
 * @image: what its header says
 * @packed: what it is unpacked from: "gzip", "zboot-zstd", "" for an Image
 */
struct kernel_source {
	struct source *src;
	struct unpacker *unpacker;
	const u8 *piece;
	ssize_t len;
	struct kexec_stash_image image;
	char packed[KERNEL_PACKED_LEN];
};

/**
 * kernel_source_start() - find out what a kernel is, and begin to unpack it
 * @kernel: filled in, to be ended with kernel_source_end() also on failure
 * @src: where its bytes come from; stays the caller's
 * @comp: how it is said to be compressed: "gzip", "none"; NULL if nothing is said
 * @room: how much memory it may own
 *
 * Return: true, or false after a message if it cannot be staged.
 */
bool kernel_source_start(struct kernel_source *kernel, struct source *src, const char *comp,
			 u64 room);

/**
 * kernel_source_end() - free what kernel_source_start() filled in
 * @kernel: the kernel, or one that is all zero
 */
void kernel_source_end(struct kernel_source *kernel);

/* All that is to be staged: opened and looked at as far as it can be before a slot is changed */

/**
 * struct stage_sources - what is to be staged
 * @slot: the slot
 * @src: where the files come from; not open for those that are not given
 * @fit_path: path of the FIT
 * @whole: the FIT's file
 * @fit: what is in the FIT
 * @kernel: the kernel
 * @dtb: the whole dtb, or NULL
 * @dtb_size: its size in bytes
 */
struct stage_sources {
	const struct slot *slot;
	struct source src[KEXEC_STASH_NR_FILES];
	char *fit_path;
	struct source whole;
	struct fit fit;
	struct kernel_source kernel;
	u8 *dtb;
	size_t dtb_size;
};

/**
 * stage_sources_open() - open what is to be staged, and check it
 * @sources: filled in, to be closed with stage_sources_close() also on failure
 * @stash: descriptor from stash_open()
 * @slot: the slot; stays the caller's
 * @paths: the files, "-" for standard input, NULL for those that are not given
 * @fit: a FIT in place of these, and "#" and the name of a configuration where it is not the
 *	default one; or NULL
 *
 * Return: true, or false after a message.
 */
bool stage_sources_open(struct stage_sources *sources, int stash, const struct slot *slot,
			const char * const *paths, const char *fit);

/**
 * stage_sources_room() - how long a file may be
 * @sources: what is to be staged
 * @id: the file
 * @kernel_size: size of the kernel, 0 if it is not known yet
 *
 * Return: room for it, in bytes.
 */
u64 stage_sources_room(const struct stage_sources *sources, enum kexec_stash_file_id id,
		       u64 kernel_size);

/**
 * stage_sources_close() - close what was opened
 * @sources: what is to be staged, or all zero
 */
void stage_sources_close(struct stage_sources *sources);

#endif /* STAGE_H */
