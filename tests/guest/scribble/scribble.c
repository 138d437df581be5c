// SPDX-License-Identifier: GPL-2.0-only
/*
 * scribble - deliberate faults in the kernel: a byte written through the linear map, KHO preserving
 * memory of others
 *
 * "<physical address> <byte>" is what to write to debugfs' scribble, in hexadecimal. An address
 * alone changes nothing; the file then reads as the byte that lies there. debugfs' preserve takes
 * "<physical address> <pages>", the first in hexadecimal.
 */

#include <linux/debugfs.h>
#include <linux/io.h>
#include <linux/kexec_handover.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>

static u8 *victim;

static ssize_t scribble_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char line[64] = {};
	unsigned long long addr;
	unsigned int byte;
	int fields;

	if (count >= sizeof(line) || copy_from_user(line, buf, count))
		return -EINVAL;
	fields = sscanf(line, "%llx %x", &addr, &byte);
	if (fields < 1 || !pfn_is_map_memory(PHYS_PFN(addr)))
		return -EINVAL;
	victim = __va(addr);
	if (fields == 2)
		WRITE_ONCE(*victim, byte);
	return count;
}

static ssize_t scribble_read(struct file *file, char __user *buf, size_t count, loff_t *pos)
{
	char line[8];
	int len;

	if (!victim)
		return -ENODATA;
	len = scnprintf(line, sizeof(line), "%#04x\n", READ_ONCE(*victim));
	return simple_read_from_buffer(buf, count, pos, line, len);
}

static const struct file_operations scribble_fops = {
	.owner = THIS_MODULE,
	.read = scribble_read,
	.write = scribble_write,
};

static ssize_t preserve_write(struct file *file, const char __user *buf, size_t count, loff_t *pos)
{
	char line[64] = {};
	unsigned long long addr;
	unsigned int pages;
	int ret;

	if (count >= sizeof(line) || copy_from_user(line, buf, count))
		return -EINVAL;
	if (sscanf(line, "%llx %u", &addr, &pages) != 2 || !pfn_is_map_memory(PHYS_PFN(addr)))
		return -EINVAL;
	ret = kho_preserve_pages(phys_to_page(addr), pages);
	return ret ? ret : count;
}

static const struct file_operations preserve_fops = {
	.owner = THIS_MODULE,
	.write = preserve_write,
};

static int __init scribble_init(void)
{
	debugfs_create_file("preserve", 0200, NULL, NULL, &preserve_fops);
	debugfs_create_file("scribble", 0600, NULL, NULL, &scribble_fops);
	return 0;
}
module_init(scribble_init);

MODULE_DESCRIPTION("Writes to physical memory through the linear map, for the tests of kexec_stash");
MODULE_LICENSE("GPL");
