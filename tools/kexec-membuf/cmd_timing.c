// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "timing" command: where the time of the kexec went that started this kernel
 */

#include "command.h"
#include "utils.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define TIMING	"/sys/kernel/kexec/timing"

/* What the kernel shows, a line each, in this order */
enum number {
	FREQUENCY,
	REBOOT,
	JUMP,
	ENTRY,
	INIT,
	NR_NUMBERS
};

static const char * const number_names[NR_NUMBERS] = {
	[FREQUENCY] = "frequency",
	[REBOOT] = "reboot",
	[JUMP] = "jump",
	[ENTRY] = "entry",
	[INIT] = "init",
};

/* A number that is unknown */
#define UNKNOWN		(~0ULL)

/* Parts of the black-out, and all of it */
static const struct part {
	const char *name;
	const char *what;
	enum number from;
	enum number to;
} parts[] = {
	{ "shutdown", "from the start of the shutdown to the jump", REBOOT, JUMP },
	{ "jump", "from the jump to kernel entry", JUMP, ENTRY },
	{ "boot", "from kernel entry to the first process", ENTRY, INIT },
	{ "total", "from the start of the shutdown to the first process", REBOOT, INIT },
};

#define NR_PARTS	ARRAY_SIZE(parts)

static bool parse_value(const char *line, const char *name, u64 *val)
{
	size_t len = strlen(name);
	char *end;

	if (strncmp(line, name, len) || line[len] != ' ')
		return false;
	line += len + 1;
	*val = UNKNOWN;
	if (!strcmp(line, "unknown"))
		return true;
	if (!strspn(line, "0123456789"))
		return false;
	errno = 0;
	*val = strtoull(line, &end, 10);
	return !errno && !*end;
}

/* There may be more lines one day */
static bool parse_timing(char *text, u64 *values)
{
	int i;

	for (i = 0; i < NR_NUMBERS; i++) {
		const char *line = strsep(&text, "\n");

		if (!text || !parse_value(line, number_names[i], &values[i]))
			return false;
	}
	return true;
}

static bool timing_read(int root, u64 *values)
{
	char text[1024];
	/* Relative, for the tests' sake */
	ssize_t len = read_at(root, &TIMING[1], text, sizeof(text) - 1);

	if (len == -ENOENT) {
		error_msg("this kernel takes no time stamps: there is no %s", TIMING);
		return false;
	}
	if (len < 0) {
		error_msg("%s: cannot be read: %s", TIMING, strerror(-len));
		return false;
	}
	text[len] = '\0';
	if (!parse_timing(text, values)) {
		error_msg("%s: is none that this program understands; update it", TIMING);
		return false;
	}
	return true;
}

/* The kernel shows nothing that cannot be, but a number must not come out of what does */
static u64 duration_ns(const u64 *values, const struct part *part)
{
	u64 from = values[part->from], to = values[part->to], frequency = values[FREQUENCY];
	__uint128_t product;

	if (from == UNKNOWN || to == UNKNOWN || frequency == UNKNOWN || !frequency || from > to)
		return UNKNOWN;
	product = (__uint128_t)(to - from) * NSEC_PER_SEC / frequency;
	return product <= INT64_MAX ? product : UNKNOWN;
}

static void print_json(const u64 *ns)
{
	struct json_object *obj = json_object_new_object();
	size_t i;

	for (i = 0; i < NR_PARTS; i++) {
		char *key = xasprintf("%s_ns", parts[i].name);

		json_add(obj, key, ns[i] != UNKNOWN ? json_object_new_uint64(ns[i]) : NULL);
		free(key);
	}
	json_print(obj);
}

static void print_table(const u64 *ns)
{
	char buf[HUMAN_DURATION_LEN];
	size_t i;

	for (i = 0; i < NR_PARTS; i++)
		printf("%-9s %12s   %s\n", parts[i].name,
		       ns[i] != UNKNOWN ? human_duration(ns[i], buf) : "unknown", parts[i].what);
}

static void print_why(const u64 *values, const char *slot)
{
	if (values[FREQUENCY] == UNKNOWN)
		puts("nothing is known: the kernel does not know how fast its counter runs");
	else if (values[REBOOT] != UNKNOWN)
		return;
	else if (!slot[0])
		puts("this kernel runs in no slot: the one before it could not leave time stamps");
	else if (values[JUMP] == UNKNOWN)
		printf("slot '%s': no time stamps of the kernel before it that can be true\n",
		       slot);
	else
		printf("slot '%s': the time stamp of the shutdown cannot be true\n", slot);
}

int cmd_timing(const struct args *args)
{
	u64 values[NR_NUMBERS], ns[NR_PARTS];
	struct slot slot;
	size_t i;

	if (!timing_read(args->root, values) || !slot_find(args->stash, "running", &slot))
		return STATUS_FAILED;
	for (i = 0; i < NR_PARTS; i++)
		ns[i] = duration_ns(values, &parts[i]);
	if (args->json) {
		print_json(ns);
	} else {
		print_table(ns);
		print_why(values, slot.name);
	}
	return STATUS_DONE;
}
