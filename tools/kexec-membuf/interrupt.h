/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Signals that would end the program while a slot holds half a payload
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdbool.h>

/**
 * interrupts_hold() - hold back the signals that end the program
 *
 * SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE, as far as they are not ignored.
 *
 * Return: true, or false after a message.
 */
bool interrupts_hold(void);

/**
 * interrupts_release() - let through what was held back
 *
 * If there was a signal, the program ends by it, as who sent it expects.
 */
void interrupts_release(void);

/**
 * interrupted() - whether a signal is being held back
 *
 * Return: true if there is one.
 */
bool interrupted(void);

/**
 * interrupt_wait() - wait until there is something to read
 * @fd: a descriptor
 *
 * Return: true, or false if a signal was first.
 */
bool interrupt_wait(int fd);

#endif /* INTERRUPT_H */
