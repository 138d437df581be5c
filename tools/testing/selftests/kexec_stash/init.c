// SPDX-License-Identifier: GPL-2.0
/*
 * First process of the kexec stash's test: stages the kernel and the initrd of
 * this initramfs into slot "a", loads them in place, and starts them. In the
 * kernel that was started so it tells that the slot is running.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <linux/kexec.h>

#define SLOT "/sys/fs/kexec/a/"

static int fail(const char *what)
{
	printf("kexec stash: %s: %s\n", what, strerror(errno));
	return -1;
}

static int read_line(const char *path, char *line, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t len;

	if (fd < 0)
		return fail(path);
	len = read(fd, line, size - 1);
	close(fd);
	if (len < 0)
		return fail(path);
	if (len && line[len - 1] == '\n')
		len--;
	line[len] = '\0';
	return 0;
}

static int expect(const char *path, const char *value)
{
	char line[64];

	if (read_line(path, line, sizeof(line)))
		return -1;
	if (!strcmp(line, value))
		return 0;
	printf("kexec stash: %s is '%s', not '%s'\n", path, line, value);
	return -1;
}

static int copy(const char *from, const char *to)
{
	static char buf[65536];
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_TRUNC);
	ssize_t len = -1;

	if (in < 0 || out < 0)
		return fail(in < 0 ? from : to);
	while ((len = read(in, buf, sizeof(buf))) > 0) {
		if (write(out, buf, len) != len)
			return fail(to);
	}
	close(in);
	close(out);
	return len ? fail(from) : 0;
}

static int load(unsigned long flags)
{
	int fd = open(SLOT "kernel", O_RDONLY);
	long ret;

	ret = syscall(__NR_kexec_file_load, fd, -1, 0UL, NULL,
		      KEXEC_FILE_MEMBUF | flags);
	close(fd);
	return ret ? fail("kexec_file_load") : 0;
}

static int stage(void)
{
	if (copy("/kernel", SLOT "kernel") || copy("/initrd", SLOT "initrd") ||
	    copy("/proc/cmdline", SLOT "cmdline"))
		return -1;
	return expect(SLOT "state", "staged");
}

/* A check loads nothing; what is loaded cannot be written to, or copied */
static int adopt(void)
{
	if (load(KEXEC_FILE_MEMBUF_CHECK) || expect(SLOT "state", "staged") ||
	    load(0) || expect(SLOT "state", "loaded") ||
	    expect("/sys/kernel/kexec/copy_bytes", "0"))
		return -1;
	if (open(SLOT "kernel", O_WRONLY) >= 0 || errno != ETXTBSY)
		return fail("a loaded kernel was opened for writing");
	return 0;
}

int main(void)
{
	char state[16];

	if (mount("proc", "/proc", "proc", 0, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) ||
	    mount("none", "/sys/fs/kexec", "kexec_stash", 0, NULL)) {
		fail("mount");
		goto out;
	}
	if (read_line(SLOT "state", state, sizeof(state)))
		goto out;
	if (!strcmp(state, "running"))
		printf("kexec stash: started in place\n");
	else if (!stage() && !adopt() && reboot(RB_KEXEC))
		fail("reboot");
out:
	reboot(RB_AUTOBOOT);
	return -1;
}
