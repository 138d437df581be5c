// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mappings of a payload's files, to read from
 *
 * Who unpacks a kernel into a slot can look back at what was unpacked where it
 * lies. Nobody can write through a mapping, and none outlasts the bytes that it
 * was made for.
 */

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/pfn.h>

#include "slot.h"

static vm_fault_t payload_fault(struct vm_fault *vmf)
{
	u64 pos = (u64)vmf->pgoff << PAGE_SHIFT;
	const struct inode *inode = file_inode(vmf->vma->vm_file);
	struct kexec_slot *slot = kexec_slots[kexec_inode_slot_nr(inode)];
	unsigned int id = kexec_inode_entry(inode);

	guard(mutex)(&slot->lock);
	if (pos >= kexec_slot_file_size(slot, id))
		return VM_FAULT_SIGBUS;
	return vmf_insert_pfn(vmf->vma, vmf->address,
			      PFN_DOWN(slot->rec.base +
				       slot->rec.file[id].offset + pos));
}

static const struct vm_operations_struct payload_vm_ops = {
	.fault = payload_fault,
};

/**
 * kexec_slot_mmap_prepare() - map a file of a payload
 * @desc: the mapping to be
 *
 * Return: 0; -EACCES if it is to be written to; -ENODEV for the command line,
 * which is not in the slot.
 */
int kexec_slot_mmap_prepare(struct vm_area_desc *desc)
{
	if (kexec_inode_entry(file_inode(desc->file)) == KEXEC_SLOT_CMDLINE)
		return -ENODEV;
	if (vma_desc_test(desc, VMA_WRITE_BIT))
		return -EACCES;
	vma_desc_clear_flags(desc, VMA_MAYWRITE_BIT);
	vma_desc_set_flags(desc, VMA_PFNMAP_BIT, VMA_DONTEXPAND_BIT,
			   VMA_DONTDUMP_BIT);
	desc->vm_ops = &payload_vm_ops;
	return 0;
}
