// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Memory that KHO hands over lies where the kernel had it, and that is in its slot where it ran in
 * one. The kernel to come must not offer such a slot to be staged into.
 *
 * step=1: start this kernel in slot a. step=2: start it in slot b. step=3: look.
 */
#include "repro.h"
#include <dirent.h>
#include <endian.h>

#define CMDLINE \
	"console=ttyAMA0 kho=on kho_scratch=64M,64M,64M reserve_mem=16M:4096:foo retain_initrd loglevel=7"

static int overlaps, ranges;

/* A slot whose memory is there for a payload */
static int is_offered(const char *slot)
{
	char path[300], state[32];

	snprintf(path, sizeof(path), STASH "%s/state", slot);
	get_text(path, state, sizeof(state));
	return !strcmp(state, "empty") || !strcmp(state, "staged") || !strcmp(state, "bad") ||
	       !strcmp(state, "loaded");
}

static void look_at(const char *what, uint64_t start, uint64_t size)
{
	DIR *dir = opendir(STASH);
	struct dirent *entry;
	char path[300];

	printf("%s: %#lx+%#lx\n", what, start, size);
	if (!start)
		return;
	ranges++;
	while (dir && (entry = readdir(dir))) {
		uint64_t base, len;

		if (*entry->d_name == '.' || !is_offered(entry->d_name))
			continue;
		snprintf(path, sizeof(path), STASH "%s/base", entry->d_name);
		base = get_number(path);
		snprintf(path, sizeof(path), STASH "%s/size", entry->d_name);
		len = get_number(path);
		if (start < base + len && base < start + size) {
			printf("  in slot %s, %#lx+%#lx, which is offered\n", entry->d_name, base,
			       len);
			overlaps++;
		}
	}
	if (dir)
		closedir(dir);
}

static void look_at_property(const char *name)
{
	char path[128];
	uint64_t cells[2] = {};
	int fd;

	snprintf(path, sizeof(path), "/proc/device-tree/chosen/%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, cells, sizeof(cells)) != sizeof(cells))
		printf("%s: %m\n", path);
	close(fd);
	look_at(name, be64toh(cells[0]), be64toh(cells[1]));
}

/* Where this kernel lets the next one start, and was started itself: as text, a line each */
static void look_at_scratch(void)
{
	FILE *starts = fopen("/sys/kernel/debug/kho/out/scratch_phys", "r");
	FILE *sizes = fopen("/sys/kernel/debug/kho/out/scratch_len", "r");
	char start[64], size[64];

	while (starts && sizes && fgets(start, sizeof(start), starts) &&
	       fgets(size, sizeof(size), sizes))
		look_at("scratch", strtoull(start, NULL, 0), strtoull(size, NULL, 0));
}

/*
 * What reserve_mem= has handed over: a tree with a node for each, whose "start" and "size" are as
 * the CPU has them
 */
static void look_at_reserve_mem(void)
{
	static uint32_t tree[16384];
	int fd = open("/sys/kernel/debug/kho/in/sub_fdts/memblock", O_RDONLY);
	ssize_t size = fd < 0 ? -1 : read(fd, tree, sizeof(tree));
	const char *names = (char *)tree + be32toh(tree[3]), *name;
	const uint32_t *at = (uint32_t *)((char *)tree + be32toh(tree[2]));
	uint64_t start = 0, len = 0;

	if (size < 40) {
		printf("no tree of reserve_mem=: %m\n");
		return;
	}
	for (;;) {
		switch (be32toh(*at++)) {
		case 1: /* a node begins */
			at += strlen((const char *)at) / 4 + 1;
			start = 0;
			len = 0;
			break;
		case 2: /* it ends */
			if (start && len)
				look_at("reserve_mem=", start, len);
			start = 0;
			len = 0;
			break;
		case 3: /* a property */
			name = names + be32toh(at[1]);
			if (!strcmp(name, "start"))
				memcpy(&start, at + 2, 8);
			if (!strcmp(name, "size"))
				memcpy(&len, at + 2, 8);
			at += 2 + (be32toh(at[0]) + 3) / 4;
			break;
		case 4:
			break;
		default:
			return;
		}
	}
}

static void show(const char *path)
{
	char buf[8192];
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);

	buf[n > 0 ? n : 0] = 0;
	printf("%s:\n%s", path, buf);
	close(fd);
}

int main(void)
{
	long step;

	mount_all();
	step = parameter("step", 0);
	printf("step %ld\n", step);
	if (step < 3) {
		result(step == 1 ? "step-1" : "step-2", "%s",
		       name_of(start_in_slot(step == 1 ? "a" : "b",
					     step == 1 ? CMDLINE " step=2" : CMDLINE " step=3")));
		power_off();
	}
	look_at_property("linux,kho-fdt");
	look_at_property("linux,kho-scratch");
	look_at_scratch();
	look_at_reserve_mem();
	show("/proc/iomem");
	show("/sys/kernel/debug/memblock/reserved");
	result("ranges", "%d", ranges);
	result("overlaps", "%d", overlaps);
	power_off();
}
