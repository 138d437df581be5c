/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _UNIT_SANE_H
#define _UNIT_SANE_H

#include <linux/kexec_stash_record.h>

/**
 * record_insane() - the fault of a record that kexec_stash_record_read() accepted
 * @fdt: the tree that it was read from
 * @rec: the record
 *
 * The promises of the header, written a second time, for tests that read random trees.
 *
 * Return: the fault, or NULL if there is none.
 */
const char *record_insane(const void *fdt, const struct kexec_stash_record *rec);

/**
 * walk_records() - read every record of a tree
 * @fdt: the tree, which passes fdt_check_header()
 *
 * Return: NULL if each record was accepted and is sane, or was refused with a fault that says why;
 * otherwise the fault.
 */
const char *walk_records(const void *fdt);

#endif /* _UNIT_SANE_H */
