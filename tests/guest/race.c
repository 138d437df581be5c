// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * race - load a slot again and again, while threads try to change its kernel
 *
 * usage: race <rounds> <slot's kernel> <Image>
 *
 * While an image is loaded, the payload must not change, and each attempt to change it must end
 * with ETXTBSY. Between an unload and the next load the writers spoil and restage it. Prints the
 * SHA-256 of each loaded payload other than the Image, and a count of each call's results. Fails if
 * a result is not allowed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kexec.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uapi.h"

#define MAX_ERRNO 134

static const char *path;
static char *content;
static size_t size;

/* Odd while an image is loaded; each load has its own number */
static atomic_uint epoch;
static atomic_bool done;
static atomic_uint violations;

/* Ways to change the payload; each thread does one */
struct writer {
	const char *name;
	int (*attempt)(unsigned int *seed);
	pthread_t thread;
	/* Attempts since the start, those during a load, and all results */
	atomic_uint attempts, loaded;
	unsigned int ended[MAX_ERRNO];
};

static int restage(int flags)
{
	int fd = open(path, O_WRONLY | flags), ret = 0;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, content, size, 0) != (ssize_t)size)
		ret = -errno;
	close(fd);
	return ret;
}

/* A byte behind the header, which only a reader of the whole file sees */
static int change_byte(unsigned int *seed)
{
	char byte = rand_r(seed);
	int fd = open(path, O_WRONLY), ret = 0;

	if (fd < 0)
		return -errno;
	if (pwrite(fd, &byte, 1, size / 2 + rand_r(seed) % (size / 2)) != 1)
		ret = -errno;
	close(fd);
	return ret;
}

/* Opened for reading, it can be opened once more, by its descriptor */
static int change_by_descriptor(unsigned int *seed)
{
	int fd = open(path, O_RDONLY), to, ret = 0;
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	to = open(name, O_RDWR);
	if (to < 0 || pwrite(to, content + 64, 64, 64 + rand_r(seed) % (size / 2)) != 64)
		ret = -errno;
	close(to);
	close(fd);
	return ret;
}

static int truncate_and_restage(unsigned int *seed)
{
	(void)seed;
	if (truncate(path, 0))
		return -errno;
	return restage(0);
}

static int unlink_and_restage(unsigned int *seed)
{
	(void)seed;
	if (unlink(path))
		return -errno;
	return restage(O_TRUNC);
}

static struct writer writers[] = {
	{ .name = "write", .attempt = change_byte },
	{ .name = "write by descriptor", .attempt = change_by_descriptor },
	{ .name = "truncate", .attempt = truncate_and_restage },
	{ .name = "unlink", .attempt = unlink_and_restage },
};

#define NR_WRITERS (sizeof(writers) / sizeof(*writers))

static void *write_on(void *arg)
{
	struct writer *w = arg;
	unsigned int seed = w - writers;

	while (!done) {
		unsigned int before = epoch;
		int ret = -w->attempt(&seed);

		w->ended[ret]++;
		/* All of it within one load */
		if ((before & 1) && epoch == before) {
			w->loaded++;
			if (ret != ETXTBSY && !violations++)
				printf("%s while loaded: %s\n", w->name,
				       ret ? strerrorname_np(ret) : "OK");
		}
		w->attempts++;
		/* Leave room for a load, at times that differ, and for the others */
		usleep(rand_r(&seed) % (before & 1 ? 50 : 300));
	}
	return NULL;
}

static int load(void)
{
	int fd = open(path, O_RDONLY), ret;

	if (fd < 0)
		return errno;
	ret = syscall(SYS_kexec_file_load, fd, -1, 0UL, NULL, KEXEC_FILE_MEMBUF) ? errno : 0;
	close(fd);
	return ret;
}

static void unload(void)
{
	if (syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, KEXEC_FILE_UNLOAD)) {
		perror("race: an image does not go");
		exit(2);
	}
}

static void read_payload(char *to)
{
	int fd = open(path, O_RDONLY);
	ssize_t got = fd < 0 ? -1 : pread(fd, to, size + 1, 0);

	close(fd);
	if (got == (ssize_t)size)
		return;
	printf("payload while loaded: %zd bytes of %zu\n", got, size);
	violations++;
}

/* For a caller who knows the digest at the load */
static void print_digest(void)
{
	char line[65] = "", command[256];
	FILE *sum;

	snprintf(command, sizeof(command), "sha256sum %s", path);
	sum = popen(command, "r");
	if (!sum || !fgets(line, sizeof(line), sum)) {
		perror("race: sha256sum");
		exit(2);
	}
	pclose(sum);
	printf("loaded %s\n", line);
}

/* Loaded: the same bytes before and after each of the writers has tried */
static void hold(char *first, char *second)
{
	unsigned int start[NR_WRITERS];

	epoch++;
	read_payload(first);
	for (size_t i = 0; i < NR_WRITERS; i++)
		start[i] = writers[i].loaded;
	for (size_t i = 0; i < NR_WRITERS; i++) {
		while (writers[i].loaded == start[i])
			usleep(50);
	}
	read_payload(second);
	if (memcmp(second, content, size))
		print_digest();
	epoch++;
	if (memcmp(first, second, size) && !violations++)
		puts("payload while loaded: changed");
}

static void print_ended(const char *name, const unsigned int *ended)
{
	printf("%s:", name);
	for (int i = 0; i < MAX_ERRNO; i++) {
		if (ended[i])
			printf(" %s %u", i ? strerrorname_np(i) : "OK", ended[i]);
	}
	putchar('\n');
}

static void read_image(const char *name)
{
	struct stat st;
	int fd = open(name, O_RDONLY);

	if (fd < 0 || fstat(fd, &st))
		goto fail;
	size = st.st_size;
	content = malloc(size);
	if (!content || read(fd, content, size) != st.st_size)
		goto fail;
	close(fd);
	return;
fail:
	perror(name);
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned int loads[MAX_ERRNO] = {}, rounds;
	char *first, *second;

	if (argc != 4) {
		fputs("usage: race <rounds> <slot's kernel> <Image>\n", stderr);
		return 2;
	}
	rounds = atoi(argv[1]);
	path = argv[2];
	read_image(argv[3]);
	first = malloc(size + 1);
	second = malloc(size + 1);
	if (restage(O_TRUNC)) {
		fprintf(stderr, "race: %s cannot be staged\n", path);
		return 2;
	}
	for (size_t i = 0; i < NR_WRITERS; i++)
		pthread_create(&writers[i].thread, NULL, write_on, &writers[i]);
	while (rounds--) {
		int ret = load();

		loads[ret]++;
		if (ret)
			continue;
		hold(first, second);
		unload();
	}
	done = true;
	print_ended("load", loads);
	for (size_t i = 0; i < NR_WRITERS; i++) {
		pthread_join(writers[i].thread, NULL);
		print_ended(writers[i].name, writers[i].ended);
		printf("%s while loaded: %u\n", writers[i].name, writers[i].loaded);
	}
	printf("violations: %u\n", violations);
	return violations ? 1 : 0;
}
