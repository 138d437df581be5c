// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * cputime - the processor time that a process, or a thread of the kernel, has used
 *
 * usage: cputime <pid> [<nanoseconds>]
 *
 * Prints it, in nanoseconds. With a number, waits until it has reached that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define NSEC_PER_SEC 1000000000LL

int main(int argc, char **argv)
{
	const struct timespec pause = { .tv_nsec = 500000 };
	long long used, least;
	struct timespec ts;
	clockid_t clock;

	if (argc < 2 || argc > 3) {
		fprintf(stderr, "usage: cputime <pid> [<nanoseconds>]\n");
		return 2;
	}
	if (clock_getcpuclockid(atoi(argv[1]), &clock)) {
		fprintf(stderr, "cputime: %s: no such process\n", argv[1]);
		return 2;
	}
	least = argc > 2 ? atoll(argv[2]) : 0;
	for (;;) {
		if (clock_gettime(clock, &ts)) {
			perror("cputime");
			return 2;
		}
		used = ts.tv_sec * NSEC_PER_SEC + ts.tv_nsec;
		if (used >= least)
			break;
		nanosleep(&pause, NULL);
	}
	printf("%lld\n", used);
	return 0;
}
