// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The commands, and what they have in common
 */

#include "command.h"
#include "utils.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static const struct command commands[] = {
	{
		.name = "list",
		.func = cmd_list,
		.short_desc = "List all slots",
		.usage =
"    kexec-membuf list [--json]\n",
		.options =
"    --json                 print JSON\n"
	}, {
		.name = "show",
		.func = cmd_show,
		.short_desc = "Show all about one slot",
		.usage =
"    kexec-membuf show SLOT [--json]\n",
		.options =
"    --json                 print JSON\n"
	}, {
		.name = "stage",
		.func = cmd_stage,
		.short_desc = "Put a payload into a slot, in place of what is there",
		.usage =
"    kexec-membuf stage SLOT --kernel FILE [--initrd FILE] [--dtb FILE]\n"
"                       [--command-line STRING | --reuse-cmdline] [--json]\n"
"    kexec-membuf stage SLOT --fit FILE[#CONF]\n"
"                       [--command-line STRING | --reuse-cmdline] [--json]\n",
		.options =
"    --kernel FILE          an arm64 Image; gzip, zstd and EFI zboot are unpacked\n"
"    --initrd FILE          an initrd, as it is\n"
"    --dtb FILE             a device tree\n"
"    --fit FILE[#CONF]      these from a FIT, by its default or this configuration\n"
"    --command-line STRING  a command line\n"
"    --reuse-cmdline        the running kernel's command line\n"
"    --json                 print JSON\n"
"  One FILE may be '-', standard input; not that of --fit, unless it is a file.\n"
"  What is not given the slot does not have afterwards.\n"
	}, {
		.name = "verify",
		.func = cmd_verify,
		.short_desc = "Ask the kernel whether it would load a slot's payload",
		.usage =
"    kexec-membuf verify SLOT [--json]\n",
		.options =
"    --json                 print JSON\n"
"  The exit status is 0 if it would, 3 if it would not.\n"
	}, {
		.name = "load",
		.func = cmd_load,
		.short_desc = "Adopt a slot's payload, in place, as the kernel to start next",
		.usage =
"    kexec-membuf load SLOT [--initrd FILE | --no-initrd]\n"
"                      [--command-line STRING | --reuse-cmdline]\n"
"                      [--debug] [--json]\n",
		.options =
"    --initrd FILE          take this initrd; it is placed into the slot\n"
"    --no-initrd            do without an initrd\n"
"    --command-line STRING  take this command line\n"
"    --reuse-cmdline        take the running kernel's command line\n"
"    --debug                have the kernel log what it does\n"
"    --json                 print JSON\n"
"  What is not given is the slot's own.\n"
	}, {
		.name = "exec",
		.func = cmd_exec,
		.short_desc = "Start the kernel that is loaded",
		.usage =
"    kexec-membuf exec [--force] [--json]\n",
		.options =
"    --force                start it at once, do not have systemd stop services first\n"
"    --json                 print JSON\n"
	}, {
		.name = "unload",
		.func = cmd_unload,
		.short_desc = "Let go of the kernel that is loaded",
		.usage =
"    kexec-membuf unload\n",
		.options = ""
	}, {
		.name = "erase",
		.func = cmd_erase,
		.short_desc = "Remove a slot's payload",
		.usage =
"    kexec-membuf erase SLOT\n",
		.options = ""
	}, {
		.name = "release",
		.func = cmd_release,
		.short_desc = "Give an empty slot's memory back to the system until the next boot",
		.usage =
"    kexec-membuf release SLOT\n",
		.options = ""
	}, {
		.name = "timing",
		.func = cmd_timing,
		.short_desc = "Say where the time went of the kexec that started this kernel",
		.usage =
"    kexec-membuf timing [--json]\n",
		.options =
"    --json                 print JSON\n"
	}
};

static void usage_all(FILE *fp)
{
	size_t i;

	fputs("Usage:\n", fp);
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(fp, "  %s:\n%s", commands[i].short_desc, commands[i].usage);
	fputs("  Of the program and of each command:\n"
	      "    --help --version\n", fp);
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

int common_option(const struct command *cmd, int c, char *argv[])
{
	switch (c) {
	case OPT_HELP:
		printf("%s.\nUsage:\n%sOptions:\n%s%s", cmd->short_desc, cmd->usage, cmd->options,
		       "    --help --version\n");
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

int check_operands(const struct command *cmd, int argc, char *argv[], int want)
{
	int n = argc - optind;

	if (n > want)
		return misuse(cmd, "'%s' is too much", argv[optind + want]);
	if (n < want)
		return misuse(cmd, "the name of a slot is missing");
	return STATUS_DONE;
}

int parse_operands(const struct command *cmd, int argc, char *argv[], int want)
{
	static const struct option longopts[] = {
		{ "help",	no_argument, NULL, OPT_HELP },
		{ "version",	no_argument, NULL, OPT_VERSION },
		{}
	};
	int c = getopt_long(argc, argv, SHORT_OPTIONS, longopts, NULL);

	if (c != -1)
		return common_option(cmd, c, argv);
	return check_operands(cmd, argc, argv, want) ? STATUS_MISUSE : -1;
}

int run_command(int root, int argc, char *argv[])
{
	size_t i;

	/* Messages about options are common_option()'s */
	opterr = 0;
	if (argc < 2) {
		error_msg("no command given");
		usage_all(stderr);
		return STATUS_MISUSE;
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].func(&commands[i], root, argc - 1, argv + 1);
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
