// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "stage" command
 */

#include "command.h"
#include "stage.h"
#include "utils.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * struct stage - a payload that is being staged
 * @args: what the command line asks for
 * @sources: what is to be staged
 * @writer: writes it
 * @cmdline: the command line, NULL for none
 * @cmdline_buf: room for it
 * @result: the slot as it is afterwards
 * @ns: how long it took
 */
struct stage {
	const struct args *args;
	struct stage_sources sources;
	struct slot_writer writer;
	const char *cmdline;
	char cmdline_buf[KEXEC_STASH_BOOTARGS_LEN];
	struct slot result;
	u64 ns;
};

static bool write_piece(struct stage *stage, unsigned int id, const u8 *piece, size_t len)
{
	u64 room = KEXEC_STASH_BOOTARGS_LEN - 1;

	if (id != SLOT_CMDLINE)
		room = stage_sources_room(&stage->sources, id,
					  stage->writer.size[KEXEC_STASH_KERNEL]);
	return slot_writer_write(&stage->writer, id, piece, len, room);
}

/* All of a source, piece by piece; the first one may have been taken from it before */
static bool write_source(struct stage *stage, enum kexec_stash_file_id id,
			 struct unpacker *unpacker, const u8 *piece, ssize_t len)
{
	struct source *src = &stage->sources.src[id];
	struct slot_writer *writer = &stage->writer;

	progress_start(stage->args->slot.name, slot_file_name(id), src->size);
	if (!slot_writer_open(writer, id))
		return false;
	if (!piece)
		len = unpack_next(unpacker, &piece);
	while (len > 0) {
		if (!write_piece(stage, id, piece, len))
			return false;
		progress_show(src->pos, writer->size[id]);
		len = unpack_next(unpacker, &piece);
	}
	if (len < 0 || !source_finish(src))
		return false;
	progress_done(writer->size[id]);
	return true;
}

static bool write_kernel(struct stage *stage)
{
	struct kernel_source *kernel = &stage->sources.kernel;

	return write_source(stage, KEXEC_STASH_KERNEL, kernel->unpacker, kernel->piece,
			    kernel->len);
}

static bool write_initrd(struct stage *stage)
{
	struct source *src = &stage->sources.src[KEXEC_STASH_INITRD];
	struct unpacker *unpacker;
	bool ok;

	if (!src->name)
		return true;
	/* The kernel unpacks it */
	unpacker = unpack_start(src, CONTENT_OTHER, 0);
	ok = unpacker && write_source(stage, KEXEC_STASH_INITRD, unpacker, NULL, 0);
	unpack_end(unpacker);
	return ok;
}

static bool write_small(struct stage *stage, unsigned int id, const void *buf, size_t len)
{
	if (!len)
		return true;
	progress_start(stage->args->slot.name, slot_file_name(id), len);
	if (!slot_writer_open(&stage->writer, id) || !write_piece(stage, id, buf, len))
		return false;
	progress_done(len);
	return true;
}

static bool write_all(struct stage *stage)
{
	const struct stage_sources *sources = &stage->sources;

	return slot_writer_empty(&stage->writer) && write_kernel(stage) && write_initrd(stage) &&
	       write_small(stage, KEXEC_STASH_DTB, sources->dtb, sources->dtb_size) &&
	       write_small(stage, SLOT_CMDLINE, stage->cmdline,
			   stage->cmdline ? strlen(stage->cmdline) : 0);
}

/* "sha256 crc32", to be freed */
static char *join_sums(const struct source *src)
{
	char *list = xasprintf("%s", "");
	size_t i;

	for (i = 0; i < src->nr_sums; i++) {
		char *old = list;

		list = xasprintf("%s%s%s", old, i ? " " : "", src->sums[i].algo);
		free(old);
	}
	return list;
}

static const char *packed_from(const struct stage *stage, enum kexec_stash_file_id id)
{
	return id == KEXEC_STASH_KERNEL ? stage->sources.kernel.packed : "";
}

static void print_file(const struct stage *stage, enum kexec_stash_file_id id)
{
	const char *packed = packed_from(stage, id), *image = stage->sources.fit.image[id].name;
	u64 size = stage->result.file_size[id];
	char buf[HUMAN_SIZE_LEN], *sums;

	if (!size) {
		printf("  %-7s none\n", kexec_stash_file_name(id));
		return;
	}
	sums = join_sums(&stage->sources.src[id]);
	printf("  %-7s %12llu bytes (%s)", kexec_stash_file_name(id), size, human_size(size, buf));
	if (packed[0])
		printf(", unpacked from %s", packed);
	if (image)
		printf(", image '%s'", image);
	if (sums[0])
		printf(", %s checked", sums);
	putchar('\n');
	free(sums);
}

static void print_text(const struct stage *stage)
{
	int id;

	printf("slot '%s': staged in %llu.%03llu s\n", stage->args->slot.name,
	       stage->ns / 1000000000, stage->ns / 1000000 % 1000);
	if (stage->sources.fit.conf)
		printf("  configuration '%s'\n", stage->sources.fit.conf);
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		print_file(stage, id);
	printf("  cmdline %s\n", stage->cmdline && stage->cmdline[0] ? stage->cmdline : "none");
}

static void add_file(struct json_object *obj, enum kexec_stash_file_id id, const void *data)
{
	const struct stage *stage = data;
	const struct args *args = stage->args;
	char *sums = join_sums(&stage->sources.src[id]);

	json_add_string(obj, "source", args->fit ? stage->sources.fit_path : args->path[id]);
	json_add_string(obj, "image", stage->sources.fit.image[id].name);
	json_add_string(obj, "unpacked_from", packed_from(stage, id));
	json_add_string(obj, "checked", sums);
	free(sums);
}

static void print_json(const struct stage *stage)
{
	struct json_object *obj = json_object_new_object();

	json_add_string(obj, "slot", stage->result.name);
	json_add_string(obj, "state", stage->result.state);
	json_add_files(obj, stage->result.file_size, add_file, stage);
	json_add(obj, "cmdline", json_object_new_string(stage->cmdline ? stage->cmdline : ""));
	json_add_string(obj, "configuration", stage->sources.fit.conf);
	json_add_number(obj, "stage_ns", stage->ns);
	json_print(obj);
}

/* Nothing of the slot is changed before all that can be known is known */
static bool stage_payload(struct stage *stage)
{
	const struct args *args = stage->args;
	const struct slot *slot = &args->slot;
	int lock = slot_lock(args->stash, slot->name);
	u64 start = now_ns();
	bool ok;

	ok = lock >= 0 && slot_changeable(slot) &&
	     args_cmdline(args, stage->cmdline_buf, &stage->cmdline) &&
	     slot_writer_begin(&stage->writer, args->stash, slot) &&
	     stage_sources_open(&stage->sources, args->stash, slot, args->path, args->fit) &&
	     write_all(stage) && slot_writer_commit(&stage->writer, &stage->result);
	slot_writer_end(&stage->writer);
	stage->ns = now_ns() - start;
	if (ok && args->json)
		print_json(stage);
	else if (ok)
		print_text(stage);
	stage_sources_close(&stage->sources);
	close_fd(lock);
	return ok;
}

int cmd_stage_check(const struct args *args)
{
	int id, files = 0, stdins = 0;

	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		files += !!args->path[id];
		stdins += args->path[id] && !strcmp(args->path[id], "-");
	}
	if (args->fit && files)
		return misuse(args->cmd, "--fit excludes --kernel, --initrd and --dtb");
	if (!args->fit && !args->path[KEXEC_STASH_KERNEL])
		return misuse(args->cmd, "--kernel or --fit is missing");
	if (stdins > 1)
		return misuse(args->cmd, "only one file can come from standard input");
	return STATUS_DONE;
}

int cmd_stage(const struct args *args)
{
	struct stage *stage = xmalloc(sizeof(*stage));
	bool ok;

	memset(stage, 0, sizeof(*stage));
	stage->args = args;
	ok = stage_payload(stage);
	free(stage);
	return ok ? STATUS_DONE : STATUS_FAILED;
}
