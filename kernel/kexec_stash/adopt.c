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
#include <linux/of_fdt.h>
#include <linux/security.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../kexec_internal.h"
#include "fdt.h"
#include "internal.h"

static const char the_initrd[] = "the initrd";

/* The content is at fault: nobody need try again before it is staged again */
static int refuse_content(struct kexec_slot *slot, unsigned int id,
			  const char *why, int err)
{
	scoped_guard(mutex, &slot->lock)
		__set_bit(id, &slot->bad);
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
	ret = arch_kexec_stash_image_check(kexec_slot_file_addr(slot, id),
					   slot->rec.file[id].size,
					   kernel_room(slot),
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
	const struct cpumask *stuck = arch_kexec_stash_stuck_cpus();

	if (!stuck)
		return 0;
	kexec_slot_complain(slot,
			    "CPUs %*pbl cannot be stopped, so no kernel can be started: boot with nr_cpus=1, or by firmware with PSCI",
			    cpumask_pr_args(stuck));
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
		return -ENOMEM;
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
	if (ret || *len || !adoption->use_dtb)
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
	adoption->use_dtb = true;
	return check_whole(slot, KEXEC_STASH_DTB);
}

static bool in_slot(const struct kexec_slot *slot, unsigned long mem,
		    unsigned long size)
{
	return mem >= slot->rec.base && size <= slot->rec.size &&
	       mem - slot->rec.base <= slot->rec.size - size;
}

static bool buf_in_slot(const struct kexec_slot *slot, const void *buf)
{
	return buf && virt_addr_valid(buf) && in_slot(slot, __pa(buf), 1);
}

/* Start of a file of the slot that a range runs into, or 0 */
static u64 file_in_the_way(const struct kexec_adoption *adoption, u64 mem,
			   u64 size)
{
	const struct kexec_slot *slot = adoption->slot;

	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		const struct kexec_stash_file *file = &slot->rec.file[i];
		u64 len = i == KEXEC_STASH_KERNEL ? adoption->image_size :
						    file->size;
		u64 start = slot->rec.base + file->offset;

		if (file->size && mem < start + len && start < mem + size)
			return start;
	}
	return 0;
}

/* A payload of another maker's may reach to the end of the slot */
static void adopt_handover(const struct kimage *image)
{
	struct kexec_adoption *adoption = image->adoption;
	u64 mem = kexec_handover_mem(&adoption->slot->rec);
	struct kexec_handover_page *page;

	if (adoption->check ||
	    file_in_the_way(adoption, mem, KEXEC_STASH_HANDOVER_SIZE))
		return;
	page = kexec_slot_map(adoption->slot, mem, sizeof(*page));
	if (!page)
		return;
	kexec_handover_prepare(page, kexec_handover_number(image),
			       arch_kexec_stash_frequency());
	adoption->handover_page = page;
}

int kexec_adopt_rest(struct kimage *image, int kernel_fd)
{
	int ret;

	/*
	 * Read before any slot is: what changes from now on is told again at
	 * exec
	 */
	image->slots_generation = atomic_read(&kexec_slots_generation);
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

/* Start of a segment that a range runs into, or 0 */
static u64 segment_in_the_way(const struct kimage *image, u64 mem, u64 size)
{
	for (int i = 0; i < image->nr_segments; i++) {
		const struct kexec_segment *segment = &image->segment[i];

		if (mem < segment->mem + segment->memsz &&
		    segment->mem < mem + size)
			return segment->mem;
	}
	return 0;
}

/*
 * From the end of the slot, but for the hand-over page, so that kernel and
 * initrd of the next payload find the room they had
 */
static u64 find_room(const struct kexec_buf *kbuf,
		     const struct kexec_adoption *adoption)
{
	u64 base = adoption->slot->rec.base,
	    end = base + adoption->slot->rec.size - KEXEC_STASH_HANDOVER_SIZE;

	end = min_t(u64, end - 1, kbuf->buf_max) + 1;
	while (end - base >= kbuf->memsz) {
		u64 mem = ALIGN_DOWN(end - kbuf->memsz, kbuf->buf_align),
		    obstacle;

		if (mem < base || mem < kbuf->buf_min)
			return 0;
		obstacle = file_in_the_way(adoption, mem, kbuf->memsz) ?:
				   segment_in_the_way(kbuf->image, mem,
						      kbuf->memsz);
		if (!obstacle)
			return mem;
		end = obstacle;
		if (end < base)
			return 0;
	}
	return 0;
}

int kexec_adoption_locate(struct kexec_buf *kbuf)
{
	struct kexec_adoption *adoption = kbuf->image->adoption;
	u64 mem = kbuf->mem;

	if (!adoption)
		return -ENODEV;
	if (mem == KEXEC_BUF_MEM_UNKNOWN)
		mem = buf_in_slot(adoption->slot, kbuf->buffer) ?
			      __pa(kbuf->buffer) :
			      find_room(kbuf, adoption);
	if (!in_slot(adoption->slot, mem, kbuf->memsz) || mem < kbuf->buf_min ||
	    mem + kbuf->memsz - 1 > kbuf->buf_max) {
		/* The first to fail has said why */
		if (adoption->err)
			return adoption->err;
		kexec_slot_complain(adoption->slot,
				    "no room for another %lu bytes that the load must add",
				    kbuf->memsz);
		adoption->err = -ENOSPC;
		return -ENOSPC;
	}
	kbuf->mem = mem;
	return 0;
}

int kexec_adoption_load_segment(struct kimage *image, int idx)
{
	struct kexec_segment *segment = &image->segment[idx];

	if (!image->adoption)
		return -ENODEV;
	/*
	 * It lies there. What a kernel owns behind its file it clears itself.
	 */
	if (segment->kbuf == __va(segment->mem))
		return 0;
	return kexec_slot_write(image->adoption->slot, segment->mem,
				segment->kbuf, segment->bufsz, segment->memsz);
}

bool kexec_adoption_clean_segment(const struct kimage *image, int idx)
{
	const struct kexec_segment *segment = &image->segment[idx];
	struct kexec_slot *slot;

	if (!image->adoption || segment->kbuf != __va(segment->mem))
		return false;
	slot = image->adoption->slot;
	for (int i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		if (!slot->rec.file[i].size ||
		    segment->kbuf != kexec_slot_file_addr(slot, i))
			continue;
		kexec_slot_clean(slot, i, segment->memsz);
		return true;
	}
	return false;
}

bool kexec_adoption_map_segment(struct kimage *image, int idx, void **addr)
{
	struct kexec_segment *segment = &image->segment[idx];

	if (!image->adoption)
		return false;
	*addr = kexec_slot_map(image->adoption->slot, segment->mem,
			       segment->memsz);
	return true;
}

void kexec_adoption_drop_bufs(struct kimage *image)
{
	struct kexec_adoption *adoption = image->adoption;

	if (!adoption)
		return;
	/* What comes behind the initrd in the call, if that is there */
	if (image->initrd_buf && adoption->part == the_initrd)
		adoption->part = "the command line";
	if (buf_in_slot(adoption->slot, image->kernel_buf))
		image->kernel_buf = NULL;
	if (buf_in_slot(adoption->slot, image->initrd_buf))
		image->initrd_buf = NULL;
	if (adoption->any)
		fput(adoption->any);
	adoption->any = NULL;
}

void kexec_adoption_release(struct kimage *image)
{
	struct kexec_adoption *adoption = image->adoption;

	if (!adoption)
		return;
	kexec_adoption_drop_bufs(image);
	vunmap(adoption->handover_page);
	kexec_slot_unseal(adoption->slot);
	kfree(adoption);
	image->adoption = NULL;
}

bool kexec_adoption_in_place(const struct kimage *image)
{
	return image->adoption;
}

void kexec_adoption_failed(const struct kimage *image, int err)
{
	if (image->adoption)
		say_failed(image->adoption, err);
}

/**
 * kexec_adopted_slot() - the slot that an image will run in
 * @image: the image
 *
 * Return: the slot, NULL if @image is not adopted.
 */
struct kexec_slot *kexec_adopted_slot(const struct kimage *image)
{
	return image->adoption ? image->adoption->slot : NULL;
}

size_t kexec_stash_fdt_space(const struct kimage *image)
{
	size_t space = kexec_stash_late_fdt_space(), dtb_size;

	if (image->adoption && image->adoption->use_dtb) {
		dtb_size = image->adoption->slot->rec.file[KEXEC_STASH_DTB].size;
		space += dtb_size +
			 kexec_fdt_adopt_space(dtb_size, initial_boot_params);
	}
	return space;
}

int kexec_stash_open_fdt(const struct kimage *image, void *fdt, size_t size)
{
	struct kexec_adoption *adoption = image->adoption;
	struct kexec_fdt_slot slots[KEXEC_STASH_SLOTS_MAX];
	struct kexec_fdt_adoption from = {
		.running = initial_boot_params,
		.slots = slots,
		.nr_slots = kexec_nr_slots,
	};

	if (!adoption || !adoption->use_dtb)
		return -ENODATA;
	/* The first to fail has said why, while another place is looked for */
	if (adoption->err)
		return adoption->err;
	for (int i = 0; i < kexec_nr_slots; i++)
		slots[i] = (struct kexec_fdt_slot){
			.label = kexec_slots[i]->rec.label,
			.base = kexec_slots[i]->rec.base,
			.size = kexec_slots[i]->rec.size,
		};
	from.staged = kexec_slot_file_addr(adoption->slot, KEXEC_STASH_DTB);
	if (kexec_fdt_adopt(fdt, size, &from))
		adoption->err = kexec_slot_refuse(adoption->slot,
						  KEXEC_STASH_DTB, from.why,
						  -EINVAL);
	return adoption->err;
}
