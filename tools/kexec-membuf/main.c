// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kexec-membuf - stage payloads into kexec stash slots, adopt one in place, and start it
 */

#include "command.h"
#include "utils.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

int main(int argc, char *argv[])
{
	int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int status;

	if (root < 0) {
		error_msg("cannot open '/': %s", strerror(errno));
		return STATUS_FAILED;
	}
	status = run_command(root, argc, argv);
	/* Facts that did not reach the reader are a failure: a full disk, a closed pipe */
	if (fflush(stdout) || ferror(stdout)) {
		error_msg("cannot write the output: %s", strerror(errno));
		return STATUS_FAILED;
	}
	return status;
}
