// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How far staging a file is, on standard error
 */

#include "utils.h"

#include <stdio.h>
#include <unistd.h>

/* Between two updates of the line */
#define INTERVAL_NS	(NSEC_PER_SEC / 5)

/* There is one terminal, and one line on it */
static struct {
	const char *slot;
	const char *file;
	u64 size;
	u64 start;
	u64 shown;
	int width;
	bool terminal;
} progress;

static u64 per_second(u64 bytes, u64 ns)
{
	return (double)bytes * NSEC_PER_SEC / (ns ? ns : 1);
}

void progress_start(const char *slot, const char *file, u64 size)
{
	progress.slot = slot;
	progress.file = file;
	progress.size = size;
	progress.start = now_ns();
	progress.shown = progress.start;
	progress.width = 0;
	progress.terminal = isatty(STDERR_FILENO);
}

int progress_line(char *buf, size_t len, u64 ns, u64 read, u64 written)
{
	char amount[HUMAN_SIZE_LEN], rate[HUMAN_SIZE_LEN];
	u64 speed = per_second(read, ns), left;
	int n;

	n = snprintf(buf, len, "%s/%s: %s, %s/s", progress.slot, progress.file,
		     human_size(written, amount), human_size(per_second(written, ns), rate));
	if (progress.size == SOURCE_SIZE_UNKNOWN || !speed || !progress.size)
		return n;
	left = (progress.size - read) / speed;
	return snprintf(buf, len, "%s/%s: %3u%%, %s, %s/s, %llu:%02llu left", progress.slot,
			progress.file, (unsigned int)(100.0 * read / progress.size), amount, rate,
			left / 60, left % 60);
}

void progress_show(u64 read, u64 written)
{
	u64 now = now_ns();
	char line[160];
	int n;

	if (!progress.terminal || now - progress.shown < INTERVAL_NS)
		return;
	n = progress_line(line, sizeof(line), now - progress.start, read, written);
	/* Blanks cover what was there before */
	fprintf(stderr, "\r%-*s", progress.width, line);
	fflush(stderr);
	progress.width = n;
	progress.shown = now;
}

void progress_clear(void)
{
	if (progress.width)
		fprintf(stderr, "\r%*s\r", progress.width, "");
	progress.width = 0;
}

void progress_done(u64 written)
{
	char amount[HUMAN_SIZE_LEN], rate[HUMAN_SIZE_LEN];
	u64 ns = now_ns() - progress.start;

	progress_clear();
	fprintf(stderr, "slot '%s': %s: %llu bytes (%s) written and compared in ", progress.slot,
		progress.file, written, human_size(written, amount));
	fprintf(stderr, "%llu.%03llu s, %s/s\n", ns / NSEC_PER_SEC, ns / 1000000 % 1000,
		human_size(per_second(written, ns), rate));
}
