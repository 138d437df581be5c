// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * pollstate - wait for a slot's state to change, as an update agent would
 *
 * usage: pollstate <state file> <milliseconds> [<state>]
 *
 * Prints the state, and each one that poll() wakes for, until the wanted one comes. If nothing
 * happens for that time, prints "timeout" with exit status 1.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int read_state(int fd, char *state, size_t size)
{
	ssize_t n = pread(fd, state, size - 1, 0);

	if (n <= 0) {
		perror("pollstate: read");
		return -1;
	}
	state[n] = '\0';
	state[strcspn(state, "\n")] = '\0';
	puts(state);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	struct pollfd pfd = { .events = POLLPRI };
	char state[32];

	if (argc < 3 || argc > 4) {
		fprintf(stderr, "usage: pollstate <state file> <milliseconds> [<state>]\n");
		return 2;
	}
	pfd.fd = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (pfd.fd < 0) {
		perror(argv[1]);
		return 2;
	}
	do {
		if (read_state(pfd.fd, state, sizeof(state)))
			return 2;
		if (argc > 3 && !strcmp(state, argv[3]))
			return 0;
	} while (poll(&pfd, 1, atoi(argv[2])) > 0);
	puts("timeout");
	return 1;
}
