// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * luo - memory that lives through kexecs, in a memfd that live update (LUO) preserves
 *
 * usage: luo new <MiB>   make it, with known content, and preserve it
 *        luo next        take it over from the kernel before this one, compare each word of
 *                        it, and preserve it again
 *        luo end         take it over and compare it
 *
 * Memory is preserved as long as its session is open. A process stays for that, and ends with the
 * kernel.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/liveupdate.h>

#define SESSION "kexec-membuf"
#define TOKEN 1
#define PAGE 4096

static void check(int good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "luo: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int session(int luo, unsigned long request)
{
	struct liveupdate_ioctl_create_session arg = { .size = sizeof(arg), .name = SESSION };

	check(!ioctl(luo, request, &arg), "session");
	return arg.fd;
}

static uint64_t word_of(size_t page)
{
	uint64_t x = page * 0x9e3779b97f4a7c15 + 1;

	x ^= x >> 29;
	return x * 0xbf58476d1ce4e5b9;
}

static uint64_t *map(int fd, size_t *size, int prot)
{
	struct stat st;
	void *addr;

	check(!fstat(fd, &st), "fstat");
	*size = st.st_size;
	addr = mmap(NULL, *size, prot, MAP_SHARED, fd, 0);
	check(addr != MAP_FAILED, "mmap");
	return addr;
}

static void fill(int fd)
{
	size_t size;
	uint64_t *word = map(fd, &size, PROT_READ | PROT_WRITE);

	for (size_t page = 0; page < size / PAGE; page++) {
		uint64_t value = word_of(page);

		for (int i = 0; i < PAGE / 8; i++)
			*word++ = value;
	}
}

static int is_good(const uint64_t *word, size_t page)
{
	uint64_t value = word_of(page), wrong = 0;

	for (int i = 0; i < PAGE / 8; i++)
		wrong |= *word++ ^ value;
	return !wrong;
}

/* Return: how many pages have changed */
static size_t compare(int fd)
{
	size_t size, bad = 0;
	uint64_t *word = map(fd, &size, PROT_READ);

	for (size_t page = 0; page < size / PAGE; page++)
		bad += !is_good(word + page * (PAGE / 8), page);
	printf("%zu MiB, %zu pages are not as they were\n", size >> 20, bad);
	munmap(word, size);
	return bad;
}

static int take_over(int luo)
{
	struct liveupdate_session_retrieve_fd get = { .size = sizeof(get), .token = TOKEN };
	struct liveupdate_session_finish finish = { .size = sizeof(finish) };
	int fd = session(luo, LIVEUPDATE_IOCTL_RETRIEVE_SESSION);

	check(!ioctl(fd, LIVEUPDATE_SESSION_RETRIEVE_FD, &get), "retrieve");
	check(!ioctl(fd, LIVEUPDATE_SESSION_FINISH, &finish), "finish");
	close(fd);
	return get.fd;
}

/* Returns in a process of its own */
static void preserve(int luo, int mem)
{
	struct liveupdate_session_preserve_fd put = {
		.size = sizeof(put), .fd = mem, .token = TOKEN
	};
	int fd = session(luo, LIVEUPDATE_IOCTL_CREATE_SESSION);

	check(!ioctl(fd, LIVEUPDATE_SESSION_PRESERVE_FD, &put), "preserve");
	if (fork())
		exit(0);
	setsid();
	for (int i = 0; i < 3; i++)
		close(i);
	for (;;)
		pause();
}

int main(int argc, char **argv)
{
	int luo = open("/dev/liveupdate", O_RDWR), mem;

	check(luo >= 0, "/dev/liveupdate");
	if (argc == 3 && !strcmp(argv[1], "new")) {
		mem = memfd_create("luo", 0);
		check(mem >= 0 && !ftruncate(mem, strtoul(argv[2], NULL, 0) << 20), "memfd");
		fill(mem);
	} else if (argc == 2 && (!strcmp(argv[1], "next") || !strcmp(argv[1], "end"))) {
		mem = take_over(luo);
		if (compare(mem))
			return 1;
		if (!strcmp(argv[1], "end"))
			return 0;
	} else {
		return 2;
	}
	preserve(luo, mem);
}
