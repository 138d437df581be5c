// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A load of a slot's initrd with a kernel from elsewhere compares that kernel with the slot's. At
 * the same time another thread empties the slot and releases its memory. Once per slot, since a
 * release lasts until the next boot.
 */
#include "repro.h"
#include <pthread.h>

#define SIZE (80UL << 20)
#define SLOTS 8

static _Atomic int go;
static double delay;
static char slot[8];

static char *in_slot(char *path, const char *file)
{
	sprintf(path, STASH "%s/%s", slot, file);
	return path;
}

static void *release_slot(void *unused)
{
	char kernel[64], initrd[64], switch_[64];
	double start;
	int err;

	in_slot(kernel, "kernel");
	in_slot(initrd, "initrd");
	in_slot(switch_, "release");
	while (!go)
		;
	for (start = now(); now() < start + delay;)
		;
	truncate(kernel, 0);
	truncate(initrd, 0);
	err = put_text(switch_, "1");
	printf("released: %s, %.3f s after the load began\n", name_of(err), now() - start);
	return unused;
}

/* The time of a load that nobody disturbs */
static double try_load(int kernel, int initrd)
{
	double start = now();
	int err = load(kernel, initrd, "x", 0);

	start = now() - start;
	printf("load: %s, %.3f s\n", name_of(err), start);
	return start;
}

static void race(int kernel, double fraction)
{
	char path[64];
	pthread_t thread;
	double whole;
	int initrd;

	if (copy_file("/tmp/kernel", in_slot(path, "kernel")) ||
	    put_text(in_slot(path, "initrd"), "xx"))
		return;
	initrd = open(path, O_RDONLY);
	whole = try_load(kernel, initrd);
	unload();
	delay = whole * fraction;
	go = 0;
	pthread_create(&thread, NULL, release_slot, NULL);
	usleep(100000);
	go = 1;
	try_load(kernel, initrd);
	pthread_join(thread, NULL);
	unload();
	close(initrd);
}

int main(void)
{
	int kernel;
	char *image;

	mount_all();
	put_text(VERIFY_AHEAD, "0");
	image = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(image, 0x5a, SIZE);
	fake_image(image, SIZE);
	kernel = open("/tmp/kernel", O_CREAT | O_RDWR, 0600);
	if (write(kernel, image, SIZE) != SIZE)
		printf("/tmp/kernel: %m\n");
	munmap(image, SIZE);
	close(kernel);
	kernel = open("/tmp/kernel", O_RDONLY);
	for (int i = 0; i < SLOTS; i++) {
		sprintf(slot, "%c", 'a' + i);
		printf("slot %s\n", slot);
		race(kernel, 0.3 + i * 0.08);
		result("races", "%d", i + 1);
	}
	power_off();
}
