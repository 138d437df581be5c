// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IMA remembers its verdict on an inode. The holder of a descriptor of a slot's file that was
 * appraised must not get other bytes past IMA by that descriptor, whatever happened to the slot
 * meanwhile, and whoever reads the file: the callers of kernel_read_file(), which do not adopt, and
 * anybody who opens it again.
 *
 * /good and /other are Images, /module is a module, and each has its security.ima beside it: .hash
 * and .sig. With 8 more bytes at their end, new ones each time, they are evil. verdict= on the
 * command line says what IMA must do.
 *
 * For each caller and each event between the two loads: "good" is the result of loading the good
 * bytes, "evil" of the evil ones by the same descriptor, "fresh" by a new one, "again" of the good
 * ones once more. Each has the number of entries that IMA's list got by it.
 */
#include "repro.h"
#include <linux/keyctl.h>
#include <sys/xattr.h>

#define FILE_SIZE (4UL << 20)
#define IMA "/sys/kernel/security/ima/"
#define OPEN_RULE "appraise func=FILE_CHECK mask=MAY_READ fsmagic=0x6b737468 appraise_type=imasig\n"

struct bytes {
	unsigned char data[FILE_SIZE];
	size_t len;
	unsigned char xattr[1024];
	size_t xattr_len;
};

struct caller {
	const char *name;
	const char *file;
	struct bytes *good;
	int (*load)(int fd);
};

static struct bytes image, other, module;
static const char *verdict;
static int disk_kernel;

static size_t slurp(const char *path, void *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size);

	if (n < 0)
		printf("%s: %m\n", path);
	close(fd);
	return n < 0 ? 0 : n;
}

static void slurp_bytes(const char *path, struct bytes *bytes)
{
	char xattr[64];

	bytes->len = slurp(path, bytes->data, FILE_SIZE - 8);
	snprintf(xattr, sizeof(xattr), "%s.%s", path, strcmp(verdict, "hash") ? "sig" : "hash");
	bytes->xattr_len = slurp(xattr, bytes->xattr, sizeof(bytes->xattr));
}

/* Callers: 0 or an error */

static int load_kernel(int fd)
{
	int err = load(fd, -1, "x", 0);

	unload();
	return err;
}

static int load_crash_kernel(int fd)
{
	int err = load(fd, -1, "x", FILE_ON_CRASH);

	syscall(SYS_kexec_file_load, -1, -1, 0UL, NULL, FILE_UNLOAD | FILE_ON_CRASH);
	return err;
}

static int load_initrd(int fd)
{
	int err = load(disk_kernel, fd, "x", 0);

	unload();
	return err;
}

/* If the module is there already, that is its result after all of IMA's checks */
static int load_module(int fd)
{
	return syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST ? errno : 0;
}

/* Not a caller of kernel_read_file(), but IMA also checks an inode that somebody holds here */
static int open_again(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return errno;
	close(fd);
	return 0;
}

static const struct caller callers[] = {
	{ "kernel-is-initrd", STASH "b/initrd", &image, load_kernel },
	{ "kernel-is-dtb", STASH "b/dtb", &image, load_kernel },
	{ "crash-kernel", STASH "b/kernel", &image, load_crash_kernel },
	{ "initrd", STASH "a/initrd", &image, load_initrd },
	{ "module", STASH "a/dtb", &module, load_module },
};

#define NR_CALLERS (sizeof(callers) / sizeof(*callers))

static const struct caller opener = { "open", STASH "b/initrd", &image, open_again };

static char slot_of(const struct caller *caller)
{
	return caller->file[strlen(STASH)];
}

static int is_kernel(const struct caller *caller)
{
	return !strcmp(strrchr(caller->file, '/'), "/kernel");
}

static void put_good(const struct caller *caller)
{
	const struct bytes *good = caller->good;
	int err = put(caller->file, good->data, good->len);

	if (err)
		printf("%s: %s\n", caller->file, name_of(err));
	if (setxattr(caller->file, "security.ima", good->xattr, good->xattr_len, 0))
		printf("security.ima of %s: %m\n", caller->file);
}

/* Never the same ones: IMA measures bytes once */
static void put_evil(const struct caller *caller)
{
	static uint64_t number;
	struct bytes *good = caller->good;
	int err;

	number++;
	memcpy(good->data + good->len, &number, 8);
	err = put(caller->file, good->data, good->len + 8);
	if (err)
		printf("%s: %s\n", caller->file, name_of(err));
}

/* The slot has only a good kernel, unless that is the file in question */
static void put_kernel(const struct caller *caller)
{
	static const char *const files[] = { "dtb", "initrd", "kernel" };
	struct caller kernel = { "", NULL, &image, NULL };
	char path[64];

	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), STASH "%c/%s", slot_of(caller), files[i]);
		unlink(path);
	}
	kernel.file = path;
	if (!is_kernel(caller))
		put_good(&kernel);
}

/* The event between the loads; returns whether it happened */

static int nothing(const struct caller *caller)
{
	(void)caller;
	return 1;
}

static int set_other_xattr(const struct caller *caller)
{
	char path[64];

	snprintf(path, sizeof(path), STASH "%c/%s", slot_of(caller),
		 strstr(caller->file, "/dtb") ? "initrd" : "dtb");
	return !setxattr(path, "security.ima", image.xattr, image.xattr_len, 0);
}

/* Refused once the kernel was looked at: the initrd is another slot's */
static int refused_load(const struct caller *caller)
{
	char path[64];
	int kernel, initrd, err;

	snprintf(path, sizeof(path), STASH "%c/kernel", slot_of(caller));
	kernel = open(path, O_RDONLY);
	snprintf(path, sizeof(path), STASH "%c/initrd", slot_of(caller) == 'a' ? 'b' : 'a');
	initrd = open(path, O_RDONLY);
	err = load(kernel, initrd, "x", KEXEC_FILE_MEMBUF);
	close(kernel);
	close(initrd);
	unload();
	return err == EINVAL;
}

static int verify_ahead(const struct caller *caller)
{
	char path[64];
	int verified = 0;

	snprintf(path, sizeof(path), STASH "%c/verified", slot_of(caller));
	put_text(VERIFY_AHEAD, "1");
	for (int i = 0; i < 100 && !verified; i++) {
		usleep(100000);
		verified = get_number(path);
	}
	put_text(VERIFY_AHEAD, "0");
	return verified;
}

static int unlink_it(const struct caller *caller)
{
	return !unlink(caller->file);
}

static const struct event {
	const char *name;
	int (*happens)(const struct caller *caller);
} events[] = {
	{ "nothing", nothing },		  { "xattr", set_other_xattr },
	{ "refused-load", refused_load }, { "verify-ahead", verify_ahead },
	{ "unlink", unlink_it },
};

#define NR_EVENTS (sizeof(events) / sizeof(*events))

/* A slot with a file that is no device tree is bad, and not verified ahead */
static int cannot_happen(const struct caller *caller, const struct event *event)
{
	return event->happens == verify_ahead && strstr(caller->file, "/dtb");
}

struct outcome {
	int err;
	long entries;
};

static struct outcome try(const struct caller *caller, int fd)
{
	long before = get_number(IMA "runtime_measurements_count");
	struct outcome outcome;

	outcome.err = caller->load(fd);
	outcome.entries = get_number(IMA "runtime_measurements_count") - before;
	return outcome;
}

static struct outcome try_fresh(const struct caller *caller)
{
	int fd = open(caller->file, O_RDONLY);
	struct outcome outcome = { errno, 0 };

	if (fd < 0)
		return outcome;
	outcome = try(caller, fd);
	close(fd);
	return outcome;
}

static void tell(const struct caller *caller, const char *event, int happened, struct outcome good,
		 struct outcome evil, struct outcome fresh, struct outcome again)
{
	char key[64];

	snprintf(key, sizeof(key), "%s/%s", caller->name, event);
	result(key, "happened %d, good %s %ld, evil %s %ld, fresh %s %ld, again %s %ld", happened,
	       name_of(good.err), good.entries, name_of(evil.err), evil.entries, name_of(fresh.err),
	       fresh.entries, name_of(again.err), again.entries);
}

static int open_good(const struct caller *caller)
{
	int fd;

	put_good(caller);
	fd = open(caller->file, O_RDONLY);
	if (fd < 0)
		printf("%s: %m\n", caller->file);
	return fd;
}

static void attack(const struct caller *caller, const struct event *event)
{
	struct outcome good, evil, fresh, again;
	int fd, happened;

	put_kernel(caller);
	fd = open_good(caller);
	good = try(caller, fd);
	happened = event->happens(caller);
	put_evil(caller);
	evil = try(caller, fd);
	fresh = try_fresh(caller);
	put_good(caller);
	again = try(caller, fd);
	tell(caller, event->name, happened, good, evil, fresh, again);
	close(fd);
}

static void attack_all(const struct caller *caller)
{
	for (size_t i = 0; i < NR_EVENTS; i++) {
		if (!cannot_happen(caller, &events[i]))
			attack(caller, &events[i]);
	}
}

/* In one piece: each write is one or more whole rules */
static void write_policy(const char *action, const char *more)
{
	char rules[512];
	int err;

	snprintf(rules, sizeof(rules),
		 "%s func=KEXEC_KERNEL_CHECK%s\n%s func=KEXEC_INITRAMFS_CHECK%s\n"
		 "%s func=MODULE_CHECK%s\n",
		 action, more, action, more, action, more);
	err = put_text(IMA "policy", rules);
	if (err)
		printf("policy: %s\n", name_of(err));
}

/* A file that was only measured must be appraised: changed, and unchanged */
static void change_policy(void)
{
	struct outcome good[NR_CALLERS], evil, fresh, again;
	int fd[NR_CALLERS];

	write_policy("measure", "");
	for (size_t i = 0; i < NR_CALLERS; i++) {
		fd[i] = open_good(&callers[i]);
		good[i] = try(&callers[i], fd[i]);
	}
	write_policy("appraise", " appraise_type=imasig");
	for (size_t i = 0; i < NR_CALLERS; i++) {
		put_evil(&callers[i]);
		evil = try(&callers[i], fd[i]);
		fresh = try_fresh(&callers[i]);
		put_good(&callers[i]);
		again = try(&callers[i], fd[i]);
		tell(&callers[i], "policy", 1, good[i], evil, fresh, again);
		close(fd[i]);
	}
}

/* The signer's certificate, where IMA looks for it */
static void add_key(void)
{
	static unsigned char cert[8192];
	size_t len = slurp("/signer.der", cert, sizeof(cert));
	FILE *keys = fopen("/proc/keys", "r");
	unsigned int keyring = 0;
	char line[512];

	while (keys && fgets(line, sizeof(line), keys)) {
		if (strstr(line, " .ima:"))
			keyring = strtoul(line, NULL, 16);
	}
	if (syscall(SYS_add_key, "asymmetric", "", cert, len, keyring) < 0)
		printf("key for keyring %#x: %m\n", keyring);
}

/* The kernel from elsewhere that is loaded with a stash's initrd */
static void make_disk_kernel(void)
{
	int fd = open("/tmp/kernel", O_CREAT | O_WRONLY, 0600);

	close(fd);
	put("/tmp/kernel", other.data, other.len);
	setxattr("/tmp/kernel", "security.ima", other.xattr, other.xattr_len, 0);
	disk_kernel = open("/tmp/kernel", O_RDONLY);
}

int main(void)
{
	static char word[32];

	mount_all();
	parameter_text("verdict", word, sizeof(word));
	verdict = word;
	put_text(VERIFY_AHEAD, "0");
	slurp_bytes("/good", &image);
	slurp_bytes("/other", &other);
	slurp_bytes("/module", &module);
	make_disk_kernel();
	add_key();
	if (!strcmp(verdict, "policy")) {
		change_policy();
		power_off();
	}
	if (!strcmp(verdict, "open")) {
		put_text(IMA "policy", OPEN_RULE);
		for (size_t i = 0; i < NR_EVENTS; i++) {
			if (events[i].happens != verify_ahead && events[i].happens != refused_load)
				attack(&opener, &events[i]);
		}
		power_off();
	}
	write_policy(strcmp(verdict, "measure") ? "appraise" : "measure",
		     strcmp(verdict, "sig") ? "" : " appraise_type=imasig");
	for (size_t i = 0; i < NR_CALLERS; i++)
		attack_all(&callers[i]);
	power_off();
}
