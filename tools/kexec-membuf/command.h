/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands, and what they have in common
 */
#ifndef COMMAND_H
#define COMMAND_H

#include "utils.h"

#include <getopt.h>
#include <stdio.h>

#define KEXEC_MEMBUF_VERSION	"0.1"

/* Exit statuses */
#define STATUS_DONE	0
#define STATUS_FAILED	1
#define STATUS_MISUSE	2
/* Of verify: the kernel would not load it */
#define STATUS_REFUSED	3

/* What getopt_long() returns for long options; above all characters */
enum {
	OPT_HELP = 256,
	OPT_VERSION,
	OPT_JSON,
	OPT_INITRD,
	OPT_NO_INITRD,
	OPT_COMMAND_LINE,
	OPT_REUSE_CMDLINE,
	OPT_DEBUG,
	OPT_FORCE,
	OPT_KERNEL,
	OPT_DTB,
	OPT_FIT,
};

/* No short options, and a ':' for a missing value instead of getopt's own message */
#define SHORT_OPTIONS	":"

/**
 * struct command - a command
 * @name: its name
 * @func: does it; returns the exit status
 * @short_desc: what it does
 * @usage: how to call it
 * @options: its options, a line each
 */
struct command {
	const char *name;
	int (*func)(const struct command *cmd, int root, int argc, char *argv[]);
	const char *short_desc;
	const char *usage;
	const char *options;
};

int cmd_list(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_show(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_verify(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_stage(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_load(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_exec(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_unload(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_erase(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_release(const struct command *cmd, int root, int argc, char *argv[]);
int cmd_timing(const struct command *cmd, int root, int argc, char *argv[]);

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
 * common_option() - what all commands do with an option that is not their own
 * @cmd: the command
 * @c: what getopt_long() returned: OPT_HELP, OPT_VERSION, '?' or ':'
 * @argv: arguments of the command
 *
 * Return: the exit status.
 */
int common_option(const struct command *cmd, int c, char *argv[]);

/**
 * misuse() - say that a command was called wrongly
 * @cmd: the command
 * @format: as printf()'s: what is wrong
 *
 * Return: STATUS_MISUSE.
 */
__printf(2, 3) int misuse(const struct command *cmd, const char *format, ...);

/**
 * check_operands() - check how many operands a command was given
 * @cmd: the command
 * @argc: number of arguments, as getopt_long() got it; optind is the first operand
 * @argv: the arguments
 * @want: 0, or 1 for the name of a slot
 *
 * Return: STATUS_DONE, or STATUS_MISUSE after a message.
 */
int check_operands(const struct command *cmd, int argc, char *argv[], int want);

/**
 * parse_operands() - parse the arguments of a command that has no options of its own
 * @cmd: the command
 * @argc: number of arguments
 * @argv: the arguments; argv[optind] is the first operand afterwards
 * @want: how many operands it takes, as check_operands() has it
 *
 * Return: -1 if the command is to be done, else the exit status, all being said.
 */
int parse_operands(const struct command *cmd, int argc, char *argv[], int want);

#endif /* COMMAND_H */
