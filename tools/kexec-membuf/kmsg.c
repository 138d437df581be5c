// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's own words on why a load failed
 */

#include "kmsg.h"
#include "utils.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Documentation/ABI/testing/dev-kmsg: a record is read whole or not at all */
#define RECORD_LEN	8192

#define PREFIX		"kexec_stash: "
#define SLOT_PREFIX	"slot '"

/* The least severe level of syslog that explains a failure; bits above these 3 are the facility */
#define LEVEL_WARNING	4

int kmsg_open(int root)
{
	int fd = openat(root, "dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/* "slot 'a': ..." for another slot than @slot? */
static bool names_other_slot(const char *text, const char *slot)
{
	size_t len = strlen(slot);

	if (strncmp(text, SLOT_PREFIX, strlen(SLOT_PREFIX)))
		return false;
	text += strlen(SLOT_PREFIX);
	return strncmp(text, slot, len) || text[len] != '\'';
}

/*
 * A warning or an error from the kernel, which is facility 0. What user space writes there has
 * another, which makes the number larger
 */
static bool is_complaint(const char *record, size_t len)
{
	char head[16] = "", *end;
	unsigned long prio;

	memcpy(head, record, len < sizeof(head) ? len : sizeof(head) - 1);
	prio = strtoul(head, &end, 10);
	if (end == head || *end != ',')
		return false;
	return prio <= LEVEL_WARNING;
}

bool kmsg_parse(const char *record, size_t len, const char *slot, char *reason)
{
	const char *text = memchr(record, ';', len);
	char copy[KMSG_REASON_LEN];
	const char *end;

	if (!text || !is_complaint(record, len))
		return false;
	text++;
	end = memchr(text, '\n', record + len - text);
	len = (end ? end : record + len) - text;
	if (len <= strlen(PREFIX) || memcmp(text, PREFIX, strlen(PREFIX)))
		return false;
	text += strlen(PREFIX);
	len -= strlen(PREFIX);
	if (len >= sizeof(copy))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	make_printable(copy);
	if (names_other_slot(copy, slot))
		return false;
	memcpy(reason, copy, len + 1);
	return true;
}

bool kmsg_reason(int fd, const char *slot, char *reason)
{
	char record[RECORD_LEN];
	bool found = false;
	ssize_t n;

	if (fd < 0)
		return false;
	for (;;) {
		n = read(fd, record, sizeof(record));
		/* EPIPE: records were overwritten before they were read; the next ones are there */
		if (n < 0 && (errno == EPIPE || errno == EINTR))
			continue;
		if (n <= 0)
			return found;
		if (kmsg_parse(record, n, slot, reason))
			found = true;
	}
}
