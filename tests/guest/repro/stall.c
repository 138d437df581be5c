// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A system call that uses a page of user space may wait for that page as long as its provider
 * likes: FUSE, NFS, userfaultfd. Here it is userfaultfd, and nobody provides the page. Nothing else
 * of the stash, of kexec or of reboot may wait with it.
 *
 * /Image is this kernel. step=1: a write() into a file of slot a has such a page as its source,
 * then a read() has it as its destination. Each thing that must not wait is done meanwhile, and
 * may take some seconds. At last slot b is started with a writer of slot a waiting. step=2: the
 * machine is turned off with another one waiting.
 */
#include "repro.h"
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define PAGE 4096UL
/* Far more than any of it takes, on a slow and busy emulated machine */
#define PATIENCE 15

static int uffd;
static unsigned char *page;

/* The page that nobody provides: any access to it waits */
static void make_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	range.range.start = (uintptr_t)page;
	range.range.len = PAGE;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &range))
		printf("userfaultfd: %m\n");
}

/* Wait until somebody needs the page: 1, or 0 if nobody does */
static int wait_for_fault(void)
{
	struct uffd_msg message;

	return read(uffd, &message, sizeof(message)) == sizeof(message) &&
	       message.event == UFFD_EVENT_PAGEFAULT;
}

static void provide_page(void)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)page, PAGE } };

	if (ioctl(uffd, UFFDIO_ZEROPAGE, &zero))
		printf("UFFDIO_ZEROPAGE: %m\n");
}

static void withdraw_page(void)
{
	madvise(page, PAGE, MADV_DONTNEED);
}

/* The waiting process; the result of its call */
static const char *stalled_file;
static int stalled_flags;

static void *stalled(void *unused)
{
	int fd = open(stalled_file, stalled_flags);
	ssize_t n;

	(void)unused;
	n = stalled_flags == O_RDONLY ? pread(fd, page, PAGE, 0) : pwrite(fd, page, PAGE, 0);
	if (n < 0)
		n = -errno;
	close(fd);
	return (void *)n;
}

static pthread_t stall(const char *file, int flags)
{
	pthread_t thread;

	stalled_file = file;
	stalled_flags = flags;
	pthread_create(&thread, NULL, stalled, NULL);
	if (!wait_for_fault())
		printf("nobody waits for the page\n");
	return thread;
}

/* These must not wait: 0 or an error */

static int read_state(void)
{
	char text[32];

	return *get_text(STASH "a/state", text, sizeof(text)) ? 0 : ENODATA;
}

static int read_other_file(void)
{
	char text[16];

	return *get_text(STASH "a/cmdline", text, sizeof(text)) ? 0 : ENODATA;
}

static int read_same_file(void)
{
	char byte;
	int fd = open(STASH "a/kernel", O_RDONLY);
	int err = pread(fd, &byte, 1, 0) == 1 ? 0 : errno;

	close(fd);
	return err;
}

static int set_signature(void)
{
	return setxattr(STASH "a/kernel", "security.ima", "\3\1", 2, 0) ? errno : 0;
}

static int open_to_write(void)
{
	int fd = open(STASH "a/initrd", O_WRONLY);

	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static int load_slot(const char *path)
{
	int fd = open(path, O_RDONLY), err = load(fd, -1, "x", KEXEC_FILE_MEMBUF);

	close(fd);
	return err;
}

static int load_it(void)
{
	return load_slot(STASH "a/kernel");
}

static int load_other_slot(void)
{
	return load_slot(STASH "b/kernel");
}

static int load_file(void)
{
	int fd = open("/tmp/kernel", O_RDONLY), err = load(fd, -1, "x", 0);

	close(fd);
	return err;
}

static int unload_it(void)
{
	return syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, FILE_UNLOAD) ? errno : 0;
}

static int turn_verify_ahead(void)
{
	return put_text(VERIFY_AHEAD, "1") ?: put_text(VERIFY_AHEAD, "0");
}

static const struct {
	const char *name;
	int (*run)(void);
} deeds[] = {
	{ "state", read_state },
	{ "read", read_same_file },
	{ "read-other", read_other_file },
	{ "xattr", set_signature },
	{ "open", open_to_write },
	{ "load", load_it },
	{ "unload", unload_it },
	{ "load-other", load_other_slot },
	{ "load-file", load_file },
	{ "unload-file", unload_it },
	{ "verify-ahead", turn_verify_ahead },
};

#define NR_DEEDS (sizeof(deeds) / sizeof(*deeds))

/* In a process of its own, which cannot be killed there: "OK", an error's name or "waits" */
static const char *do_in_time(int (*run)(void))
{
	pid_t pid = fork();
	int status;

	if (!pid)
		_exit(run());
	for (int i = 0; i < PATIENCE * 20; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? name_of(WEXITSTATUS(status)) : "killed";
		usleep(50000);
	}
	return "waits";
}

static void do_all(const char *what, const char *file, int flags)
{
	pthread_t thread = stall(file, flags);
	void *n = NULL;

	for (size_t i = 0; i < NR_DEEDS; i++) {
		char key[64];

		snprintf(key, sizeof(key), "%s/%s", what, deeds[i].name);
		result(key, "%s", do_in_time(deeds[i].run));
	}
	provide_page();
	pthread_join(thread, &n);
	result(what, "%ld", (long)n);
	withdraw_page();
	while (waitpid(-1, NULL, 0) > 0)
		;
	unload();
}

static int start_other_slot(void)
{
	return start_in_slot("b", "console=ttyAMA0 loglevel=1 retain_initrd step=2 rdinit=/stall");
}

static void stage(void)
{
	static char image[1 << 20];
	int fd = open("/tmp/kernel", O_CREAT | O_WRONLY, 0600);

	close(fd);
	fake_image(image, sizeof(image));
	put("/tmp/kernel", image, sizeof(image));
	put(STASH "a/kernel", image, sizeof(image));
	put(STASH "b/kernel", image, sizeof(image));
	put_text(STASH "a/cmdline", "x");
}

int main(void)
{
	mount_all();
	put_text(VERIFY_AHEAD, "0");
	make_page();
	if (parameter("step", 1) == 2) {
		char state[32];

		result("step-2", "%s", get_text(STASH "b/state", state, sizeof(state)));
		stall(STASH "a/initrd", O_WRONLY);
		power_off();
	}
	stage();
	do_all("read", STASH "a/kernel", O_RDONLY);
	do_all("write", STASH "a/initrd", O_WRONLY);
	stall(STASH "a/initrd", O_WRONLY);
	result("exec", "%s", do_in_time(start_other_slot));
	power_off();
}
