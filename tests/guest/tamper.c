// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tamper - try every way that user space has to change a file
 *
 * usage: tamper <file> <other file of its folder>
 *
 * Prints "<way>: <name of the error>", or "<way>: OK" if the call succeeded, for each way in turn.
 * Some may succeed and change nothing: the caller compares the file itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCRATCH "/tmp/tamper.scratch"
#define MOUNT "/tmp/tamper.mount"

static const char *path, *other;
/* Open for reading, which any reader can do while a slot is sealed */
static int fd;
static char byte = 0x5a;

/* The result of a call that returns 0 or more on success */
static int result(long ret)
{
	return ret < 0 ? -1 : 0;
}

static int open_and_write(const char *name, int flags)
{
	int to = open(name, flags), ret;

	if (to < 0)
		return -1;
	ret = result(write(to, &byte, 1));
	close(to);
	return ret;
}

static int open_wronly(void)
{
	return open_and_write(path, O_WRONLY);
}

static int open_rdwr(void)
{
	return open_and_write(path, O_RDWR);
}

static int open_append(void)
{
	return open_and_write(path, O_WRONLY | O_APPEND);
}

static int open_creat(void)
{
	return open_and_write(path, O_WRONLY | O_CREAT);
}

static int open_wronly_trunc(void)
{
	return open_and_write(path, O_WRONLY | O_TRUNC);
}

static int open_rdonly_trunc(void)
{
	return result(open(path, O_RDONLY | O_TRUNC));
}

static int reopen(void)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	return open_and_write(name, O_WRONLY);
}

static int reopen_o_path(void)
{
	char name[32];

	snprintf(name, sizeof(name), "/proc/self/fd/%d", open(path, O_PATH));
	return open_and_write(name, O_RDWR);
}

static int by_handle(void)
{
	struct {
		struct file_handle head;
		unsigned char bytes[MAX_HANDLE_SZ];
	} handle = { .head.handle_bytes = MAX_HANDLE_SZ };
	int mount, to;

	if (name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0))
		return -1;
	to = open_by_handle_at(fd, &handle.head, O_WRONLY);
	return to < 0 ? -1 : result(write(to, &byte, 1));
}

/* Through the descriptor that is open for reading */

static int write_rdonly(void)
{
	return result(write(fd, &byte, 1));
}

static int pwritev2_rdonly(void)
{
	struct iovec iov = { &byte, 1 };

	return result(pwritev2(fd, &iov, 1, 0, RWF_DSYNC));
}

static int aio_rdonly(void)
{
	struct iocb cb = {
		.aio_fildes = fd,
		.aio_lio_opcode = IOCB_CMD_PWRITE,
		.aio_buf = (uintptr_t)&byte,
		.aio_nbytes = 1,
	}, *cbs = &cb;
	aio_context_t context = 0;

	if (syscall(SYS_io_setup, 1, &context))
		return -1;
	return result(syscall(SYS_io_submit, context, 1, &cbs));
}

static int ftruncate_rdonly(void)
{
	return ftruncate(fd, 0);
}

static int fallocate_rdonly(void)
{
	return fallocate(fd, 0, 0, 4096);
}

static int punch_hole_rdonly(void)
{
	return fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096);
}

static int scratch(void)
{
	int from = open(SCRATCH, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (from < 0 || pwrite(from, "tampered", 8, 0) != 8) {
		perror(SCRATCH);
		exit(2);
	}
	return from;
}

static int sendfile_rdonly(void)
{
	return result(sendfile(fd, scratch(), NULL, 8));
}

static int copy_range_rdonly(void)
{
	return result(copy_file_range(scratch(), NULL, fd, NULL, 8, 0));
}

static int clone_rdonly(void)
{
	return ioctl(fd, FICLONE, scratch());
}

static void make_pipe(int *ends)
{
	if (pipe(ends)) {
		perror("pipe");
		exit(2);
	}
}

static int splice_rdonly(void)
{
	int ends[2];

	make_pipe(ends);
	if (write(ends[1], &byte, 1) != 1)
		return -1;
	return result(splice(ends[0], NULL, fd, NULL, 1, 0));
}

/* Give pages to a pipe, and write to them after the file has got them */
static int vmsplice_rdonly(void)
{
	struct iovec iov = { aligned_alloc(4096, 4096), 4096 };
	int ends[2];

	make_pipe(ends);
	if (vmsplice(ends[1], &iov, 1, SPLICE_F_GIFT) != 4096)
		return -1;
	return result(splice(ends[0], NULL, fd, NULL, 4096, SPLICE_F_MOVE));
}

/* The file's own pages in a pipe: a later write to the pipe must not reach them */
static int write_behind_splice(void)
{
	off_t start = 0;
	int ends[2];

	make_pipe(ends);
	if (splice(fd, &start, ends[1], NULL, 1, 0) != 1)
		return -1;
	return result(write(ends[1], "tampered", 8));
}

/* The same, with the pages mapped out of the pipe */
static int vmsplice_out_of_pipe(void)
{
	char *copy = aligned_alloc(4096, 4096);
	struct iovec iov = { copy, 4096 };
	off_t start = 0;
	int ends[2];

	make_pipe(ends);
	if (splice(fd, &start, ends[1], NULL, 4096, 0) < 0)
		return -1;
	if (vmsplice(ends[0], &iov, 1, 0) < 0)
		return -1;
	memset(copy, byte, 4096);
	return 0;
}

/* Mappings */

static int map(int prot, int flags)
{
	char *at = mmap(NULL, 4096, prot, flags, fd, 0);

	if (at == MAP_FAILED)
		return -1;
	if (prot & PROT_WRITE)
		*at = byte;
	return 0;
}

static int map_shared_writable(void)
{
	return map(PROT_READ | PROT_WRITE, MAP_SHARED);
}

static int map_shared(void)
{
	return map(PROT_READ, MAP_SHARED);
}

static int map_private_writable(void)
{
	return map(PROT_READ | PROT_WRITE, MAP_PRIVATE);
}

static int map_private(void)
{
	return map(PROT_READ, MAP_PRIVATE);
}

static int map_then_mprotect(void)
{
	char *at = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);

	if (at == MAP_FAILED || mprotect(at, 4096, PROT_READ | PROT_WRITE))
		return -1;
	*at = byte;
	return 0;
}

/* A mapping for writers that need no permission of it */
static char *mapping(void)
{
	return mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
}

static int proc_self_mem(void)
{
	char *at = mapping();

	if (at == MAP_FAILED)
		return -1;
	return result(pwrite(open("/proc/self/mem", O_RDWR), &byte, 1, (off_t)at));
}

static int vm_writev(void)
{
	char *at = mapping();
	struct iovec from = { &byte, 1 }, to = { at, 1 };

	if (at == MAP_FAILED)
		return -1;
	return result(process_vm_writev(getpid(), &from, 1, &to, 1, 0));
}

static int ptrace_poke(void)
{
	char *at = mapping();
	pid_t child;
	int ret;

	if (at == MAP_FAILED)
		return -1;
	child = fork();
	if (!child) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(child, NULL, 0);
	ret = result(ptrace(PTRACE_POKEDATA, child, at, (void *)-1L));
	kill(child, SIGKILL);
	return ret;
}

/* Memory as a whole */

static int dev_mem(void)
{
	return result(open("/dev/mem", O_RDWR));
}

static int proc_kcore(void)
{
	int fd = open("/proc/kcore", O_RDWR), ret;

	if (fd < 0)
		return result(fd);
	ret = result(write(fd, "x", 1));
	close(fd);
	return ret;
}

/* The name */

static int do_truncate(void)
{
	return truncate(path, 0);
}

static int do_truncate_some(void)
{
	return truncate(path, 4096);
}

static int do_unlink(void)
{
	return unlink(path);
}

static int rename_from_elsewhere(void)
{
	close(scratch());
	return rename(SCRATCH, path);
}

static int rename_other(void)
{
	return rename(other, path);
}

static int rename_exchange(void)
{
	return renameat2(AT_FDCWD, other, AT_FDCWD, path, RENAME_EXCHANGE);
}

static int rename_away(void)
{
	char name[256];

	snprintf(name, sizeof(name), "%s.away", path);
	return rename(path, name);
}

static int link_away(void)
{
	char name[256];

	snprintf(name, sizeof(name), "%s.link", path);
	return link(path, name) ?: open_and_write(name, O_WRONLY);
}

static int link_other(void)
{
	return link(other, path);
}

static int symlink_over(void)
{
	return symlink(SCRATCH, path);
}

/* By another path: its last two names are those of slot and file */
static int by_mount(const char *source, const char *type, unsigned long flags)
{
	const char *slot = path + strlen(path);
	char name[256];
	int ret;

	for (int slashes = 0; slot > path && slashes < 2; slashes += *slot == '/')
		slot--;
	mkdir(MOUNT, 0700);
	if (mount(source, MOUNT, type, flags, NULL))
		return -1;
	snprintf(name, sizeof(name), "%s%s", MOUNT, slot);
	ret = open_and_write(name, O_WRONLY);
	umount(MOUNT);
	return ret;
}

static int second_mount(void)
{
	return by_mount("again", "kexec_stash", 0);
}

static int bind_mount(void)
{
	return by_mount("/sys/fs/kexec", NULL, MS_BIND);
}

/* Last, the ways that empty the file if they work */
static const struct way {
	const char *name;
	int (*go)(void);
} ways[] = {
	{ "open O_WRONLY", open_wronly },
	{ "open O_RDWR", open_rdwr },
	{ "open O_APPEND", open_append },
	{ "open O_CREAT", open_creat },
	{ "open /proc/self/fd", reopen },
	{ "open /proc/self/fd of O_PATH", reopen_o_path },
	{ "open_by_handle_at", by_handle },
	{ "second mount", second_mount },
	{ "bind mount", bind_mount },
	{ "write", write_rdonly },
	{ "pwritev2", pwritev2_rdonly },
	{ "io_submit", aio_rdonly },
	{ "ftruncate", ftruncate_rdonly },
	{ "fallocate", fallocate_rdonly },
	{ "fallocate PUNCH_HOLE", punch_hole_rdonly },
	{ "sendfile", sendfile_rdonly },
	{ "copy_file_range", copy_range_rdonly },
	{ "FICLONE", clone_rdonly },
	{ "splice", splice_rdonly },
	{ "vmsplice", vmsplice_rdonly },
	{ "write behind splice", write_behind_splice },
	{ "vmsplice out of pipe", vmsplice_out_of_pipe },
	{ "mmap shared, writable", map_shared_writable },
	{ "mmap shared", map_shared },
	{ "mmap private, writable", map_private_writable },
	{ "mmap private", map_private },
	{ "mprotect", map_then_mprotect },
	{ "/proc/self/mem", proc_self_mem },
	{ "process_vm_writev", vm_writev },
	{ "ptrace POKEDATA", ptrace_poke },
	{ "/dev/mem", dev_mem },
	{ "/proc/kcore", proc_kcore },
	{ "link", link_away },
	{ "link over", link_other },
	{ "symlink over", symlink_over },
	{ "rename away", rename_away },
	{ "rename over", rename_from_elsewhere },
	{ "rename other file over", rename_other },
	{ "rename EXCHANGE", rename_exchange },
	{ "truncate to a page", do_truncate_some },
	{ "open O_TRUNC", open_wronly_trunc },
	{ "open O_RDONLY|O_TRUNC", open_rdonly_trunc },
	{ "truncate", do_truncate },
	{ "unlink", do_unlink },
};

int main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: tamper <file> <other file>\n", stderr);
		return 2;
	}
	path = argv[1];
	other = argv[2];
	fd = open(path, O_RDONLY);
	if (fd < 0) {
		perror(path);
		return 2;
	}
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		printf("%s: %s\n", ways[i].name, ways[i].go() ? strerrorname_np(errno) : "OK");
	return 0;
}
