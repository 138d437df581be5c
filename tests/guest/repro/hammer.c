// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Random operations on the stash from several processes of two threads each, for "seconds=", from
 * "seed=". Their results do not matter: the kernel must neither complain nor hang.
 *
 * A process of its own reads the kernel's log, since the many lines of refused loads would drown
 * the console. It prints the lines that are not of the stash, kexec or IMA.
 */
#include "repro.h"
#include <dirent.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#define PROCESSES 5
#define THREADS 2
#define WORKERS (PROCESSES * THREADS)
#define STUCK 40 /* seconds, for a slow and busy emulated machine; or stuck= */

#define HELD 3
#define SPARES 6

static const char *const files[] = { "kernel", "initrd", "dtb", "cmdline" };
static const char *const facts[] = { "state", "origin", "base", "size", "verified" };
static const char *const xattrs[] = { "security.ima", "security.evm", "security.foo", "user.foo",
				      "security.selinux" };

/* Shared by all processes */
struct shared {
	struct {
		_Atomic unsigned long done;
		_Atomic int operation; /* -1 once it has ended */
	} worker[WORKERS];
	_Atomic unsigned long done[64], good[64]; /* of each operation */
	_Atomic unsigned long loaded[256]; /* results of stage_and_load(), by error */
	_Atomic int stalled; /* somebody waits for a page, once */
	_Atomic int spare; /* the first spare slot that is not released yet */
};

static struct shared *shared;

static unsigned char *image; /* a small kernel, and bytes */
static unsigned char *large; /* a large kernel */
static int tmp_kernel, large_kernel;
static double begin, seconds, stuck_after;
static pid_t pids[PROCESSES];

/* Of each thread */
static __thread unsigned int seed;
static __thread int me;
static __thread sigjmp_buf escape;
static __thread _Atomic int may_escape;
static __thread int held[HELD];
static __thread void *mapped[HELD];
static __thread size_t mapped_len[HELD];
static __thread char path[128];

#define IMAGE_SIZE 0x100000UL
#define BUF_SIZE 0x800000UL
#define LARGE_SIZE 0x1000000UL

static unsigned int dice(unsigned int n)
{
	return rand_r(&seed) % n;
}

/*
 * A file that is open for writing prevents loads, so there are times with many writers, with few
 * and with none
 */
static int calm(void)
{
	return (int)((now() - begin) / 2) % 3;
}

static const char *slot(void)
{
	return dice(2) ? "a" : "b";
}

static const char *in_slot(const char *file)
{
	snprintf(path, sizeof(path), "%s/%s/%s", dice(8) ? "/sys/fs/kexec" : "/mnt", slot(), file);
	return path;
}

static const char *any_file(void)
{
	/* kernels and initrds most of all */
	return in_slot(files[dice(4) ? dice(2) : dice(4)]);
}

static size_t any_size(void)
{
	static const size_t most[] = { 1, 64, 4096, 4097, 65536, 1 << 20, BUF_SIZE };

	return dice(most[dice(7)]) + 1;
}

static off_t any_offset(void)
{
	static const off_t most[] = { 1, 4096, 1 << 20, 1 << 24, 1 << 26, 1 << 28 };

	return dice(most[dice(6)]);
}

static void escaped(int signal)
{
	if (may_escape)
		siglongjmp(escape, 1);
	_exit(signal);
}

/* Operations: true if it was done, false if it was refused */

static int stage_kernel(void)
{
	return !put(in_slot("kernel"), image, IMAGE_SIZE);
}

static int stage_initrd(void)
{
	return !put(in_slot("initrd"), image + 4096, any_size());
}

static int stage_cmdline(void)
{
	return !put(in_slot("cmdline"), "console=ttyAMA0\n", dice(2) ? 16 : 1);
}

static int stage_dtb(void)
{
	static char dtb[1 << 20];
	int fd = open("/sys/firmware/fdt", O_RDONLY);
	ssize_t n = fd < 0 ? 0 : read(fd, dtb, sizeof(dtb));

	close(fd);
	return n > 0 && !put(in_slot("dtb"), dtb, n);
}

static int write_somewhere(void)
{
	static const int flags[] = { 0, O_TRUNC, O_APPEND, O_CREAT, O_SYNC, O_DIRECT };
	int fd = open(any_file(), (dice(2) ? O_RDWR : O_WRONLY) | flags[dice(6)], 0600), ok = 0;

	if (fd < 0)
		return 0;
	for (int i = dice(4) + 1; i; i--) {
		struct iovec v[2] = { { image, dice(64) }, { image + dice(4096), any_size() } };

		if (dice(3))
			ok |= pwrite(fd, image, any_size(), any_offset()) > 0;
		else
			ok |= pwritev2(fd, v, 2, dice(2) ? -1 : any_offset(),
				       dice(2) ? 0 : dice(64)) > 0;
	}
	if (!dice(8))
		fsync(fd);
	close(fd);
	return ok;
}

/* From a mapping of the stash to the stash, and from unmapped memory */
static int write_mapped(void)
{
	int i = dice(HELD), fd, ok;

	if (!mapped[i])
		return 0;
	fd = open(any_file(), O_WRONLY);
	if (fd < 0)
		return 0;
	ok = pwrite(fd, mapped[i], mapped_len[i] + (dice(3) ? 0 : 65536), any_offset()) > 0;
	close(fd);
	return ok;
}

static int read_somewhere(void)
{
	int fd = open(any_file(), O_RDONLY | (dice(8) ? 0 : O_DIRECT)), ok;
	size_t len = any_size();
	void *buf;

	if (fd < 0)
		return 0;
	buf = malloc(len);
	ok = buf && pread(fd, buf, len, any_offset()) > 0;
	lseek(fd, any_offset(), dice(5));
	ok |= buf && read(fd, buf, len) > 0;
	free(buf);
	close(fd);
	return ok;
}

/* Into a mapping of the stash, which is read-only */
static int read_into_mapping(void)
{
	int i = dice(HELD), fd = open(any_file(), O_RDONLY), refused;

	refused = fd >= 0 && mapped[i] && read(fd, mapped[i], mapped_len[i]) < 0 && errno == EFAULT;
	close(fd);
	return refused;
}

static int splice_somewhere(void)
{
	int from = open(any_file(), O_RDONLY), to = open(any_file(), O_WRONLY), ends[2], ok = 0;
	off_t offset = any_offset();

	if (from >= 0 && to >= 0)
		ok = sendfile(to, from, &offset, any_size()) > 0;
	if (from >= 0 && !pipe(ends)) {
		fcntl(ends[1], F_SETFL, O_NONBLOCK);
		ok |= splice(from, NULL, ends[1], NULL, any_size(), SPLICE_F_NONBLOCK) > 0;
		if (to >= 0)
			splice(ends[0], NULL, to, NULL, 65536, SPLICE_F_NONBLOCK);
		close(ends[0]);
		close(ends[1]);
	}
	close(from);
	close(to);
	return ok;
}

static int empty(void)
{
	return !truncate(any_file(), dice(4) ? 0 : any_offset());
}

static int remove_file(void)
{
	return !unlink(any_file());
}

static int open_and_hold(void)
{
	int i = dice(HELD);

	if (held[i] > 0)
		close(held[i]);
	/* An open for writing prevents loads */
	held[i] = open(any_file(), calm() || dice(4) ? O_RDONLY : O_RDWR);
	return held[i] > 0;
}

static int let_go(void)
{
	for (int i = 0; i < HELD; i++) {
		if (held[i] > 0)
			close(held[i]);
		held[i] = 0;
	}
	return 1;
}

static int use_held(void)
{
	int fd = held[dice(HELD)];
	struct stat stat;
	char byte;

	if (fd <= 0)
		return 0;
	switch (dice(7)) {
	case 0:
		return pread(fd, &byte, 1, any_offset()) == 1;
	case 1:
		return pwrite(fd, image, any_size(), any_offset()) > 0;
	case 2:
		return !ftruncate(fd, 0);
	case 3:
		return !fstat(fd, &stat);
	case 4:
		return !fsetxattr(fd, "security.ima", image, any_size() % 3000, 0);
	case 5:
		return !flock(fd, (dice(2) ? LOCK_EX : LOCK_SH) | LOCK_NB);
	default:
		return !posix_fadvise(fd, 0, 0, dice(6));
	}
}

static int map(void)
{
	int i = dice(HELD), fd = open(any_file(), dice(4) ? O_RDONLY : O_RDWR);
	void *at;

	if (fd < 0)
		return 0;
	if (mapped[i])
		munmap(mapped[i], mapped_len[i]);
	mapped[i] = NULL;
	mapped_len[i] = any_size();
	at = mmap(NULL, mapped_len[i], PROT_READ | (dice(6) ? 0 : PROT_WRITE),
		  (dice(2) ? MAP_SHARED : MAP_PRIVATE) | (dice(8) ? 0 : MAP_POPULATE), fd,
		  dice(3) ? 0 : any_offset() & ~4095UL);
	close(fd);
	if (at == MAP_FAILED)
		return 0;
	mapped[i] = at;
	return 1;
}

/* The mapped pages may have gone away */
static int touch(const unsigned char *at, size_t len)
{
	if (sigsetjmp(escape, 1)) {
		may_escape = 0;
		return 0;
	}
	may_escape = 1;
	for (size_t n = 0; n < len; n += 4096)
		__atomic_load_n(at + n, __ATOMIC_RELAXED);
	may_escape = 0;
	return 1;
}

static int use_mapped(void)
{
	int i = dice(HELD);
	unsigned char *at = mapped[i];

	if (!at)
		return 0;
	switch (dice(6)) {
	case 0:
		return !mprotect(at, 4096, dice(2) ? PROT_READ : PROT_READ | PROT_WRITE);
	case 1:
		return !madvise(at, mapped_len[i], dice(24));
	case 2:
		at = mremap(at, mapped_len[i], mapped_len[i] + 4096, MREMAP_MAYMOVE);
		if (at != MAP_FAILED)
			mapped[i] = at;
		return at != MAP_FAILED;
	case 3:
		return !mlock(at, 4096) && !munlock(at, 4096);
	default:
		return touch(at, mapped_len[i]);
	}
}

static int set_xattr(void)
{
	unsigned char value[3000];
	size_t len = dice(dice(4) ? 100 : sizeof(value));

	memset(value, dice(256), sizeof(value));
	value[0] = dice(2) ? 3 : dice(6);
	return !setxattr(any_file(), xattrs[dice(5)], value, len, dice(3));
}

static int other_xattr(void)
{
	char buf[4096];

	switch (dice(3)) {
	case 0:
		return getxattr(any_file(), xattrs[dice(5)], buf, dice(2) ? 0 : sizeof(buf)) >= 0;
	case 1:
		return listxattr(any_file(), buf, dice(2) ? 0 : sizeof(buf)) >= 0;
	default:
		return !removexattr(any_file(), xattrs[dice(5)]);
	}
}

static int load_something(void)
{
	int kernel = -1, initrd = -1, err;
	unsigned long flags = 0;

	switch (dice(4)) {
	case 0:
		kernel = open(any_file(), O_RDONLY);
		break;
	case 1:
	case 2:
		kernel = dup(tmp_kernel);
		break;
	default:
		kernel = open(in_slot("kernel"), O_RDONLY);
		flags = dice(3) ? KEXEC_FILE_MEMBUF : 0;
	}
	if (dice(2))
		initrd = open(dice(4) ? in_slot("initrd") : any_file(), O_RDONLY);
	if (!dice(4) && held[0] > 0)
		initrd = dup(held[0]);
	if (!dice(5))
		flags |= FILE_ON_CRASH;
	if (!dice(5))
		flags |= FILE_NO_CMA;
	if (!dice(8))
		flags |= 0x20; /* FORCE_DTB */
	err = load(kernel, initrd, dice(3) ? "console=ttyAMA0" : NULL, flags);
	if (kernel >= 0)
		close(kernel);
	if (initrd >= 0)
		close(initrd);
	return !err;
}

/* A load that is likely to be adopted */
static int stage_and_load(void)
{
	const char *name = slot();
	int kernel, err;

	/* A loaded slot cannot be staged into */
	unload();
	snprintf(path, sizeof(path), STASH "%s/dtb", name);
	truncate(path, 0);
	snprintf(path, sizeof(path), STASH "%s/initrd", name);
	truncate(path, 0);
	snprintf(path, sizeof(path), STASH "%s/kernel", name);
	err = put(path, image, IMAGE_SIZE);
	if (err)
		return 0;
	kernel = open(path, O_RDONLY);
	/* Others load or write just now */
	for (int i = 0; i < 200; i++) {
		err = load(kernel, -1, "x", KEXEC_FILE_MEMBUF);
		if (err != EBUSY && err != ETXTBSY)
			break;
		usleep(1000);
	}
	shared->loaded[err & 255]++;
	if (kernel >= 0)
		close(kernel);
	return !err;
}

static int unload_something(void)
{
	return !syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL,
			FILE_UNLOAD | (dice(4) ? 0 : FILE_ON_CRASH));
}

/* This lasts, so do it late, and only to a slot that is empty or is made so */
static int release_slot(void)
{
	double passed = (now() - begin) / seconds;
	const char *name = slot();

	if (passed < (*name == 'b' ? 0.6 : 0.85))
		return 0;
	/* Others stage meanwhile */
	for (int tries = dice(20) + 1; tries; tries--) {
		unload();
		for (int i = 0; i < 4; i++) {
			snprintf(path, sizeof(path), STASH "%s/%s", name, files[i]);
			truncate(path, 0);
		}
		snprintf(path, sizeof(path), STASH "%s/release", name);
		if (!put_text(path, dice(8) ? "1" : "x"))
			return 1;
	}
	return 0;
}

static const char *in_spare(const char *file)
{
	snprintf(path, sizeof(path), STASH "%c/%s", 'c' + shared->spare % SPARES, file);
	return path;
}

/* A load is likely to look at these */
static int release_spare(void)
{
	int spare = shared->spare;

	if (spare == SPARES || dice(4))
		return 0;
	if (put(in_spare("kernel"), large, LARGE_SIZE) ||
	    put(in_spare("initrd"), image + 4096, any_size()))
		return 0;
	usleep(dice(100000));
	for (int i = 0; i < 4; i++)
		truncate(in_spare(files[i]), 0);
	if (put_text(in_spare("release"), "1"))
		return 0;
	atomic_compare_exchange_strong(&shared->spare, &spare, spare + 1);
	return 1;
}

/* An initrd with the kernel beside it, which the load compares in full */
static int load_spare(void)
{
	int initrd, err = EINVAL;

	/* Until one is staged, and nobody else loads or writes */
	for (int i = 0; i < 50 && (err == EINVAL || err == EBUSY || err == ETXTBSY); i++) {
		initrd = open(in_spare("initrd"), O_RDONLY);
		err = load(large_kernel, initrd, "x", 0);
		close(initrd);
		usleep(1000);
	}
	if (!err)
		unload();
	return !err;
}

/* A writer whose bytes are in a page that nobody provides */
static void wait_for_page(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	range.range.start = (uintptr_t)page;
	range.range.len = 4096;
	if (uffd < 0 || ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &range))
		return;
	snprintf(path, sizeof(path), STASH "%c/initrd", 'c' + SPARES - 1);
	pwrite(open(path, O_WRONLY), page, 4096, 0);
}

/* It waits longer than STUCK: nobody else may be stuck because of it */
static int stall_writer(void)
{
	double start = now();
	pid_t pid;

	if (atomic_fetch_add(&shared->stalled, 1))
		return 0;
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		wait_for_page();
		_exit(0);
	}
	while (now() < start + stuck_after + 5 && now() < begin + seconds &&
	       waitpid(pid, NULL, WNOHANG) != pid) {
		usleep(100000);
		/* This one is not stuck */
		shared->worker[me].done++;
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return now() >= start + stuck_after;
}

static int turn_verify_ahead(void)
{
	return !put_text(VERIFY_AHEAD, dice(4) ? "1" : "0");
}

static int read_facts(void)
{
	char text[128];

	snprintf(path, sizeof(path), STASH "%s/%s", slot(), facts[dice(5)]);
	get_text(path, text, sizeof(text));
	get_text(dice(2) ? "/sys/kernel/kexec/copy_bytes" : "/sys/kernel/kexec/timing", text,
		 sizeof(text));
	return *text != 0;
}

static int wait_for_state(void)
{
	struct pollfd p = { .events = POLLPRI };
	char text[32];
	int n;

	p.fd = open(in_slot(facts[dice(4) ? 0 : dice(5)]), O_RDONLY);
	if (p.fd < 0)
		return 0;
	if (dice(3))
		pread(p.fd, text, sizeof(text), 0);
	n = poll(&p, 1, dice(60));
	close(p.fd);
	return n > 0;
}

static int list_folders(void)
{
	struct dirent *entry;
	struct stat stat;
	DIR *dir;
	int n = 0;

	snprintf(path, sizeof(path), "/sys/fs/kexec/%s", dice(3) ? slot() : "");
	dir = opendir(path);
	while (dir && (entry = readdir(dir)))
		n += !fstatat(dirfd(dir), entry->d_name, &stat, 0);
	if (dir)
		closedir(dir);
	return n;
}

static int change_attributes(void)
{
	switch (dice(4)) {
	case 0:
		return !chmod(any_file(), dice(01000));
	case 1:
		return !chown(any_file(), dice(2) * 1000, dice(2) * 1000);
	case 2:
		return !utimensat(AT_FDCWD, any_file(), NULL, 0);
	default:
		return !rename(any_file(), "/sys/fs/kexec/a/other");
	}
}

static int mount_again(void)
{
	if (dice(2))
		return !umount2("/mnt", dice(2) ? MNT_DETACH : 0);
	return !mount("none", "/mnt", "kexec_stash", dice(4) ? 0 : MS_RDONLY, NULL);
}

static int drop_page_caches(void)
{
	return !put_text("/proc/sys/vm/drop_caches", dice(2) ? "2" : "3");
}

/* A writer that is killed, with its mappings */
static int kill_writer(void)
{
	pid_t pid = fork();

	if (!pid) {
		int fd = open(any_file(), O_RDWR | (dice(2) ? O_TRUNC : 0));

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			if (pwrite(fd, image, any_size(), any_offset()) < 0 && errno == EBADF)
				pause();
	}
	usleep(dice(20000));
	kill(pid, SIGKILL);
	return waitpid(pid, NULL, 0) == pid;
}

/* A mapping that a child keeps until it ends */
static int fork_mapped(void)
{
	pid_t pid = fork();

	if (!pid) {
		use_mapped();
		_exit(0);
	}
	return waitpid(pid, NULL, 0) == pid;
}

struct operation {
	const char *name;
	int (*run)(void);
	unsigned int weight;
	int writes; /* opens files for writing, not to load them at once */
};

#define OP(name, weight) { #name, name, weight, 0 }
#define WR(name, weight) { #name, name, weight, 1 }

static const struct operation operations[] = {
	WR(stage_kernel, 6),
	WR(stage_initrd, 6),
	WR(stage_cmdline, 2),
	WR(stage_dtb, 2),
	WR(write_somewhere, 8),
	WR(write_mapped, 4),
	OP(read_somewhere, 8),
	OP(read_into_mapping, 2),
	WR(splice_somewhere, 4),
	WR(empty, 6),
	WR(remove_file, 3),
	OP(open_and_hold, 6),
	OP(let_go, 2),
	OP(use_held, 6),
	OP(map, 8),
	OP(use_mapped, 12),
	OP(set_xattr, 6),
	OP(other_xattr, 6),
	OP(load_something, 8),
	OP(stage_and_load, 6),
	OP(unload_something, 8),
	OP(release_slot, 2),
	OP(release_spare, 3),
	OP(load_spare, 1),
	OP(stall_writer, 1),
	OP(turn_verify_ahead, 2),
	OP(read_facts, 8),
	OP(wait_for_state, 3),
	OP(list_folders, 3),
	OP(change_attributes, 3),
	OP(mount_again, 2),
	OP(drop_page_caches, 1),
	WR(kill_writer, 3),
	OP(fork_mapped, 2),
};

#define NR_OPERATIONS (sizeof(operations) / sizeof(*operations))

/* The index of an operation that may be done now */
static int choose(int how_calm)
{
	unsigned int all = 0;
	int left, i;

	for (size_t j = 0; j < NR_OPERATIONS; j++)
		all += operations[j].weight;
	do {
		left = dice(all);
		i = -1;
		while (left >= 0)
			left -= operations[++i].weight;
	} while (operations[i].writes && (how_calm == 2 || (how_calm && dice(20))));
	return i;
}

static void *work(void *number)
{
	int was_calm = 0;

	me = (intptr_t)number % WORKERS;
	seed = parameter("seed", 1) * 1000 + (intptr_t)number;
	while (now() < begin + seconds) {
		int is_calm = calm(), i = choose(is_calm);

		if (is_calm && !was_calm)
			let_go();
		was_calm = is_calm;
		shared->worker[me].operation = i;
		shared->good[i] += !!operations[i].run();
		shared->done[i]++;
		shared->worker[me].done++;
	}
	shared->worker[me].operation = -1;
	return NULL;
}

/* A worker that dies by its own signal is followed by another, which does other things */
static void start_process(int number)
{
	static int started;
	pthread_t thread[THREADS];
	int first = number * THREADS + WORKERS * started++;

	pids[number] = fork();
	if (pids[number])
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGBUS, escaped);
	signal(SIGSEGV, escaped);
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, work, (void *)(intptr_t)(first + i));
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	_exit(0);
}

/* Expected lines, of refused loads and the like */
static int is_expected(const char *text)
{
	static const char *const beginnings[] = {
		"kexec",    "ima: ",	     "audit: ",	      "kauditd",
		"PEFILE: ", "machine_kexec", "Crash PT_LOAD", "KHO",
	};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(*beginnings); i++) {
		if (!strncmp(text, beginnings[i], strlen(beginnings[i])))
			return 1;
	}
	return !!strstr(text, "): drop_caches");
}

/* Print the kernel's other lines */
static void watch_log(void)
{
	int fd = open("/dev/kmsg", O_RDONLY);
	char line[8192], *text;
	ssize_t n;

	lseek(fd, 0, SEEK_END);
	/* Shows in the output that this works */
	put_text("/dev/kmsg", "hammer: begins");
	for (;;) {
		n = read(fd, line, sizeof(line) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n < 0)
			_exit(1);
		line[n] = 0;
		text = strchr(line, ';');
		text = text ? text + 1 : line;
		text[strcspn(text, "\n")] = 0;
		if (!is_expected(text))
			printf("KMSG %s\n", text);
	}
}

/* The number of processes that still work */
static int look_after_processes(void)
{
	int left = 0, status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (int i = 0; i < PROCESSES; i++) {
			if (pids[i] != pid)
				continue;
			pids[i] = 0;
			if (now() < begin + seconds - 1)
				start_process(i);
		}
	}
	for (int i = 0; i < PROCESSES; i++)
		left += !!pids[i];
	return left;
}

/* The number of workers that are in one operation for too long */
static int look_for_stuck(void)
{
	static unsigned long before[WORKERS];
	static double since[WORKERS];
	int stuck = 0;

	for (int i = 0; i < WORKERS; i++) {
		int operation = shared->worker[i].operation;

		if (shared->worker[i].done != before[i] || !pids[i / THREADS] || operation < 0 ||
		    !since[i]) {
			before[i] = shared->worker[i].done;
			since[i] = now();
		} else if (now() - since[i] > stuck_after) {
			printf("worker %d is stuck in %s\n", i, operations[operation].name);
			stuck++;
		}
	}
	return stuck;
}

static void make_large_kernel(void)
{
	large = mmap(NULL, LARGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fake_image(large, LARGE_SIZE);
	close(open("/tmp/large", O_CREAT | O_WRONLY, 0600));
	put("/tmp/large", large, LARGE_SIZE);
	large_kernel = open("/tmp/large", O_RDONLY);
}

static void prepare(void)
{
	image = mmap(NULL, BUF_SIZE + IMAGE_SIZE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	memset(image, 0x3c, BUF_SIZE);
	fake_image(image, IMAGE_SIZE);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		      -1, 0);
	mkdir("/mnt", 0755);
	close(open("/tmp/kernel", O_CREAT | O_WRONLY, 0600));
	put("/tmp/kernel", image, IMAGE_SIZE);
	tmp_kernel = open("/tmp/kernel", O_RDONLY);
	make_large_kernel();
	/* Every other time IMA checks the loaded image and hands its list on */
	if (parameter("seed", 1) % 2)
		put_text("/sys/kernel/security/ima/policy",
			 "measure func=KEXEC_KERNEL_CHECK\nmeasure func=KEXEC_INITRAMFS_CHECK\n"
			 "measure func=KEXEC_CMDLINE\nmeasure func=CRITICAL_DATA\n");
	if (!fork())
		watch_log();
	usleep(300000);
}

static void report(int stuck)
{
	unsigned long done = 0, good = 0;

	for (size_t i = 0; i < NR_OPERATIONS; i++) {
		char key[64];

		snprintf(key, sizeof(key), "did/%s", operations[i].name);
		result(key, "%lu of %lu", shared->good[i], shared->done[i]);
		done += shared->done[i];
		good += shared->good[i];
	}
	for (int i = 0; i < 256; i++) {
		if (shared->loaded[i])
			printf("stage_and_load: %s: %lu\n", name_of(i), shared->loaded[i]);
	}
	result("good", "%lu of %lu", good, done);
	result("stuck", "%d", stuck);
}

int main(void)
{
	int stuck = 0;

	mount_all();
	seconds = parameter("seconds", 60);
	stuck_after = parameter("stuck", STUCK);
	prepare();
	begin = now();
	for (int i = 0; i < PROCESSES; i++)
		start_process(i);
	while (look_after_processes() && !stuck) {
		usleep(500000);
		stuck = look_for_stuck();
	}
	if (stuck)
		put_text("/proc/sysrq-trigger", "t");
	/* The rest of the kernel's log */
	sleep(stuck ? 5 : 2);
	report(stuck);
	turn_off();
}
