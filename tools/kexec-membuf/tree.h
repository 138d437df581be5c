/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device trees that came from outside
 */
#ifndef TREE_H
#define TREE_H

#include <linux/types.h>

/**
 * tree_check() - check all of a tree, before libfdt is asked for anything in it
 * @buf: the tree
 * @size: bytes there are at @buf
 *
 * Return: 0 or a libfdt error.
 */
int tree_check(const void *buf, u64 size);

#endif /* TREE_H */
