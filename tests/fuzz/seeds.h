/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _FUZZ_SEEDS_H
#define _FUZZ_SEEDS_H

/**
 * running_seed() - a tree as firmware leaves it, with a record and all that is carried over
 *
 * Return: the tree, never freed.
 */
void *running_seed(void);

/**
 * staged_seed() - a tree as a kernel's build makes it
 *
 * Return: the tree, never freed.
 */
void *staged_seed(void);

#endif /* _FUZZ_SEEDS_H */
