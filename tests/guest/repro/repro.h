/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shared by the programs of this folder. Each is a guest's only process, prints its results in
 * lines "RESULT <key>: <value>", and turns the machine off.
 */
#ifndef REPRO_H
#define REPRO_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "uapi.h"

/* linux/kexec.h */
#define FILE_UNLOAD 0x01UL
#define FILE_ON_CRASH 0x02UL
#define FILE_NO_INITRAMFS 0x04UL
#define FILE_NO_CMA 0x10UL

#define STASH "/sys/fs/kexec/"
#define VERIFY_AHEAD "/sys/module/kexec_stash/parameters/verify_ahead"

static inline double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static inline void result(const char *key, const char *format, ...)
{
	char value[512];
	va_list args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	printf("RESULT %s: %s\n", key, value);
}

static inline void mount_all(void)
{
	setbuf(stdout, NULL);
	mount("none", "/proc", "proc", 0, NULL);
	mount("none", "/sys", "sysfs", 0, NULL);
	mount("none", "/dev", "devtmpfs", 0, NULL);
	mount("none", "/tmp", "tmpfs", 0, NULL);
	mount("none", "/sys/kernel/security", "securityfs", 0, NULL);
	mount("none", "/sys/kernel/debug", "debugfs", 0, NULL);
	if (mount("none", "/sys/fs/kexec", "kexec_stash", 0, NULL))
		printf("the stash cannot be mounted: %m\n");
}

/*
 * Print the kernel's log. The kernel is silent while the program runs, since both lines would mix
 * on the console
 */
static inline void print_log(void)
{
	int size = klogctl(10, NULL, 0);
	char *log = size > 0 ? malloc(size) : NULL;

	size = log ? klogctl(3, log, size) : 0;
	fwrite(log, 1, size > 0 ? size : 0, stdout);
	free(log);
	tcdrain(1);
}

static inline void turn_off(void)
{
	printf("DONE\n");
	tcdrain(1);
	sync();
	reboot(RB_POWER_OFF);
	for (;;)
		pause();
}

static inline void power_off(void)
{
	print_log();
	turn_off();
}

/* Write a whole file; 0 or an error */
static inline int put(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_TRUNC);
	size_t done = 0;
	int err = 0;

	if (fd < 0)
		return errno;
	while (done < len && !err) {
		ssize_t n = write(fd, (const char *)data + done, len - done);

		if (n > 0)
			done += n;
		else
			err = errno;
	}
	if (close(fd) && !err)
		err = errno;
	return err;
}

static inline int put_text(const char *path, const char *text)
{
	return put(path, text, strlen(text));
}

/* Read a file's start as text, without the line feed at its end; "" if there is none */
static inline char *get_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	return buf;
}

static inline uint64_t get_number(const char *path)
{
	char text[64];

	return strtoull(get_text(path, text, sizeof(text)), NULL, 0);
}

static inline int copy_file(const char *from, const char *to)
{
	static char buf[1 << 20];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_TRUNC);
	int err = in < 0 || out < 0 ? errno : 0;
	ssize_t n = 0;

	while (!err && (n = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, n) != n)
			err = errno ?: EIO;
	}
	if (n < 0)
		err = errno;
	if (in >= 0)
		close(in);
	if (out >= 0)
		close(out);
	if (err)
		printf("%s to %s: %s\n", from, to, strerror(err));
	return err;
}

/* The word behind "<name>=" on the kernel's command line; "" if there is none */
static inline char *parameter_text(const char *name, char *buf, size_t size)
{
	char line[4096], *at;
	size_t len = strlen(name);

	*buf = 0;
	get_text("/proc/cmdline", line, sizeof(line));
	for (at = strstr(line, name); at; at = strstr(at + 1, name)) {
		if (at[len] != '=' || (at != line && at[-1] != ' '))
			continue;
		at += len + 1;
		snprintf(buf, size, "%.*s", (int)strcspn(at, " "), at);
		break;
	}
	return buf;
}

/* A number "<name>=<n>" of the kernel's command line */
static inline long parameter(const char *name, long otherwise)
{
	char text[32];

	return *parameter_text(name, text, sizeof(text)) ? strtol(text, NULL, 0) : otherwise;
}

/* 0 or an error */
static inline int load(int kernel_fd, int initrd_fd, const char *cmdline, unsigned long flags)
{
	unsigned long len = cmdline ? strlen(cmdline) + 1 : 0;

	if (initrd_fd < 0 && !(flags & KEXEC_FILE_MEMBUF))
		flags |= FILE_NO_INITRAMFS;
	return syscall(SYS_kexec_file_load, kernel_fd, initrd_fd, len, cmdline, flags) ? errno : 0;
}

static inline void unload(void)
{
	syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, FILE_UNLOAD);
}

static inline int is_loaded(void)
{
	char text[8];

	return *get_text("/sys/kernel/kexec_loaded", text, sizeof(text)) == '1';
}

static inline const char *name_of(int err)
{
	return err ? strerrorname_np(err) : "OK";
}

/* The header of an arm64 Image, which is all that a load looks at */
static inline void fake_image(void *buf, uint64_t size)
{
	memset(buf, 0, 64);
	*(uint32_t *)buf = 0x14000010;
	*(uint64_t *)((char *)buf + 16) = size;
	*(uint64_t *)((char *)buf + 24) = 0xa;
	memcpy((char *)buf + 56, "ARM\x64", 4);
}

/*
 * Stage the kernel /Image and this initramfs into a slot and start it. Returns only on failure, an
 * error
 */
static inline int start_in_slot(const char *slot, const char *cmdline)
{
	char path[64];
	int fd, err;

	snprintf(path, sizeof(path), STASH "%s/initrd", slot);
	truncate(path, 0);
	snprintf(path, sizeof(path), STASH "%s/kernel", slot);
	err = copy_file("/Image", path);
	if (!err) {
		snprintf(path, sizeof(path), STASH "%s/initrd", slot);
		err = copy_file(access("/initrd", F_OK) ? "/sys/firmware/initrd" : "/initrd", path);
	}
	if (err)
		return err;
	snprintf(path, sizeof(path), STASH "%s/cmdline", slot);
	put_text(path, cmdline);
	snprintf(path, sizeof(path), STASH "%s/kernel", slot);
	fd = open(path, O_RDONLY);
	err = load(fd, -1, NULL, KEXEC_FILE_MEMBUF);
	close(fd);
	if (!err) {
		print_log();
		reboot(RB_KEXEC);
		err = errno;
	}
	return err;
}

#endif /* REPRO_H */
