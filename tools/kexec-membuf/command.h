/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands, and what they have in common: arguments, exit statuses, JSON
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "slot.h"

#include <json-c/json.h>

#define KEXEC_MEMBUF_VERSION	"0.1"

/* Exit statuses */
#define STATUS_DONE	0
#define STATUS_FAILED	1
#define STATUS_MISUSE	2
/* Of verify: the kernel would not load it */
#define STATUS_REFUSED	3

/**
 * struct args - what the command line asks for
 * @cmd: the command
 * @root: descriptor of the root directory
 * @stash: descriptor from stash_open(), or -1
 * @slot: the slot, as it was before
 * @path: --kernel, --initrd and --dtb, or NULL
 * @fit: --fit, or NULL
 * @cmdline: --command-line, or NULL
 * @reuse_cmdline: --reuse-cmdline
 * @no_initrd: --no-initrd
 * @debug: --debug
 * @force: --force
 * @json: --json
 */
struct args {
	const struct command *cmd;
	int root;
	int stash;
	struct slot slot;
	const char *path[KEXEC_STASH_NR_FILES];
	const char *fit;
	const char *cmdline;
	bool reuse_cmdline;
	bool no_initrd;
	bool debug;
	bool force;
	bool json;
};

/**
 * struct command_option - an option of a command
 * @name: its name, without the dashes
 * @value: what its value is called, or NULL if it takes none
 * @help: what it does
 * @offset: where in struct args it goes
 */
struct command_option {
	const char *name;
	const char *value;
	const char *help;
	size_t offset;
};

/**
 * enum command_needs - what a command needs
 * @NEEDS_NOTHING: not even a stash
 * @NEEDS_STASH: the stash
 * @NEEDS_SLOT: the stash and a slot, which the user names
 */
enum command_needs {
	NEEDS_NOTHING,
	NEEDS_STASH,
	NEEDS_SLOT
};

/**
 * struct command - a command
 * @name: its name
 * @needs: what it needs
 * @func: does it; returns the exit status
 * @check: checks arguments beforehand; returns STATUS_DONE or STATUS_MISUSE. May be NULL
 * @options: its options, up to one without a name; NULL for none
 * @short_desc: what it does
 * @note: more to know, or NULL
 */
struct command {
	const char *name;
	enum command_needs needs;
	int (*func)(const struct args *args);
	int (*check)(const struct args *args);
	const struct command_option *options;
	const char *short_desc;
	const char *note;
};

int cmd_list(const struct args *args);
int cmd_show(const struct args *args);
int cmd_stage(const struct args *args);
int cmd_stage_check(const struct args *args);
int cmd_verify(const struct args *args);
int cmd_load(const struct args *args);
int cmd_exec(const struct args *args);
int cmd_unload(const struct args *args);
int cmd_erase(const struct args *args);
int cmd_release(const struct args *args);
int cmd_timing(const struct args *args);

/**
 * run_command() - find the command that is asked for and do it
 * @root: descriptor of the root directory; tests give another one
 * @argc: as main()'s
 * @argv: as main()'s
 *
 * Return: the exit status.
 */
int run_command(int root, int argc, char *argv[]);

/**
 * misuse() - say that a command was called wrongly
 * @cmd: the command
 * @format: as printf()'s: what is wrong
 *
 * Return: STATUS_MISUSE.
 */
__attribute__((__format__(__printf__, 2, 3)))
int misuse(const struct command *cmd, const char *format, ...);

/**
 * args_cmdline() - the command line to load or to stage
 * @args: what is asked for
 * @buf: KEXEC_STASH_BOOTARGS_LEN bytes to put it into
 * @cmdline: set to the command line, or to NULL if none is asked for
 *
 * Return: true, or false after a message.
 */
bool args_cmdline(const struct args *args, char *buf, const char **cmdline);

/*
 * Keys of JSON are documented in kexec-membuf(8) and do not change. There is no memory to be out
 * of: the program ends then
 */

/**
 * json_add() - add a member to an object
 * @obj: the object
 * @key: the member's name
 * @val: its value, which @obj takes over; NULL is JSON's null
 */
void json_add(struct json_object *obj, const char *key, struct json_object *val);

/* The same for a string, where NULL and "" are JSON's null, for a number, and for true or false */
void json_add_string(struct json_object *obj, const char *key, const char *str);
void json_add_number(struct json_object *obj, const char *key, u64 val);
void json_add_bool(struct json_object *obj, const char *key, bool val);

/**
 * json_add_files() - add an object for each file of a payload
 * @obj: the object
 * @sizes: sizes of the files; one of 0 is not there, and JSON's null
 * @add: adds what there is to tell beside the size, or NULL
 * @data: for @add
 */
void json_add_files(struct json_object *obj, const u64 *sizes,
		    void (*add)(struct json_object *obj, enum kexec_stash_file_id id,
				const void *data),
		    const void *data);

/**
 * json_print() - print an object on standard output
 * @obj: the object, which is put
 */
void json_print(struct json_object *obj);

#endif /* COMMAND_H */
