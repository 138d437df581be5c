// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "stage" command
 */

#include "cmdline.h"
#include "command.h"
#include "progress.h"
#include "slot_write.h"
#include "stage_result.h"
#include "stage_sources.h"
#include "utils.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/**
 * struct stage_args - what the command line asks for
 * @slot: name of the slot
 * @path: the files, NULL for those that are not given
 * @fit: a FIT with these, or NULL
 * @cmdline: the command line, or NULL
 * @reuse_cmdline: take the running kernel's
 * @json: print JSON
 */
struct stage_args {
	const char *slot;
	const char *path[KEXEC_STASH_NR_FILES];
	char *fit;
	const char *cmdline;
	bool reuse_cmdline;
	bool json;
};

/**
 * struct stage - a payload that is being staged
 * @args: what the command line asks for
 * @slot: the slot as it was before
 * @sources: what is to be staged
 * @writer: writes it
 * @cmdline: the command line, NULL for none
 * @cmdline_buf: room for it
 */
struct stage {
	const struct stage_args *args;
	struct slot slot;
	struct stage_sources sources;
	struct slot_writer writer;
	const char *cmdline;
	char cmdline_buf[KEXEC_STASH_BOOTARGS_LEN];
};

static const struct option longopts[] = {
	{ "kernel",		required_argument, NULL, OPT_KERNEL },
	{ "initrd",		required_argument, NULL, OPT_INITRD },
	{ "dtb",		required_argument, NULL, OPT_DTB },
	{ "fit",		required_argument, NULL, OPT_FIT },
	{ "command-line",	required_argument, NULL, OPT_COMMAND_LINE },
	{ "reuse-cmdline",	no_argument, NULL, OPT_REUSE_CMDLINE },
	{ "json",		no_argument, NULL, OPT_JSON },
	{ "help",		no_argument, NULL, OPT_HELP },
	{ "version",		no_argument, NULL, OPT_VERSION },
	{}
};

/* "FILE#CONF", unless there is a file of that very name. Cuts @fit at the '#' */
static const char *split_fit(char *fit)
{
	char *hash = strrchr(fit, '#');

	if (!hash || !access(fit, F_OK))
		return NULL;
	*hash = '\0';
	return hash + 1;
}

static bool open_sources(struct stage *stage, int stash)
{
	const struct stage_args *args = stage->args;
	const char *conf;

	if (!args->fit)
		return stage_sources_open(&stage->sources, stash, &stage->slot, args->path);
	conf = split_fit(args->fit);
	return stage_sources_open_fit(&stage->sources, stash, &stage->slot, args->fit, conf);
}

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

	progress_start(stage->slot.name, slot_file_name(id), src->size);
	if (!slot_writer_open(writer, id))
		return false;
	if (!piece)
		len = unpack_next(unpacker, &piece);
	while (len > 0) {
		if (!write_piece(stage, id, piece, len) || !unpack_written(unpacker, writer->back))
			return false;
		progress_show(src->pos, writer->size[id]);
		len = unpack_next(unpacker, &piece);
	}
	if (len < 0 || !source_finish(src))
		return false;
	slot_writer_close(writer);
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

	if (!source_is_open(src))
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
	progress_start(stage->slot.name, slot_file_name(id), len);
	if (!slot_writer_open(&stage->writer, id) || !write_piece(stage, id, buf, len))
		return false;
	slot_writer_close(&stage->writer);
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

static void print_result(const struct stage *stage, struct stage_result *result)
{
	const struct stage_sources *sources = &stage->sources;
	const struct stage_args *args = stage->args;
	char *sums[KEXEC_STASH_NR_FILES] = {};
	int id;

	result->cmdline = stage->cmdline;
	result->conf = sources->fit.conf;
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		if (!source_is_open(&sources->src[id]))
			continue;
		sums[id] = join_sums(&sources->src[id]);
		result->file[id].source = args->fit ? args->fit : args->path[id];
		result->file[id].image = sources->fit.image[id].name;
		result->file[id].hashes = sums[id];
		result->file[id].packed = id == KEXEC_STASH_KERNEL ? sources->kernel.packed : "";
	}
	if (args->json)
		stage_result_print_json(result);
	else
		stage_result_print(result);
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++)
		free(sums[id]);
}

/* Nothing of the slot is changed before all that can be known is known */
static bool stage_payload(int root, struct stage *stage)
{
	const struct stage_args *args = stage->args;
	int stash = stash_open(root), lock = -1;
	struct stage_result result = {};
	u64 start = now_ns();
	bool ok = false;

	if (stash < 0 || !slot_read(stash, args->slot, &stage->slot))
		goto out;
	lock = slot_lock(stash, args->slot);
	if (lock < 0 || !slot_changeable(&stage->slot))
		goto out;
	if (!cmdline_get(root, args->slot, args->cmdline, args->reuse_cmdline, stage->cmdline_buf,
			 &stage->cmdline))
		goto out;
	if (!slot_writer_begin(&stage->writer, stash, &stage->slot))
		goto out;
	if (!open_sources(stage, stash) || !write_all(stage))
		goto out;
	if (!slot_writer_commit(&stage->writer, &result.slot))
		goto out;
	result.ns = now_ns() - start;
	ok = true;
out:
	slot_writer_end(&stage->writer);
	if (ok)
		print_result(stage, &result);
	stage_sources_close(&stage->sources);
	close_fd(lock);
	close_fd(stash);
	return ok;
}

/* Whether an option that takes a file is given, and how often it is standard input */
static int count_files(const struct stage_args *args, int *stdins)
{
	int id, n = 0;

	*stdins = 0;
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		if (!args->path[id])
			continue;
		n++;
		*stdins += !strcmp(args->path[id], "-");
	}
	return n;
}

static int check_args(const struct command *cmd, const struct stage_args *args)
{
	int stdins, files = count_files(args, &stdins);

	if (args->fit && files)
		return misuse(cmd, "--fit excludes --kernel, --initrd and --dtb");
	if (!args->fit && !args->path[KEXEC_STASH_KERNEL])
		return misuse(cmd, "--kernel or --fit is missing");
	if (stdins > 1)
		return misuse(cmd, "only one file can come from standard input");
	if (args->cmdline && args->reuse_cmdline)
		return misuse(cmd, "--command-line and --reuse-cmdline exclude each other");
	return STATUS_DONE;
}

/* STATUS_DONE where there is something to do, and -1 then; or the exit status */
static int parse(const struct command *cmd, int argc, char *argv[], struct stage_args *args)
{
	int c;

	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, longopts, NULL)) != -1) {
		switch (c) {
		case OPT_KERNEL:
			args->path[KEXEC_STASH_KERNEL] = optarg;
			break;
		case OPT_INITRD:
			args->path[KEXEC_STASH_INITRD] = optarg;
			break;
		case OPT_DTB:
			args->path[KEXEC_STASH_DTB] = optarg;
			break;
		case OPT_FIT:
			args->fit = optarg;
			break;
		case OPT_COMMAND_LINE:
			args->cmdline = optarg;
			break;
		case OPT_REUSE_CMDLINE:
			args->reuse_cmdline = true;
			break;
		case OPT_JSON:
			args->json = true;
			break;
		default:
			return common_option(cmd, c, argv);
		}
	}
	if (check_operands(cmd, argc, argv, 1) || check_args(cmd, args))
		return STATUS_MISUSE;
	args->slot = argv[optind];
	return -1;
}

int cmd_stage(const struct command *cmd, int root, int argc, char *argv[])
{
	struct stage_args args = {};
	struct stage *stage;
	int status;

	status = parse(cmd, argc, argv, &args);
	if (status >= 0)
		return status;

	stage = xmalloc(sizeof(*stage));
	memset(stage, 0, sizeof(*stage));
	stage->args = &args;
	status = stage_payload(root, stage) ? STATUS_DONE : STATUS_FAILED;
	free(stage);
	return status;
}
