// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Signals that would end the program while a slot holds half a payload
 *
 * They are blocked and looked for, not handled: a handler could run just before a read() that
 * waits, which then would wait on.
 */

#include "utils.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

static int signal_fd = -1;
static sigset_t old_mask;

bool interrupts_hold(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
	struct sigaction action;
	sigset_t mask;
	size_t i;

	sigemptyset(&mask);
	for (i = 0; i < ARRAY_SIZE(signals); i++) {
		/* A blocked signal is kept also if it is ignored */
		if (!sigaction(signals[i], NULL, &action) && action.sa_handler != SIG_IGN)
			sigaddset(&mask, signals[i]);
	}
	signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0) {
		error_msg("cannot wait for signals: %s", strerror(errno));
		return false;
	}
	sigprocmask(SIG_BLOCK, &mask, &old_mask);
	return true;
}

void interrupts_release(void)
{
	if (signal_fd < 0)
		return;
	close(signal_fd);
	signal_fd = -1;
	sigprocmask(SIG_SETMASK, &old_mask, NULL);
}

bool interrupted(void)
{
	struct pollfd fd = { .fd = signal_fd, .events = POLLIN };

	return signal_fd >= 0 && poll(&fd, 1, 0) > 0;
}

bool interrupt_wait(int fd)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN },
	};

	while (poll(fds, ARRAY_SIZE(fds), -1) < 0 && errno == EINTR)
		;
	return !fds[1].revents;
}
