/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts and verdict as text and as JSON; the keys are documented in kexec-membuf(8)
 */
#ifndef VERIFY_PRINT_H
#define VERIFY_PRINT_H

#include "judge.h"

/**
 * verify_print_text() - print facts and verdict, a line each
 * @facts: what is known
 * @verdict: what the kernel will say
 */
void verify_print_text(const struct facts *facts, const struct verdict *verdict);

/**
 * verify_print_json() - print facts and verdict as JSON
 * @facts: what is known
 * @verdict: what the kernel will say
 */
void verify_print_json(const struct facts *facts, const struct verdict *verdict);

#endif /* VERIFY_PRINT_H */
