// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a slot's directory shows beside its payload: a fact a file, and the file
 * that gives the slot's memory back
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/fs.h>
#include <linux/kernel.h>
#include <linux/poll.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "slot.h"

static const struct {
	const char *name;
	umode_t mode;
} facts[KEXEC_SLOT_NR_FACTS] = {
	[KEXEC_SLOT_STATE] = { "state", 0444 },
	[KEXEC_SLOT_ORIGIN] = { "origin", 0444 },
	[KEXEC_SLOT_BASE] = { "base", 0400 },
	[KEXEC_SLOT_SIZE] = { "size", 0400 },
	[KEXEC_SLOT_VERIFIED] = { "verified", 0444 },
	[KEXEC_SLOT_REASON] = { "reason", 0444 },
	[KEXEC_SLOT_RELEASE] = { "release", 0200 },
};

const char *kexec_slot_fact_name(unsigned int fact)
{
	return facts[fact].name;
}

umode_t kexec_slot_fact_mode(unsigned int fact)
{
	return facts[fact].mode;
}

static const char *origin_name(struct kexec_slot *slot)
{
	switch (kexec_slot_state(slot)) {
	case KEXEC_SLOT_EMPTY:
	case KEXEC_SLOT_RUNNING:
	case KEXEC_SLOT_RELEASED:
		return "none";
	default:
		return kexec_stash_origin_name(slot->rec.origin);
	}
}

static struct kexec_slot *file_slot(struct file *file)
{
	return kexec_slots[kexec_inode_slot_nr(file_inode(file))];
}

static unsigned int file_fact(struct file *file)
{
	return kexec_inode_entry(file_inode(file)) - KEXEC_SLOT_NR_FILES;
}

/* As with sysfs, a mode holds for root, too: there is nothing behind it */
static int fact_open(struct inode *inode, struct file *file)
{
	if (((file->f_mode & FMODE_READ) && !(inode->i_mode & 0444)) ||
	    ((file->f_mode & FMODE_WRITE) && !(inode->i_mode & 0222)))
		return -EACCES;
	return 0;
}

/* What poll() tells from: how often the state had changed when it was read */
static void note_read(struct file *file, const struct kexec_slot *slot)
{
	WRITE_ONCE(file->private_data, (void *)slot->state_changes);
}

static int print_reason(const struct kexec_slot *slot, char *line, size_t size)
{
	int len;

	kexec_slot_get_reason(slot, line, size - 1);
	len = strlen(line);
	if (len)
		line[len++] = '\n';
	return len;
}

static int print_fact(struct file *file, struct kexec_slot *slot,
		      unsigned int fact, char *line, size_t size)
{
	guard(mutex)(&slot->lock);
	switch (fact) {
	case KEXEC_SLOT_STATE:
		note_read(file, slot);
		return scnprintf(line, size, "%s\n",
				 kexec_slot_state_name(kexec_slot_state(slot)));
	case KEXEC_SLOT_ORIGIN:
		return scnprintf(line, size, "%s\n", origin_name(slot));
	case KEXEC_SLOT_BASE:
		return scnprintf(line, size, "%#llx\n", slot->rec.base);
	case KEXEC_SLOT_VERIFIED:
		return scnprintf(line, size, "%d\n", kexec_slot_verified(slot));
	case KEXEC_SLOT_REASON:
		return print_reason(slot, line, size);
	default:
		return scnprintf(line, size, "%#llx\n", slot->rec.size);
	}
}

static ssize_t fact_read(struct file *file, char __user *buf, size_t count,
			 loff_t *pos)
{
	struct kexec_slot *slot = file_slot(file);
	unsigned int fact = file_fact(file);
	char line[KEXEC_SLOT_REASON_LEN + 1];
	int len = print_fact(file, slot, fact, line, sizeof(line));

	return simple_read_from_buffer(buf, count, pos, line, len);
}

/* As a sysfs attribute: ready to read ever, exceptional once it has changed */
static __poll_t fact_poll(struct file *file, poll_table *wait)
{
	struct kexec_slot *slot = file_slot(file);
	unsigned int fact = file_fact(file);
	__poll_t ready = EPOLLIN | EPOLLRDNORM;

	if (fact != KEXEC_SLOT_STATE)
		return ready;
	poll_wait(file, &slot->state_wait, wait);
	if (READ_ONCE(file->private_data) !=
	    (void *)READ_ONCE(slot->state_changes))
		ready |= EPOLLPRI | EPOLLERR;
	return ready;
}

static ssize_t fact_write(struct file *file, const char __user *buf,
			  size_t count, loff_t *pos)
{
	struct kexec_slot *slot = file_slot(file);
	unsigned int fact = file_fact(file);
	bool yes;
	int ret;

	if (fact != KEXEC_SLOT_RELEASE)
		return -EINVAL;
	ret = kstrtobool_from_user(buf, count, &yes);
	if (ret || !yes)
		return ret ?: -EINVAL;
	ret = kexec_slot_release(slot);
	return ret ?: count;
}

const struct file_operations kexec_slot_fact_fops = {
	.open = fact_open,
	.read = fact_read,
	.write = fact_write,
	.poll = fact_poll,
	.llseek = default_llseek,
};
