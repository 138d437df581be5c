/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Device trees for the unit tests: one good tree, made with libfdt's sequential write functions,
 * and edits that make it bad
 */
#ifndef _UNIT_TREE_H
#define _UNIT_TREE_H

#include <linux/types.h>

#define TREE_SIZE	16384	/* room that a tree under test has, edits included */

/* Place and content of the good record */
#define TREE_BASE	0x50000000ULL
#define TREE_SLOT	0x08000000ULL
#define TREE_NODE	"/reserved-memory/kexec-stash@50000000"

/**
 * enum edit_kind - what an edit does
 * @DELETE: remove the property
 * @DELETE_NODE: remove the node
 * @NODE: add the node
 * @STRING: set the property to a string, with its NUL
 * @CELLS: set the property to 32 bit numbers
 * @BYTES: set the property to bytes as they are
 * @BOTH_CELLS: set the node's #address-cells and #size-cells to @len
 * @FILL: set the property to as many times the letter 'x', without a NUL
 */
enum edit_kind { DELETE, DELETE_NODE, NODE, STRING, CELLS, BYTES, BOTH_CELLS, FILL };

/**
 * struct edit - one change to a tree
 * @kind: what it does
 * @node: path below the record's node, "" for that node, or an absolute path
 * @property: the property's name, NULL for a node
 * @data: the value, for STRING, CELLS and BYTES
 * @len: number of bytes, or of cells for CELLS
 */
struct edit {
	enum edit_kind kind;
	const char *node;
	const char *property;
	const void *data;
	int len;
};

/* Rows of a table of edits */
#define edit_cells(n, p, ...) { CELLS, n, p, (const u32[]){ __VA_ARGS__ }, \
				sizeof((const u32[]){ __VA_ARGS__ }) / sizeof(u32) }
#define edit_both_cells(n, c)	{ BOTH_CELLS, n, NULL, NULL, c }
#define edit_string(n, p, s)	{ STRING, n, p, s, 0 }
#define edit_bytes(n, p, s)	{ BYTES, n, p, s, sizeof(s) - 1 }
#define edit_fill(n, p, l)	{ FILL, n, p, NULL, l }
#define edit_delete(n, p)	{ DELETE, n, p, NULL, 0 }
#define edit_delete_node(n)	{ DELETE_NODE, n, NULL, NULL, 0 }
#define edit_node(n)		{ NODE, n, NULL, NULL, 0 }

/**
 * tree_empty() - a tree of a machine with RAM and nothing else
 * @cells: #address-cells and #size-cells of its root
 *
 * Return: the tree, TREE_SIZE bytes, to be freed.
 */
void *tree_empty(int cells);

/**
 * tree_good() - tree_empty() with a good record that has every property
 * @cells: #address-cells and #size-cells of its root and of /reserved-memory
 *
 * Return: the tree, TREE_SIZE bytes, to be freed.
 */
void *tree_good(int cells);

/* The digests and the signature in it: bytes that count up from this */
#define TREE_SHA256_FIRST	0x10
#define TREE_SHA384_FIRST	0x40
#define TREE_SHA512_FIRST	0x80
#define TREE_SIGNATURE_FIRST	0xc0
#define TREE_SIGNATURE_LEN	136

/**
 * tree_edit() - change a tree
 * @fdt: the tree, of TREE_SIZE bytes
 * @edit: what to change
 */
void tree_edit(void *fdt, const struct edit *edit);

/**
 * tree_exact() - copy of a tree without room behind it, where the sanitizer watches
 * @fdt: the tree; freed
 *
 * Return: the copy, to be freed.
 */
void *tree_exact(void *fdt);

/**
 * count_up() - fill a buffer with bytes that count up
 * @buf: the buffer
 * @len: its length
 * @first: the first byte
 */
void count_up(u8 *buf, int len, u8 first);

#endif /* _UNIT_TREE_H */
