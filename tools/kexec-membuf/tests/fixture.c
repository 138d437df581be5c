// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A root directory of the tests' own with a stash in it, and a kernel that does what it is told to
 */

#include "fixture.h"
#include "fixture_wrap.h"
#include "command.h"
#include "sys.h"
#include "uapi.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <libfdt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct fake fake;
int status;
char out[16384];
char err[16384];
int test_root = -1;

#define ROOT_TEMPLATE	"/tmp/kexec-membuf-test-XXXXXX"

static char root_path[sizeof(ROOT_TEMPLATE)];

static void read_start(int fd, char *buf, size_t size)
{
	ssize_t n = fd < 0 ? 0 : pread(fd, buf, size - 1, 0);

	assert_true(n >= 0);
	buf[n] = '\0';
}

/* The linker puts the following in place of what sys.h, and libc, have */

int __wrap_sys_kexec_file_load(int kernel_fd, int initrd_fd, const char *cmdline,
			       unsigned long flags)
{
	fake.loads++;
	fake.flags = flags;
	fake.cmdline_given = cmdline;
	snprintf(fake.cmdline, sizeof(fake.cmdline), "%s", cmdline ? cmdline : "");
	read_start(kernel_fd, fake.kernel, sizeof(fake.kernel));
	read_start(initrd_fd, fake.initrd, sizeof(fake.initrd));
	if (fake.load_reason)
		put_text("sys/fs/kexec/a/reason", fake.load_reason);
	if (!fake.load_ret && fake.load_state && !(flags & KEXEC_FILE_MEMBUF_CHECK))
		put_text("sys/fs/kexec/a/state", fake.load_state);
	return fake.load_ret;
}

static void note_call(char c)
{
	size_t n = strlen(fake.calls);

	assert_true(n + 1 < sizeof(fake.calls));
	fake.calls[n] = c;
}

int __wrap_sys_kexec_reboot(void)
{
	note_call('r');
	return -EPERM;
}

int __wrap_sys_systemctl_kexec(void)
{
	note_call('d');
	return -ENOENT;
}

void __wrap_sync(void)
{
	note_call('s');
}

bool __wrap_sys_is_stash(int dir)
{
	assert_true(dir >= 0);
	return fake.mounted;
}

int __wrap_sys_mount_stash(void)
{
	fake.mounts++;
	if (!fake.mount_ret)
		fake.mounted = true;
	return fake.mount_ret;
}

uid_t __wrap_geteuid(void)
{
	return fake.euid;
}

/* An attribute is a file beside its file: there need not be room for it in the file system */
ssize_t __wrap_sys_get_xattr(int fd, const char *name, void *buf, size_t size)
{
	char link[32], path[512];
	ssize_t n;

	assert_string_equal(name, "security.ima");
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 5);
	assert_true(n > 0);
	memcpy(path + n, ".ima", 5);
	n = read_at(AT_FDCWD, path, buf, size);
	return n == -ENOENT ? -ENODATA : n;
}

static char *fd_path(int fd)
{
	static char path[512];
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = '\0';
	return path;
}

/* "" for what is not in a slot's directory, or else the file's name; the path is cut before it */
static const char *slot_file(char *path)
{
	size_t root = strlen(root_path), stash = strlen("/sys/fs/kexec/");
	char *slash = strrchr(path, '/');

	if (strncmp(path, root_path, root) || strncmp(path + root, "/sys/fs/kexec/", stash) ||
	    !slash)
		return "";
	*slash = '\0';
	return slash + 1;
}

static void put_state(const char *dir, const char *state)
{
	char *path = xasprintf("%s/state", dir + strlen(root_path) + 1);
	char *line = xasprintf("%s\n", state);

	put_text(path, line);
	free(line);
	free(path);
}

int __wrap_sys_open(int dir, const char *path, int flags)
{
	int fd;

	if (fake.open_ret && flags != O_RDONLY)
		return fake.open_ret;
	fd = openat(dir, path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

ssize_t __wrap_sys_read(int fd, void *buf, size_t len)
{
	if (fake.read_ret && !fake.read_max)
		return fake.read_ret;
	if (fake.read_ret && len > fake.read_max)
		len = fake.read_max;
	fake.read_max -= len;
	return __real_sys_read(fd, buf, len);
}

ssize_t __wrap_sys_pread(int fd, void *buf, size_t len, u64 pos)
{
	bool stash = *slot_file(fd_path(fd));
	ssize_t n;

	if (!stash && fake.read_ret && pos >= fake.read_max)
		return fake.read_ret > 0 ? 0 : fake.read_ret;
	if (!stash && fake.read_ret && len > fake.read_max - pos)
		len = fake.read_max - pos;
	if (!stash && fake.read_step && len > fake.read_step)
		len = fake.read_step;
	n = __real_sys_pread(fd, buf, len, pos);
	if (stash && fake.flip >= (long)pos && fake.flip < (long)pos + n)
		((char *)buf)[fake.flip - pos] ^= 1;
	return n;
}

ssize_t __wrap_sys_write(int fd, const void *buf, size_t len)
{
	char *path = fd_path(fd);
	ssize_t n;

	if (fake.signal) {
		raise(fake.signal);
		append_text("writes", "w");
	}
	if (fake.write_ret && fake.written + len > fake.write_max)
		return fake.write_ret;
	n = __real_sys_write(fd, buf, len);
	fake.written += n;
	if (*slot_file(path))
		put_state(path, "bad");
	return n;
}

int __wrap_sys_empty_file(int dir, const char *path)
{
	char *file;
	int fd;

	if (fake.empty_ret)
		return fake.empty_ret;
	fd = openat(dir, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	assert_true(fd >= 0);
	file = fd_path(fd);
	slot_file(file);
	put_state(file, "empty");
	close(fd);
	return 0;
}

void __wrap_sys_close_written(int fd)
{
	char *path = fd_path(fd);
	off_t size = lseek(fd, 0, SEEK_END);

	if (!strcmp(slot_file(path), "kernel") && size)
		put_state(path, fake.staged_state ? fake.staged_state : "staged");
	close(fd);
}

static void make_parents(const char *path)
{
	char *copy = xasprintf("%s", path);
	char *slash;

	for (slash = strchr(copy, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdirat(test_root, copy, 0755))
			assert_int_equal(errno, EEXIST);
		*slash = '/';
	}
	free(copy);
}

static void write_file(const char *path, int flags, const void *data, size_t size)
{
	int fd;

	make_parents(path);
	fd = openat(test_root, path, O_WRONLY | flags, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

void put_data(const char *path, const void *data, size_t size)
{
	write_file(path, O_CREAT | O_TRUNC, data, size);
}

void assert_content(const char *path, const void *data, size_t size)
{
	/* One more, to notice more */
	char *content = xmalloc(size + 1);

	assert_int_equal(read_at(test_root, path, content, size + 1), size);
	assert_memory_equal(content, data, size);
	free(content);
}

void put_text(const char *path, const char *text)
{
	put_data(path, text, strlen(text));
}

void append_text(const char *path, const char *text)
{
	write_file(path, O_APPEND, text, strlen(text));
}

void remove_path(const char *path)
{
	if (unlinkat(test_root, path, 0))
		assert_int_equal(unlinkat(test_root, path, AT_REMOVEDIR), 0);
}

const char *outside_path(const char *path)
{
	static char buf[128];

	snprintf(buf, sizeof(buf), "%s/%s", root_path, path);
	return buf;
}

static void put_slot_file(const char *slot, const char *file, const void *data, size_t size)
{
	char *path = xasprintf("sys/fs/kexec/%s/%s", slot, file);

	put_data(path, data, size);
	free(path);
}

static void put_slot_text(const char *slot, const char *file, const char *text)
{
	put_slot_file(slot, file, text, strlen(text));
}

void put_slot(const char *name, const char *state)
{
	char *line = xasprintf("%s\n", state);

	put_slot_text(name, "state", line);
	put_slot_text(name, "origin", strcmp(state, "empty") ? "firmware\n" : "none\n");
	put_slot_text(name, "verified", "0\n");
	put_slot_text(name, "reason", "");
	put_slot_text(name, "base", "0x50000000\n");
	put_slot_text(name, "size", "0x8000000\n");
	put_slot_text(name, "kernel", "");
	put_slot_text(name, "initrd", "");
	put_slot_text(name, "dtb", "");
	put_slot_text(name, "cmdline", "");
	free(line);
}

void put_staged_slot(const char *name)
{
	unsigned char header[64];
	char initrd[4096];

	put_slot(name, "staged");
	make_image(header, 0, 0x900000);
	put_slot_file(name, "kernel", header, sizeof(header));
	memset(initrd, 'i', sizeof(initrd));
	put_slot_file(name, "initrd", initrd, sizeof(initrd));
	put_slot_text(name, "cmdline", "console=ttyAMA0 quiet");
}

void put_xattr(const char *slot, const char *file, const void *data, size_t size)
{
	char *path = xasprintf("sys/fs/kexec/%s/%s.ima", slot, file);

	if (data)
		put_data(path, data, size);
	else
		remove_path(path);
	free(path);
}

static void put_le64(unsigned char *p, u64 val)
{
	int i;

	for (i = 0; i < 8; i++)
		p[i] = val >> 8 * i;
}

void make_image(unsigned char *header, u64 text_offset, u64 image_size)
{
	memset(header, 0, 64);
	memcpy(header, "MZ@\xfa", 4);
	put_le64(header + 8, text_offset);
	put_le64(header + 16, image_size);
	memcpy(header + 56, "ARM\x64", 4);
}

void *make_dtb(size_t *size)
{
	static const char compatible[] = "acme,board\0acme,soc";
	void *fdt = xmalloc(4096);

	assert_int_equal(fdt_create(fdt, 4096), 0);
	assert_int_equal(fdt_finish_reservemap(fdt), 0);
	assert_int_equal(fdt_begin_node(fdt, ""), 0);
	assert_int_equal(fdt_property_string(fdt, "model", "ACME Board"), 0);
	assert_int_equal(fdt_property(fdt, "compatible", compatible, sizeof(compatible)), 0);
	assert_int_equal(fdt_begin_node(fdt, "chosen"), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_end_node(fdt), 0);
	assert_int_equal(fdt_finish(fdt), 0);
	*size = fdt_totalsize(fdt);
	return fdt;
}

static int redirect(int fd, FILE *file)
{
	int saved = dup(fd);

	assert_true(saved >= 0);
	assert_true(dup2(fileno(file), fd) >= 0);
	return saved;
}

static void restore(int fd, int saved, FILE *file, char *buf, size_t size)
{
	assert_true(dup2(saved, fd) >= 0);
	close(saved);
	read_start(fileno(file), buf, size);
	fclose(file);
}

void run(const char *arg, ...)
{
	FILE *out_file = tmpfile(), *err_file = tmpfile();
	int saved_out, saved_err, argc = 1;
	char *argv[16] = { "kexec-membuf" };
	va_list va;

	va_start(va, arg);
	for (; arg; arg = va_arg(va, const char *)) {
		assert_true(argc + 1 < (int)ARRAY_SIZE(argv));
		argv[argc++] = (char *)arg;
	}
	va_end(va);

	assert_non_null(out_file);
	assert_non_null(err_file);
	fflush(stdout);
	fflush(stderr);
	saved_out = redirect(STDOUT_FILENO, out_file);
	saved_err = redirect(STDERR_FILENO, err_file);
	/* glibc starts anew at 0 */
	optind = 0;
	status = run_command(test_root, argc, argv);
	fflush(stdout);
	restore(STDERR_FILENO, saved_err, err_file, err, sizeof(err));
	restore(STDOUT_FILENO, saved_out, out_file, out, sizeof(out));
}

void assert_error(const char *format, ...)
{
	char line[4096];
	char *want;
	va_list va;

	va_start(va, format);
	vsnprintf(line, sizeof(line), format, va);
	va_end(va);
	want = xasprintf("kexec-membuf: %s\n", line);
	assert_string_equal(err, want);
	free(want);
}

int fixture_setup(void **state)
{
	(void)state;
	memcpy(root_path, ROOT_TEMPLATE, sizeof(root_path));
	if (!mkdtemp(root_path))
		return -1;
	test_root = open(root_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (test_root < 0)
		return -1;

	memset(&fake, 0, sizeof(fake));
	fake.mounted = true;
	fake.load_state = "loaded\n";
	fake.flip = -1;
	put_text("proc/cmdline", "root=/dev/vda quiet\n");
	put_text("proc/sys/kernel/kexec_load_disabled", "0\n");
	put_text("proc/sys/kernel/kexec_load_limit_reboot", "-1\n");
	put_text("sys/kernel/kexec/loaded", "0\n");
	put_text("sys/kernel/kexec/copy_bytes", "0\n");
	put_text("sys/fs/kexec/x", "");
	remove_path("sys/fs/kexec/x");
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

int fixture_teardown(void **state)
{
	(void)state;
	close(test_root);
	return nftw(root_path, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}
