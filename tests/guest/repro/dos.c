// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A reader of a file, again and again, must not keep root from loading a kernel. Mainline's own
 * files under /sys/kernel/kexec give the rate of EBUSY that is allowed.
 *
 * A loop reads every file of /sys/kernel/kexec and of the stash that uid 1000 can read. Meanwhile
 * root tries to load what can never be loaded. That gives EBUSY while somebody holds the lock.
 */
#include "repro.h"
#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>

#define TRIES 1000

/* The number of tries that gave EBUSY */
static int busy(void)
{
	int n = 0;

	for (int i = 0; i < TRIES; i++) {
		n += load(-1, -1, NULL, 0) == EBUSY;
		usleep(200);
	}
	return n;
}

static int readable(const char *path)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		char byte;
		int fd;

		if (setgid(1000) || setuid(1000))
			_exit(1);
		fd = open(path, O_RDONLY | O_NONBLOCK);
		_exit(fd < 0 || (pread(fd, &byte, 1, 0) < 0 && errno != EBUSY));
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static int busy_while_read(const char *path)
{
	pid_t pid = fork();
	int n;

	if (!pid) {
		char buf[64];
		int fd;

		if (setgid(1000) || setuid(1000))
			_exit(1);
		fd = open(path, O_RDONLY);
		for (;;)
			pread(fd, buf, sizeof(buf), 0);
	}
	usleep(300000);
	n = busy();
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return n;
}

static int is_mainlines(const char *name)
{
	return !strcmp(name, "loaded") || !strcmp(name, "crash_loaded") ||
	       !strcmp(name, "crash_size") || !strcmp(name, "crash_elfcorehdr_size");
}

static int mainline, ours;
static char worst[512] = "none";

static void look_at(const char *folder)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	struct stat stat;
	char path[512];
	int n;

	while (dir && (entry = readdir(dir))) {
		if (*entry->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		if (lstat(path, &stat))
			continue;
		if (S_ISDIR(stat.st_mode)) {
			look_at(path);
			continue;
		}
		if (!S_ISREG(stat.st_mode) || !readable(path))
			continue;
		n = busy_while_read(path);
		printf("%s: EBUSY %d of %d\n", path, n, TRIES);
		if (is_mainlines(entry->d_name)) {
			if (n > mainline)
				mainline = n;
		} else if (n > ours) {
			ours = n;
			snprintf(worst, sizeof(worst), "%s", path);
		}
	}
	if (dir)
		closedir(dir);
}

int main(void)
{
	static char data[1 << 20];
	int kernel, initrd;

	mount_all();
	fake_image(data, sizeof(data));
	put(STASH "a/kernel", data, sizeof(data));
	/* An ordinary image with much to copy */
	kernel = open("/Image", O_RDONLY);
	initrd = memfd_create("initrd", 0);
	if (ftruncate(initrd, 250 << 20))
		printf("no room: %m\n");
	result("load", "%s", name_of(load(kernel, initrd, "x", FILE_NO_CMA)));
	close(initrd);
	result("nobody", "%d", busy());
	look_at("/sys/kernel/kexec");
	look_at("/sys/fs/kexec");
	result("mainline", "%d", mainline);
	result("ours", "%d", ours);
	result("worst", "%s", worst);
	power_off();
}
