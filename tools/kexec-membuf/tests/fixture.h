/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A root directory of the tests' own with a stash in it, and a kernel that does what it is told to
 */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "slot.h"
#include "utils.h"

/* cmocka.h asks for these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

/**
 * struct fake - the kernel behind sys.h, and the user
 * @euid: what geteuid() returns
 * @mounted: whether /sys/fs/kexec is a stash
 * @mount_ret: what mounting returns; it mounts if that is 0
 * @mounts: how often it was called
 * @load_ret: what kexec_file_load() returns
 * @load_reason: what the file reason of slot "a" is set to meanwhile, or NULL
 * @load_state: state of slot "a" after a successful load, or NULL
 * @loads: how often it was called, and then what with:
 * @kernel: start of the kernel's content, "" for no file
 * @initrd: the same of the initrd
 * @cmdline: the command line
 * @cmdline_given: whether there was one
 * @flags: the flags
 * @open_ret: what opening a file of the stash for writing returns, unless it is 0
 * @empty_ret: what emptying one returns, unless it is 0
 * @write_ret: what writing to the stash returns once @write_max bytes were written, unless it is 0
 * @write_max: see @write_ret
 * @written: bytes that were written
 * @read_ret: what reading a source returns at its byte @read_max, unless it is 0
 * @read_max: see @read_ret; of a FIT, counted from the file's start
 * @read_step: a source gives no more bytes at once, unless it is 0
 * @flip: the byte of a file of the stash that reads back wrong, or -1
 * @staged_state: state of a slot whose kernel was written; NULL for "staged"
 * @signal: sent to this program with each write, which adds a letter to the file "writes", unless
 *	it is 0
 * @calls: what exec called, one letter each: s sync(), d systemctl kexec, r reboot()
 */
struct fake {
	unsigned int euid;
	bool mounted;
	int mount_ret;
	int mounts;
	int load_ret;
	const char *load_reason;
	const char *load_state;
	int loads;
	char kernel[64];
	char initrd[64];
	char cmdline[KEXEC_STASH_BOOTARGS_LEN];
	bool cmdline_given;
	unsigned long flags;
	int open_ret;
	int empty_ret;
	int write_ret;
	u64 write_max;
	u64 written;
	int read_ret;
	u64 read_max;
	size_t read_step;
	long flip;
	const char *staged_state;
	int signal;
	char calls[8];
};

extern struct fake fake;

/* What a command left behind */
extern int status;
extern char out[16384];
extern char err[16384];

/* Descriptor of the root directory */
extern int test_root;

/*
 * cmocka's set-up and tear-down: a fresh root, its stash is mounted and has no slots, nothing is
 * loaded, the user is root
 */
int fixture_setup(void **state);
int fixture_teardown(void **state);

#define fixture_test(f)	cmocka_unit_test_setup_teardown(f, fixture_setup, fixture_teardown)

/* Write a file below the root; folders are made */
void put_data(const char *path, const void *data, size_t size);
void put_text(const char *path, const char *text);

/* A file below the root holds these bytes */
void assert_content(const char *path, const void *data, size_t size);

/* Append to a file that exists */
void append_text(const char *path, const char *text);

/* Remove a file or an empty folder below the root */
void remove_path(const char *path);

/* A path as the outside sees it; valid until the next call */
const char *outside_path(const char *path);

/* A slot of 128 MiB at 0x50000000, its files empty */
void put_slot(const char *name, const char *state);

/* The same with a kernel (see make_image()), an initrd of 4096 bytes, and a command line */
void put_staged_slot(const char *name);

/* What security.ima of a file of a slot holds; NULL for nothing */
void put_xattr(const char *slot, const char *file, const void *data, size_t size);

/* An arm64 Image header, 64 bytes */
void make_image(unsigned char *header, u64 text_offset, u64 image_size);

/* A device tree with a model and two compatible strings, to be freed */
void *make_dtb(size_t *size);

/* Call the tool: fills in status, out and err. The last argument is NULL. */
void run(const char *arg, ...);

/* The whole of standard error is the one line; as printf()'s */
__printf(1, 2) void assert_error(const char *format, ...);

#endif /* FIXTURE_H */
