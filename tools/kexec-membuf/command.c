// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands, their options, and what they have in common
 */

#include "command.h"
#include "utils.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* What getopt_long() returns for long options; above all characters */
enum {
	OPT_HELP = 256,
	OPT_VERSION,
	OPT_FIRST,
};

/* Options of one command at most, those that all have included */
#define OPTIONS_MAX	12

/* No short options, and a ':' for a missing value instead of getopt's own message */
#define SHORT_OPTIONS	":"

#define VALUE(option, what, field, text)	{ option, what, text, offsetof(struct args, field) }
#define FLAG(option, field, text)		VALUE(option, NULL, field, text)

static const struct command_option json_options[] = {
	FLAG("json", json, "print JSON"),
	{}
};

static const struct command_option stage_options[] = {
	VALUE("kernel", "FILE", path[KEXEC_STASH_KERNEL],
	      "an arm64 Image; compressed ones and EFI zboot are unpacked"),
	VALUE("initrd", "FILE", path[KEXEC_STASH_INITRD], "an initrd, as it is"),
	VALUE("dtb", "FILE", path[KEXEC_STASH_DTB], "a device tree"),
	VALUE("fit", "FILE[#CONF]", fit, "these from a FIT, by its default or this configuration"),
	VALUE("command-line", "STRING", cmdline, "a command line"),
	FLAG("reuse-cmdline", reuse_cmdline, "the running kernel's command line"),
	FLAG("json", json, "print JSON"),
	{}
};

static const struct command_option load_options[] = {
	VALUE("initrd", "FILE", path[KEXEC_STASH_INITRD],
	      "take this initrd; it is placed into the slot"),
	FLAG("no-initrd", no_initrd, "do without an initrd"),
	VALUE("command-line", "STRING", cmdline, "take this command line"),
	FLAG("reuse-cmdline", reuse_cmdline, "take the running kernel's command line"),
	FLAG("debug", debug, "have the kernel log what it does"),
	FLAG("json", json, "print JSON"),
	{}
};

static const struct command_option exec_options[] = {
	FLAG("force", force, "start it at once, do not have systemd stop services first"),
	FLAG("json", json, "print JSON"),
	{}
};

static const struct command commands[] = {
	{ "list", NEEDS_STASH, cmd_list, NULL, json_options, "List all slots", NULL },
	{ "show", NEEDS_SLOT, cmd_show, NULL, json_options, "Show all about one slot", NULL },
	{ "stage", NEEDS_SLOT, cmd_stage, cmd_stage_check, stage_options,
	  "Put a payload into a slot, in place of what is there",
	  "  Give --kernel or --fit. Files not given are removed from the slot.\n"
	  "  One FILE may be '-', standard input; not that of --fit, unless it is a file.\n" },
	{ "verify", NEEDS_SLOT, cmd_verify, NULL, json_options,
	  "Ask the kernel whether it would load a slot's payload",
	  "  The exit status is 0 if it would, 3 if it would not.\n" },
	{ "load", NEEDS_SLOT, cmd_load, NULL, load_options,
	  "Adopt a slot's payload, in place, as the kernel to start next",
	  "  Files and command line that are not given are the slot's own.\n" },
	{ "exec", NEEDS_NOTHING, cmd_exec, NULL, exec_options, "Start the kernel that is loaded",
	  NULL },
	{ "unload", NEEDS_NOTHING, cmd_unload, NULL, NULL, "Let go of the kernel that is loaded",
	  NULL },
	{ "erase", NEEDS_SLOT, cmd_erase, NULL, NULL, "Remove a slot's payload", NULL },
	{ "release", NEEDS_SLOT, cmd_release, NULL, NULL,
	  "Give an empty slot's memory back to the system until the next boot", NULL },
	{ "timing", NEEDS_STASH, cmd_timing, NULL, json_options,
	  "Say where the time went of the kexec that started this kernel", NULL },
};

/* The completion reads what these print */

static void usage_line(FILE *fp, const struct command *cmd)
{
	fprintf(fp, "    kexec-membuf %s%s%s\n", cmd->name, cmd->needs == NEEDS_SLOT ? " SLOT" : "",
		cmd->options ? " [OPTION]..." : "");
}

static void usage_all(FILE *fp)
{
	size_t i;

	fputs("Usage:\n", fp);
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		fprintf(fp, "  %s:\n", commands[i].short_desc);
		usage_line(fp, &commands[i]);
	}
	fputs("  Of the program and of each command:\n"
	      "    --help --version\n", fp);
}

static void usage(const struct command *cmd)
{
	const struct command_option *opt;

	printf("%s.\nUsage:\n", cmd->short_desc);
	usage_line(stdout, cmd);
	puts("Options:");
	for (opt = cmd->options; opt && opt->name; opt++) {
		int width = printf("    --%s%s%s", opt->name, opt->value ? " " : "",
				   opt->value ? opt->value : "");

		printf("%*s%s\n", 27 - width, "", opt->help);
	}
	printf("%s    --help --version\n", cmd->note ? cmd->note : "");
}

static void show_version(void)
{
	puts("kexec-membuf " KEXEC_MEMBUF_VERSION);
}

int misuse(const struct command *cmd, const char *format, ...)
{
	va_list va;
	char *what;

	va_start(va, format);
	if (vasprintf(&what, format, va) < 0)
		what = NULL;
	va_end(va);
	error_msg("%s: %s; see 'kexec-membuf %s --help'", cmd->name, what ? what : "wrong use",
		  cmd->name);
	free(what);
	return STATUS_MISUSE;
}

/* What getopt_long() returned is no option of the command's own */
static int other_option(const struct command *cmd, int c, char *argv[])
{
	switch (c) {
	case OPT_HELP:
		usage(cmd);
		return STATUS_DONE;
	case OPT_VERSION:
		show_version();
		return STATUS_DONE;
	case ':':
		return misuse(cmd, "option '%s' needs a value", argv[optind - 1]);
	default:
		break;
	}
	/* optopt is 0 for an unknown long option, a character for a short one */
	if (optopt >= OPT_HELP)
		return misuse(cmd, "option '%s' takes no value", argv[optind - 1]);
	if (optopt)
		return misuse(cmd, "there is no option '-%c'", optopt);
	return misuse(cmd, "there is no option '%s'", argv[optind - 1]);
}

static int check_args(const struct args *args, int argc, char *argv[])
{
	const struct command *cmd = args->cmd;
	int operands = argc - optind, want = cmd->needs == NEEDS_SLOT;

	if (args->cmdline && args->reuse_cmdline)
		return misuse(cmd, "--command-line and --reuse-cmdline exclude each other");
	if (args->path[KEXEC_STASH_INITRD] && args->no_initrd)
		return misuse(cmd, "--initrd and --no-initrd exclude each other");
	if (operands > want)
		return misuse(cmd, "'%s' is too much", argv[optind + want]);
	if (operands < want)
		return misuse(cmd, "the name of a slot is missing");
	return cmd->check ? cmd->check(args) : STATUS_DONE;
}

static void fill_options(const struct command_option *options, struct option *longopts)
{
	int n = 0;

	for (; options && options[n].name; n++) {
		longopts[n].name = options[n].name;
		longopts[n].has_arg = options[n].value ? required_argument : no_argument;
		longopts[n].val = OPT_FIRST + n;
	}
	longopts[n++] = (struct option){ "help", no_argument, NULL, OPT_HELP };
	longopts[n++] = (struct option){ "version", no_argument, NULL, OPT_VERSION };
}

static int do_command(const struct command *cmd, int root, int argc, char *argv[])
{
	struct args args = { .cmd = cmd, .root = root, .stash = -1 };
	struct option longopts[OPTIONS_MAX] = {};
	int c, status = STATUS_FAILED;

	fill_options(cmd->options, longopts);
	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, longopts, NULL)) != -1) {
		const struct command_option *opt;

		if (c < OPT_FIRST)
			return other_option(cmd, c, argv);
		opt = &cmd->options[c - OPT_FIRST];
		if (opt->value)
			*(const char **)((char *)&args + opt->offset) = optarg;
		else
			*(bool *)((char *)&args + opt->offset) = true;
	}
	if (check_args(&args, argc, argv))
		return STATUS_MISUSE;
	if (cmd->needs != NEEDS_NOTHING)
		args.stash = stash_open(root);
	if ((cmd->needs == NEEDS_NOTHING || args.stash >= 0) &&
	    (cmd->needs != NEEDS_SLOT || slot_read(args.stash, argv[optind], &args.slot)))
		status = cmd->func(&args);
	close_fd(args.stash);
	return status;
}

int run_command(int root, int argc, char *argv[])
{
	size_t i;

	/* Messages about options are other_option()'s */
	opterr = 0;
	if (argc < 2) {
		error_msg("no command given");
		usage_all(stderr);
		return STATUS_MISUSE;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return do_command(&commands[i], root, argc - 1, argv + 1);
	}
	if (!strcmp(argv[1], "--help")) {
		usage_all(stdout);
		return STATUS_DONE;
	}
	if (!strcmp(argv[1], "--version")) {
		show_version();
		return STATUS_DONE;
	}
	error_msg("there is no command '%s'; see 'kexec-membuf --help'", argv[1]);
	return STATUS_MISUSE;
}

static bool too_long_msg(const char *slot)
{
	error_msg("slot '%s': cmdline: is longer than %d bytes; give another --command-line", slot,
		  KEXEC_STASH_BOOTARGS_LEN - 1);
	return false;
}

bool args_cmdline(const struct args *args, char *buf, const char **cmdline)
{
	ssize_t n;

	*cmdline = args->cmdline;
	if (args->reuse_cmdline) {
		n = read_at(args->root, "proc/cmdline", buf, KEXEC_STASH_BOOTARGS_LEN);
		if (n < 0) {
			error_msg("slot '%s': cmdline: /proc/cmdline cannot be read: %s",
				  args->slot.name, strerror(-n));
			return false;
		}
		/* Without the newline */
		if (n == KEXEC_STASH_BOOTARGS_LEN && buf[n - 1] != '\n')
			return too_long_msg(args->slot.name);
		if (n && buf[n - 1] == '\n')
			n--;
		buf[n] = '\0';
		*cmdline = buf;
	}
	if (*cmdline && strlen(*cmdline) >= KEXEC_STASH_BOOTARGS_LEN)
		return too_long_msg(args->slot.name);
	return true;
}
