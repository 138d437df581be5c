// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What holds for all that early_cpio.c and param.c accept, see walk_early.h
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/kexec_stash_layout.h>

#include "early_cpio.h"
#include "param.h"
#include "walk_early.h"

static bool same_want(const struct kexec_stash_want *a, const struct kexec_stash_want *b)
{
	return !strcmp(a->label, b->label) && a->base == b->base && a->size == b->size &&
	       a->fixed == b->fixed;
}

/* Written out and read again, it must be the same */
static const char *want_insane(const struct kexec_stash_want *want)
{
	struct kexec_stash_want again;
	char text[128];
	const char *pos = text, *why;
	int n;

	if (!memchr(want->label, '\0', sizeof(want->label)) || !kexec_stash_label_ok(want->label))
		return "no name of a slot";
	if (want->size % KEXEC_STASH_ALIGN || want->size < KEXEC_STASH_SIZE_MIN)
		return "no size of a slot";
	if (want->base % KEXEC_STASH_ALIGN || want->base + want->size < want->base)
		return "no address of a slot";
	if (!want->fixed && want->base)
		return "an address that was not given";
	n = snprintf(text, sizeof(text), "%s:0x%llx", want->label, (unsigned long long)want->size);
	if (want->fixed)
		snprintf(text + n, sizeof(text) - n, "@%llu", (unsigned long long)want->base);
	if (kexec_stash_param_next(&pos, &again, &why) != 1 || *pos || !same_want(want, &again))
		return "written out, it is not the same";
	return NULL;
}

const char *walk_param(const char *value)
{
	const char *end = value + strlen(value), *pos = value, *insane;
	struct kexec_stash_want want;

	for (;;) {
		const char *before = pos, *why = NULL;
		int ret = kexec_stash_param_next(&pos, &want, &why);

		if (!ret)
			return pos == end ? NULL : "an end before the end";
		if (pos <= before || pos > end)
			return "no way to go on";
		if (pos != end && pos[-1] != ',')
			return "an end inside of an item";
		if (ret == -EINVAL && (!why || !*why))
			return "refused without a reason";
		if (ret == -EINVAL && !memchr(want.label, '\0', sizeof(want.label)))
			return "a name without an end";
		if (ret != 1 && ret != -EINVAL)
			return "an unknown result";
		insane = ret == 1 ? want_insane(&want) : NULL;
		if (insane)
			return insane;
	}
}

static const char *file_insane(const char *buf, u64 len, const struct kexec_stash_cpio_file *file)
{
	const char *start = buf + file->header;

	if (file->header % 4 || file->data % 4)
		return "an entry that is not aligned";
	if (file->data > len || file->size > len - file->data)
		return "content outside of the initrd";
	if (file->name <= start || file->name >= buf + file->data)
		return "a name outside of the entry";
	if (strnlen(file->name, buf + file->data - file->name) != file->name_len)
		return "a name of another length";
	if (memcmp(start, "070701", 6) && memcmp(start, "070702", 6))
		return "an entry without a header";
	return NULL;
}

/* A payload's file must have a payload's name */
static const char *place_insane(const struct kexec_stash_cpio_file *file, const char *label,
				unsigned int id, bool sig)
{
	const char *name = file->name;
	char want[128];

	if (!memchr(label, '\0', KEXEC_STASH_LABEL_LEN) || !kexec_stash_label_ok(label))
		return "a file of no slot";
	if (id > KEXEC_STASH_NR_FILES)
		return "an unknown file";
	if (!S_ISREG(file->mode))
		return "not a regular file";
	snprintf(want, sizeof(want), "kernel/kexec/%s/%s%s", label,
		 id < KEXEC_STASH_NR_FILES ? kexec_stash_file_name(id) : KEXEC_STASH_CMDLINE,
		 sig ? ".sig" : "");
	if (!strncmp(name, "./", 2))
		name += 2;
	return strcmp(name, want) ? "a file of another name" : NULL;
}

/* As do_header() in init/initramfs.c sees it: an entry of this size and no type it knows */
static const char *hide(char *buf, u64 len, const struct kexec_stash_cpio_file *file)
{
	struct kexec_stash_cpio_file hidden;
	u64 pos = file->header;
	char label[KEXEC_STASH_LABEL_LEN];
	unsigned int id;
	const char *why;
	bool sig;

	kexec_stash_cpio_hide(buf, file);
	if (kexec_stash_cpio_next(buf, len, &pos, &hidden, &why) != 1)
		return "hidden, and what comes after it";
	if (hidden.mode & S_IFMT)
		return "not hidden";
	if (hidden.name != file->name || hidden.data != file->data || hidden.size != file->size)
		return "changed, not hidden";
	return kexec_stash_cpio_place(&hidden, label, &id, &sig, &why) == 1 ? "found again" : NULL;
}

static const char *walk_entry(char *buf, u64 len, const struct kexec_stash_cpio_file *file)
{
	const char *insane = file_insane(buf, len, file), *why = NULL;
	char label[KEXEC_STASH_LABEL_LEN];
	unsigned int id;
	bool sig;
	int ret;

	if (insane)
		return insane;
	ret = kexec_stash_cpio_place(file, label, &id, &sig, &why);
	if (ret == -EINVAL)
		return why && *why ? NULL : "refused without a reason";
	if (ret != 1)
		return ret ? "an unknown result" : NULL;
	insane = place_insane(file, label, id, sig);
	return insane ? insane : hide(buf, len, file);
}

const char *walk_cpio(void *buf, u64 len)
{
	struct kexec_stash_cpio_file file;
	const char *insane;
	u64 pos = 0;

	for (;;) {
		u64 before = pos;
		const char *why = NULL;
		int ret = kexec_stash_cpio_next(buf, len, &pos, &file, &why);

		if (ret == -EBADMSG)
			return why && *why ? NULL : "refused without a reason";
		if (ret != 1)
			return ret ? "an unknown result" : NULL;
		if (file.header < before || pos <= file.header)
			return "no way to go on";
		insane = walk_entry(buf, len, &file);
		if (insane)
			return insane;
	}
}
