// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How the tool is called: commands, options, operands, exit status
 */

#include "fixture.h"
#include "command.h"

#include <stdlib.h>
#include <string.h>

static const char * const commands[] = {
	"list", "show", "stage", "verify", "load", "exec", "unload", "erase", "release",
	"timing"
};

static void no_command_is_misuse(void **state)
{
	(void)state;
	run(NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_string_equal(out, "");
	assert_non_null(strstr(err, "no command given\n"));
	assert_non_null(strstr(err, "kexec-membuf load SLOT"));
}

static void unknown_command_is_misuse(void **state)
{
	(void)state;
	run("lsit", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("there is no command 'lsit'; see 'kexec-membuf --help'");
}

static void program_has_help_and_version(void **state)
{
	size_t i;

	(void)state;
	run("--help", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		char *line = xasprintf("    kexec-membuf %s", commands[i]);

		assert_non_null(strstr(out, line));
		free(line);
	}
	run("--version", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(out, "kexec-membuf " KEXEC_MEMBUF_VERSION "\n");
}

static void each_command_has_help_and_version(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		char *line = xasprintf("    kexec-membuf %s", commands[i]);

		run(commands[i], "--help", NULL);
		assert_int_equal(status, STATUS_DONE);
		assert_non_null(strstr(out, line));
		assert_string_equal(err, "");
		run(commands[i], "--version", NULL);
		assert_int_equal(status, STATUS_DONE);
		assert_string_equal(out, "kexec-membuf " KEXEC_MEMBUF_VERSION "\n");
		free(line);
	}
	assert_int_equal(fake.loads, 0);
}

static void each_command_refuses_unknown_options(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const char *name = commands[i];

		run(name, "--frobnicate", NULL);
		assert_int_equal(status, STATUS_MISUSE);
		assert_error("%s: there is no option '--frobnicate'; see 'kexec-membuf %s --help'",
			     name, name);
		run(name, "-x", NULL);
		assert_int_equal(status, STATUS_MISUSE);
		assert_error("%s: there is no option '-x'; see 'kexec-membuf %s --help'",
			     name, name);
	}
	assert_int_equal(fake.loads, 0);
	assert_string_equal(fake.calls, "");
}

static void each_command_refuses_an_operand_too_many(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const char *name = commands[i];
		bool slot = strcmp(name, "list") && strcmp(name, "exec") &&
			    strcmp(name, "unload") && strcmp(name, "timing");

		run(name, slot ? "a" : "surplus", slot ? "surplus" : NULL, NULL);
		assert_int_equal(status, STATUS_MISUSE);
		assert_error("%s: 'surplus' is too much; see 'kexec-membuf %s --help'", name, name);
	}
	assert_int_equal(fake.loads, 0);
	assert_string_equal(fake.calls, "");
}

static void some_commands_need_a_slot(void **state)
{
	(void)state;
	run("show", "--json", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("show: the name of a slot is missing; see 'kexec-membuf show --help'");
	run("verify", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("verify: the name of a slot is missing; see 'kexec-membuf verify --help'");
	run("load", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("load: the name of a slot is missing; see 'kexec-membuf load --help'");
}

static void missing_value_is_misuse(void **state)
{
	(void)state;
	run("load", "a", "--initrd", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("load: option '--initrd' needs a value; see 'kexec-membuf load --help'");
	run("load", "a", "--command-line", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("load: option '--command-line' needs a value; see 'kexec-membuf load --help'");
}

static void surplus_value_is_misuse(void **state)
{
	(void)state;
	run("list", "--json=yes", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("list: option '--json=yes' takes no value; see 'kexec-membuf list --help'");
}

static void options_that_exclude_each_other_are_misuse(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("load", "a", "--no-initrd", "--initrd", "x", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("load: %s exclude each other; see 'kexec-membuf load --help'",
		     "--initrd and --no-initrd");
	run("load", "a", "--reuse-cmdline", "--command-line=x", NULL);
	assert_int_equal(status, STATUS_MISUSE);
	assert_error("load: %s exclude each other; see 'kexec-membuf load --help'",
		     "--command-line and --reuse-cmdline");
	assert_int_equal(fake.loads, 0);
}

static void value_that_looks_like_an_option_is_a_value(void **state)
{
	(void)state;
	put_staged_slot("a");
	run("load", "a", "--command-line", "--help", NULL);
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(fake.cmdline, "--help");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(no_command_is_misuse),
		fixture_test(unknown_command_is_misuse),
		fixture_test(program_has_help_and_version),
		fixture_test(each_command_has_help_and_version),
		fixture_test(each_command_refuses_unknown_options),
		fixture_test(each_command_refuses_an_operand_too_many),
		fixture_test(some_commands_need_a_slot),
		fixture_test(missing_value_is_misuse),
		fixture_test(surplus_value_is_misuse),
		fixture_test(options_that_exclude_each_other_are_misuse),
		fixture_test(value_that_looks_like_an_option_is_a_value),
	};

	return cmocka_run_group_tests_name("kexec-membuf arguments", tests, NULL, NULL);
}
