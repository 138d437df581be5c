// SPDX-License-Identifier: GPL-2.0-only
/*
 * Adopting a payload: kexec_file_load() of what lies where it will run
 *
 * The order of checks is that of kernel_read_file(), and so are the calls of
 * LSM hooks: IMA and friends see the same file and the same bytes as they would
 * if the payload were read. From the first check to kexec_adoption_release()
 * the slot is sealed.
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/cpumask.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/ima.h>
#include <linux/kernel_read_file.h>
#include <linux/kexec.h>
#include <linux/kexec_stash.h>
#include <linux/libfdt.h>
#include <linux/of_fdt.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include <asm/kexec_stash.h>

#include "../kexec_internal.h"
#include "adopt.h"
#include "fdt.h"
#include "slot.h"
#include "timing.h"

static const char the_initrd[] = "the initrd";

/* The content is at fault: nobody need try again before it is staged again */
static int refuse_content(struct kexec_slot *slot, unsigned int id,
			  const char *why, int err)
{
	scoped_guard(mutex, &slot->lock)
		kexec_slot_mark_bad(slot, id);
	return kexec_slot_refuse(slot, id, why, err);
}

/*
 * What kernel_read_file() does for a file that has to be read, for one that
 * need not be. The recorded digest comes last: where IMA has computed the same,
 * it need not be computed again.
 */
static int check_open_file(struct kexec_slot *slot, unsigned int id,
			   struct file *file, enum kernel_read_file_id read_id)
{
	int ret;

	ret = security_kernel_read_file(file, read_id, true);
	if (!ret)
		ret = security_kernel_post_read_file(file,
						     kexec_slot_file_addr(slot, id),
						     slot->rec.file[id].size,
						     read_id);
	if (ret)
		return kexec_slot_refuse(slot, id,
					 "is not let pass by a security module",
					 ret);
	return kexec_slot_check_digest(slot, id, file_inode(file));
}

static int check_file(struct kexec_adoption *adoption, unsigned int id,
		      enum kernel_read_file_id read_id)
{
	struct file *file = kexec_slot_open_sealed(adoption->slot, id,
						   adoption->any);
	int ret;

	if (IS_ERR(file))
		return PTR_ERR(file);
	ret = check_open_file(adoption->slot, id, file, read_id);
	fput(file);
	return ret;
}

/* Its last writer left it damaged, though nothing that is looked at tells so */
static int check_whole(struct kexec_slot *slot, unsigned int id)
{
	if (!test_bit(id, &slot->bad))
		return 0;
	return kexec_slot_refuse(slot, id,
				 "is damaged or incomplete, stage it again",
				 -EBADMSG);
}

/*
 * Bytes from the base to the first file behind the kernel: the kernel may own
 * these
 */
static u64 kernel_room(const struct kexec_slot *slot)
{
	u64 room = slot->rec.size;

	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		if (i != KEXEC_STASH_KERNEL && slot->rec.file[i].size)
			room = min(room, slot->rec.file[i].offset);
	}
	return room;
}

static int check_kernel(struct kexec_adoption *adoption)
{
	struct kexec_slot *slot = adoption->slot;
	const unsigned int id = KEXEC_STASH_KERNEL;
	const char *why;
	int ret;

	ret = check_file(adoption, id, READING_KEXEC_IMAGE);
	if (ret)
		return ret;
	ret = kexec_slot_check_kernel(slot, kernel_room(slot),
				      &adoption->image_size, &why);
	if (ret)
		return refuse_content(slot, id, why, ret);
	return check_whole(slot, id);
}

static bool is_kernel_of(const struct kexec_slot *slot,
			 const struct kimage *image)
{
	const struct kexec_stash_file *kernel =
		&slot->rec.file[KEXEC_STASH_KERNEL];

	return kernel->size == image->kernel_buf_len &&
	       !memcmp(image->kernel_buf, __va(slot->rec.base), kernel->size);
}

static int adopt_sealed(struct kimage *image, struct kexec_adoption *adoption)
{
	struct kexec_slot *slot = adoption->slot;
	int ret;

	/* What was read from elsewhere must be what lies here, byte by byte */
	if (image->kernel_buf && !is_kernel_of(slot, image))
		return -ENODEV;
	ret = check_kernel(adoption);
	if (ret)
		return ret;
	image->adoption = adoption;
	vfree(image->kernel_buf);
	image->kernel_buf = kexec_slot_file_addr(slot, KEXEC_STASH_KERNEL);
	image->kernel_buf_len = slot->rec.file[KEXEC_STASH_KERNEL].size;
	return 0;
}

/* No load ends without a line, whoever has no more to say than an errno */
static void say_failed(const struct kexec_adoption *adoption, int err)
{
	struct kexec_slot *slot = adoption->slot;
	char reason[2];

	kexec_slot_get_reason(slot, reason, sizeof(reason));
	if (!*reason)
		kexec_slot_complain(slot, "kexec refuses %s (%d)",
				    adoption->part, err);
}

static int check_cpus(struct kexec_slot *slot)
{
	/* Of all possible CPUs, too many for the stack; the kexec lock is held */
	static struct cpumask stuck;
	unsigned int cpu;

	cpumask_clear(&stuck);
	for_each_possible_cpu(cpu) {
		if (arch_kexec_stash_cpu_stuck(cpu))
			cpumask_set_cpu(cpu, &stuck);
	}
	if (cpumask_empty(&stuck))
		return 0;
	kexec_slot_complain(slot,
			    "CPUs %*pbl cannot be stopped, so no kernel can be started: boot with nr_cpus=1, or by firmware with PSCI",
			    cpumask_pr_args(&stuck));
	return -EBUSY;
}

/* Whatever file of the slot is given, it is the kernel that is looked at */
static int adopt(struct kimage *image, struct kexec_slot *slot,
		 struct file *any, unsigned long flags)
{
	struct kexec_adoption *adoption;
	int ret;

	kexec_slot_clear_reason(slot);
	ret = check_cpus(slot);
	if (ret)
		return ret;
	adoption = kzalloc_obj(*adoption);
	if (!adoption)
		return kexec_slot_refuse(slot, KEXEC_STASH_KERNEL,
					 "there is no memory to load it", -ENOMEM);
	ret = kexec_slot_seal(slot);
	if (ret)
		goto free;
	adoption->slot = slot;
	adoption->strict = flags & KEXEC_FILE_MEMBUF;
	adoption->check = flags & KEXEC_FILE_MEMBUF_CHECK;
	adoption->any = get_file(any);
	adoption->part = "the kernel";
	ret = adopt_sealed(image, adoption);
	if (!ret)
		return 0;
	if (ret != -ENODEV)
		say_failed(adoption, ret);
	fput(any);
	kexec_slot_unseal(slot);
free:
	kfree(adoption);
	return ret;
}

/*
 * kexec-tools, since 2.0.26, hands over a copy of the kernel that it made in a
 * memfd, but the initrd as it is. Where that copy is the very kernel that lies
 * beside the initrd, it is the slot that is meant. Whether it is can be told
 * once nobody may change the slot; most that it is not can be told before.
 */
static int adopt_by_initrd(struct kimage *image, struct kexec_slot *slot,
			   struct file *initrd)
{
	if (image->type == KEXEC_TYPE_CRASH)
		return -ENODEV;
	scoped_guard(mutex, &slot->lock) {
		if (slot->rec.file[KEXEC_STASH_KERNEL].size !=
		    image->kernel_buf_len)
			return -ENODEV;
	}
	return adopt(image, slot, initrd, 0);
}

int kexec_adoption_check_flags(unsigned long flags)
{
	if ((flags & KEXEC_FILE_MEMBUF) && (flags & KEXEC_FILE_ON_CRASH)) {
		pr_err("KEXEC_FILE_MEMBUF: a crash kernel runs in memory of its own, not in a slot\n");
		return -EINVAL;
	}
	if ((flags & KEXEC_FILE_MEMBUF_CHECK) &&
	    (!(flags & KEXEC_FILE_MEMBUF) || (flags & KEXEC_FILE_UNLOAD))) {
		pr_err("KEXEC_FILE_MEMBUF_CHECK: goes with KEXEC_FILE_MEMBUF, and with no unload\n");
		return -EINVAL;
	}
	return 0;
}

ssize_t kexec_adopt_kernel(struct kimage *image, int kernel_fd,
			   unsigned long flags)
{
	bool strict = flags & KEXEC_FILE_MEMBUF;
	struct kexec_slot *slot;
	unsigned int id;
	int ret;

	CLASS(fd, f)(kernel_fd);
	if (fd_empty(f) || !(fd_file(f)->f_mode & FMODE_READ))
		return -EBADF;
	slot = kexec_stash_file_slot(fd_file(f), &id);
	if (strict && (!slot || id != KEXEC_STASH_KERNEL)) {
		pr_err("KEXEC_FILE_MEMBUF: '%pD' is not a slot's kernel\n",
		       fd_file(f));
		return -EINVAL;
	}
	if (!slot || id != KEXEC_STASH_KERNEL || (flags & KEXEC_FILE_ON_CRASH))
		return -ENODEV;

	ret = adopt(image, slot, fd_file(f), flags);
	return ret ? ret : image->kernel_buf_len;
}

static ssize_t adopt_own_initrd(struct kimage *image)
{
	struct kexec_adoption *adoption = image->adoption;
	struct kexec_slot *slot = adoption->slot;
	const unsigned int id = KEXEC_STASH_INITRD;
	int ret;

	ret = check_file(adoption, id, READING_KEXEC_INITRAMFS);
	if (!ret)
		ret = check_whole(slot, id);
	if (ret)
		return ret;
	image->initrd_buf = kexec_slot_file_addr(slot, id);
	image->initrd_buf_len = slot->rec.file[id].size;
	return image->initrd_buf_len;
}

ssize_t kexec_adopt_initrd(struct kimage *image, int initrd_fd)
{
	struct kexec_slot *slot;
	unsigned int id;
	int ret;

	if (image->adoption)
		image->adoption->part = the_initrd;
	if (initrd_fd < 0 && image->adoption && image->adoption->strict) {
		slot = image->adoption->slot;
		return slot->rec.file[KEXEC_STASH_INITRD].size ?
			       adopt_own_initrd(image) :
			       check_whole(slot, KEXEC_STASH_INITRD);
	}

	CLASS(fd, f)(initrd_fd);
	if (fd_empty(f) || !(fd_file(f)->f_mode & FMODE_READ))
		return -EBADF;
	slot = kexec_stash_file_slot(fd_file(f), &id);
	if (!slot)
		return -ENODEV;
	if (!image->adoption && id == KEXEC_STASH_INITRD) {
		ret = adopt_by_initrd(image, slot, fd_file(f));
		if (ret)
			return ret;
	}
	if (!image->adoption)
		return -ENODEV;
	if (slot != image->adoption->slot || id != KEXEC_STASH_INITRD)
		return kexec_slot_refuse(image->adoption->slot,
					 KEXEC_STASH_INITRD,
					 "the one given is another file of the stash",
					 -EINVAL);
	if (!slot->rec.file[id].size)
		return kexec_slot_refuse(slot, id,
					 "there is none, stage one first",
					 -ENODATA);
	return adopt_own_initrd(image);
}

/*
 * A payload's own: of the slot in a strict load, or else of its dtb, which
 * mainline empties of it where there is no other
 */
static int own_cmdline(const struct kexec_adoption *adoption,
		       const char **cmdline, size_t *len)
{
	struct kexec_slot *slot = adoption->slot;
	const char *why;
	int ret;

	*cmdline = slot->cmdline;
	*len = adoption->strict ? slot->cmdline_len : 0;
	ret = adoption->strict ? check_whole(slot, KEXEC_SLOT_CMDLINE) : 0;
	/* "echo" ends it with a line feed */
	while (*len && slot->cmdline[*len - 1] == '\n')
		(*len)--;
	if (ret || *len || !adoption->fdt)
		return ret;
	ret = kexec_fdt_bootargs(kexec_slot_file_addr(slot, KEXEC_STASH_DTB),
				 cmdline, &why);
	if (ret)
		return refuse_content(slot, KEXEC_STASH_DTB, why, ret);
	*len = *cmdline ? strlen(*cmdline) : 0;
	return 0;
}

/* After the dtb was checked */
static int adopt_cmdline(struct kimage *image, int kernel_fd)
{
	const char *own;
	char *cmdline;
	size_t len;
	int ret;

	if (image->cmdline_buf)
		return 0;
	ret = own_cmdline(image->adoption, &own, &len);
	if (ret || !len)
		return ret;
	cmdline = kmemdup_nul(own, len, GFP_KERNEL);
	if (!cmdline)
		return -ENOMEM;
	image->cmdline_buf = cmdline;
	image->cmdline_buf_len = len + 1;
	ima_kexec_cmdline(kernel_fd, cmdline, len);
	return 0;
}

/*
 * IMA can check the signature of a device tree, KEXEC_SIG cannot: where it is
 * enforced, or lockdown leaves it to signatures, there can be none but one that
 * the boot stage has authenticated
 */
static bool dtb_needs_signature(void)
{
	return !ima_appraise_signature(READING_KEXEC_IMAGE) &&
	       (kexec_sig_enforced() || security_locked_down(LOCKDOWN_KEXEC));
}

/*
 * A device tree decides what code runs as much as a kernel does: it passes the
 * kernel's check, whoever put it there. Where the boot stage has checked a
 * signature of these very bytes, their digest tells that they are these, and it
 * is measured.
 */
static int check_dtb(struct kexec_adoption *adoption)
{
	const unsigned int id = KEXEC_STASH_DTB;
	struct kexec_slot *slot = adoption->slot;
	const struct kexec_stash_file *file = &slot->rec.file[id];
	int ret;

	if (file->authenticated && file->hash != KEXEC_STASH_HASH_NONE) {
		ret = kexec_slot_check_digest(slot, id, NULL);
		if (!ret)
			ima_measure_critical_data("kexec_stash", "dtb",
						  kexec_slot_file_addr(slot, id),
						  file->size, true, NULL, 0);
		return ret;
	}
	if (dtb_needs_signature())
		return kexec_slot_refuse(slot, id,
					 "has no signature that could be checked",
					 -EPERM);
	return check_file(adoption, id, READING_KEXEC_IMAGE);
}

/* What firmware alone knows is carried over from the running tree */
static int make_base_fdt(struct kexec_adoption *adoption)
{
	struct kexec_slot *slot = adoption->slot;
	size_t size = slot->rec.file[KEXEC_STASH_DTB].size;
	struct kexec_fdt_slot slots[KEXEC_STASH_SLOTS_MAX];
	struct kexec_fdt_adoption from = {
		.staged = kexec_slot_file_addr(slot, KEXEC_STASH_DTB),
		.running = initial_boot_params,
		.slots = slots,
		.nr_slots = kexec_nr_slots,
	};

	for (int i = 0; i < kexec_nr_slots; i++)
		slots[i] = (struct kexec_fdt_slot){
			.label = kexec_slots[i]->rec.label,
			.base = kexec_slots[i]->rec.base,
			.size = kexec_slots[i]->rec.size,
		};
	size += kexec_fdt_adopt_space(size, initial_boot_params);
	adoption->fdt = kvmalloc(size, GFP_KERNEL);
	if (!adoption->fdt)
		return -ENOMEM;
	if (kexec_fdt_adopt(adoption->fdt, size, &from))
		return kexec_slot_refuse(slot, KEXEC_STASH_DTB, from.why, -EINVAL);
	fdt_pack(adoption->fdt);
	return 0;
}

static int adopt_dtb(struct kimage *image)
{
	struct kexec_adoption *adoption = image->adoption;
	struct kexec_slot *slot = adoption->slot;
	const char *why;
	int ret;

	if (image->force_dtb)
		return 0;
	if (!slot->rec.file[KEXEC_STASH_DTB].size)
		return check_whole(slot, KEXEC_STASH_DTB);
	ret = check_dtb(adoption);
	if (ret)
		return ret;
	ret = kexec_fdt_check(kexec_slot_file_addr(slot, KEXEC_STASH_DTB),
			      slot->rec.file[KEXEC_STASH_DTB].size, &why);
	if (ret)
		return refuse_content(slot, KEXEC_STASH_DTB, why, ret);
	ret = check_whole(slot, KEXEC_STASH_DTB);
	return ret ?: make_base_fdt(adoption);
}

/* A payload of another maker's may reach to the end of the slot */
static void adopt_handover(const struct kimage *image)
{
	struct kexec_adoption *adoption = image->adoption;
	u64 mem = kexec_handover_mem(&adoption->slot->rec);

	if (!adoption->check &&
	    kexec_slot_is_free(adoption, mem, KEXEC_STASH_HANDOVER_SIZE))
		kexec_handover_open(adoption, mem);
}

int kexec_adopt_rest(struct kimage *image, int kernel_fd)
{
	int ret;

	/*
	 * Read before any slot is: what changes from now on is told again at
	 * exec
	 */
	image->slots_generation = kexec_slots_generation();
	if (!image->adoption)
		return 0;
	image->adoption->part = "the image";
	ret = adopt_dtb(image);
	if (!ret)
		ret = adopt_cmdline(image, kernel_fd);
	if (!ret)
		adopt_handover(image);
	return ret;
}

void kexec_adoption_drop_bufs(struct kimage *image)
{
	struct kexec_adoption *adoption = image->adoption;

	/* What comes behind the initrd in the call, if that is there */
	if (image->initrd_buf && adoption->part == the_initrd)
		adoption->part = "the command line";
	if (!is_vmalloc_addr(image->kernel_buf))
		image->kernel_buf = NULL;
	if (!is_vmalloc_addr(image->initrd_buf))
		image->initrd_buf = NULL;
	if (adoption->any)
		fput(adoption->any);
	adoption->any = NULL;
	kvfree(adoption->fdt);
	adoption->fdt = NULL;
}

void kexec_adoption_release(struct kimage *image)
{
	struct kexec_adoption *adoption = image->adoption;

	kexec_adoption_drop_bufs(image);
	kexec_handover_close(adoption);
	kexec_slot_unseal(adoption->slot);
	kfree(adoption);
	image->adoption = NULL;
}

void kexec_adoption_failed(const struct kimage *image, int err)
{
	say_failed(image->adoption, err);
}

const void *kexec_stash_base_fdt(const struct kimage *image)
{
	return image->adoption->fdt ?: initial_boot_params;
}
