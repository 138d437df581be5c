// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * bench - the guest's side of make bench: times, memory and the jump, by the architected counter
 *
 * usage: bench time <label> <command>...                  how long a command takes
 *        bench load <label> <kernel> [<initrd> <cmdline>] how long kexec_file_load() takes
 *        bench watch <label> <microseconds> <command>...  least free memory while it runs
 *        bench free <label>                               free memory
 *        bench file <label> <file>                        its first line
 *        bench jump                                       start the next kernel
 *
 * Without an initrd the load is strict: a slot's kernel with everything beside it.
 *
 * As the first process of the next kernel it prints when it began and what that kernel knows of
 * the jump. It prints lines of "@bench <label> <value>...": ticks of the counter, KiB of memory.
 * The timed part is between two marks, instructions that do nothing, which a counter outside sees.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kexec.h>
#include <linux/reboot.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "uapi.h"

/* Hints that no CPU knows do nothing; tests/bench/count.c looks for this and for the next */
static void mark_begin(void)
{
	asm volatile("hint #0x60" : : : "memory");
}

static void mark_end(void)
{
	asm volatile("hint #0x61" : : : "memory");
}

static uint64_t ticks(void)
{
	uint64_t value;

	asm volatile("isb; mrs %0, cntvct_el0" : "=r"(value) : : "memory");
	return value;
}

static uint64_t frequency(void)
{
	uint64_t value;

	asm volatile("mrs %0, cntfrq_el0" : "=r"(value));
	return value;
}

static int fail(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	return 1;
}

static pid_t start(char **argv)
{
	pid_t pid = vfork();

	if (!pid) {
		execvp(argv[0], argv);
		_exit(127);
	}
	return pid;
}

static int time_command(const char *label, char **argv)
{
	uint64_t begin, end;
	int status = 0;
	pid_t pid;

	mark_begin();
	begin = ticks();
	pid = start(argv);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return fail("wait");
	end = ticks();
	mark_end();
	printf("@bench %s %" PRIu64 "\n", label, end - begin);
	return status ? 1 : 0;
}

static int time_load(const char *label, const char *kernel, const char *initrd, const char *cmdline)
{
	unsigned long len = initrd ? strlen(cmdline) + 1 : 0,
		      flags = initrd ? 0 : KEXEC_FILE_MEMBUF;
	int kernel_fd = open(kernel, O_RDONLY), initrd_fd = initrd ? open(initrd, O_RDONLY) : -1;
	uint64_t begin, end;
	long ret;

	if (kernel_fd < 0 || (initrd && initrd_fd < 0))
		return fail("open");
	mark_begin();
	begin = ticks();
	ret = syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, len, cmdline, flags);
	end = ticks();
	mark_end();
	if (ret)
		return fail("kexec_file_load");
	printf("@bench %s %" PRIu64 "\n", label, end - begin);
	return 0;
}

/*
 * Free pages in KiB, with those on lists of the CPUs. A CPU's own count is added only beyond "vm
 * stats threshold" pages, so up to that many are not seen.
 */
static long free_kib(int fd)
{
	static char text[65536];
	long pages = 0, value;
	ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

	if (n <= 0)
		return -1;
	text[n] = '\0';
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (sscanf(line, " pages free %ld", &value) == 1 ||
		    sscanf(line, " count: %ld", &value) == 1)
			pages += value;
	}
	return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static int open_zones(void)
{
	int fd = open("/proc/zoneinfo", O_RDONLY | O_CLOEXEC);
	int refresh = open("/proc/sys/vm/stat_refresh", O_WRONLY | O_CLOEXEC);

	if (fd < 0 || refresh < 0 || write(refresh, "1", 1) != 1)
		exit(fail("/proc/zoneinfo, /proc/sys/vm/stat_refresh"));
	close(refresh);
	return fd;
}

static int show_free(const char *label)
{
	printf("@bench %s %ld\n", label, free_kib(open_zones()));
	return 0;
}

/* The command gets this many microseconds between two readings, however long one takes */
static int watch(const char *label, long interval, char **argv)
{
	struct sched_param high = {.sched_priority = 50};
	struct timespec pause = {.tv_nsec = interval * 1000};
	long before, least, now, looks = 0;
	int fd, status = 0;
	pid_t pid;

	if (mlockall(MCL_CURRENT) || sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &high))
		return fail("priority");
	/* Memory of earlier processes is freed a moment later */
	usleep(200000);
	fd = open_zones();
	before = free_kib(fd);
	least = before;
	pid = start(argv);
	if (pid < 0)
		return fail("start");
	while (!waitpid(pid, &status, WNOHANG)) {
		now = free_kib(fd);
		if (now < least)
			least = now;
		looks++;
		nanosleep(&pause, NULL);
	}
	printf("@bench %s %ld %ld\n", label, before - least, looks);
	return status ? 1 : 0;
}

static int show_file(const char *label, const char *path)
{
	char line[256] = "";
	FILE *file = fopen(path, "r");

	if (!file || !fgets(line, sizeof(line), file))
		return fail(path);
	line[strcspn(line, "\n")] = '\0';
	printf("@bench %s %s\n", label, line);
	fclose(file);
	return 0;
}

/* Print the start of the jump before it, so that nothing comes between */
static int jump(void)
{
	uint64_t when = ticks() + frequency() / 20;

	printf("@bench reboot %" PRIu64 " %" PRIu64 "\n", when, frequency());
	fflush(stdout);
	while (ticks() < when)
		;
	mark_begin();
	syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, LINUX_REBOOT_CMD_KEXEC, NULL);
	return fail("reboot");
}

static void show_lines(const char *path, const char *label, const char *containing)
{
	char line[256];
	FILE *file = fopen(path, "r");

	while (file && fgets(line, sizeof(line), file)) {
		if (strstr(line, containing))
			printf("@bench %s%s", label, line);
	}
	if (file)
		fclose(file);
}

static int next_kernel(uint64_t began)
{
	printf("@bench init %" PRIu64 "\n", began);
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	mount("none", "/sys/fs/kexec", "kexec_stash", 0, NULL);
	show_lines("/sys/kernel/kexec/timing", "timing.", " ");
	show_lines("/proc/iomem", "code ", "Kernel code");
	printf("@bench done\n");
	fflush(stdout);
	reboot(LINUX_REBOOT_CMD_POWER_OFF);
	return fail("power off");
}

static int usage(void)
{
	fprintf(stderr, "bench: time, load, watch, free, file or jump\n");
	return 2;
}

int main(int argc, char **argv)
{
	uint64_t began = ticks();

	if (getpid() == 1)
		return next_kernel(began);
	if (argc < 2)
		return usage();
	if (!strcmp(argv[1], "time") && argc > 3)
		return time_command(argv[2], argv + 3);
	if (!strcmp(argv[1], "load") && (argc == 4 || argc == 6))
		return time_load(argv[2], argv[3], argc > 4 ? argv[4] : NULL,
				 argc > 4 ? argv[5] : NULL);
	if (!strcmp(argv[1], "watch") && argc > 4)
		return watch(argv[2], atol(argv[3]), argv + 4);
	if (!strcmp(argv[1], "free") && argc == 3)
		return show_free(argv[2]);
	if (!strcmp(argv[1], "file") && argc == 4)
		return show_file(argv[2], argv[3]);
	if (!strcmp(argv[1], "jump") && argc == 2)
		return jump();
	return usage();
}
