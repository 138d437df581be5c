/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The stash: between where a slot's bytes are (slot.c), how they are shown
 * (fs.c), how kexec takes them (adopt.c) and what the next kernel is told
 * (fdt.c, handover.c)
 */
#ifndef _KEXEC_STASH_INTERNAL_H
#define _KEXEC_STASH_INTERNAL_H

#include <crypto/sha2.h>
#include <linux/ioport.h>
#include <linux/kexec_stash_record.h>
#include <linux/kthread.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include <linux/wait.h>

/*
 * The command line is a file of the payload too, but lies in struct kexec_slot,
 * not in the slot
 */
#define KEXEC_SLOT_CMDLINE KEXEC_STASH_NR_FILES
#define KEXEC_SLOT_NR_FILES (KEXEC_STASH_NR_FILES + 1)

/* Room for a line of why a payload is not taken: two SHA-512 in it, at the most */
#define KEXEC_SLOT_REASON_LEN 400

struct file;
struct inode;

/**
 * enum kexec_slot_state - what a slot is good for just now
 * @KEXEC_SLOT_EMPTY: it holds nothing
 * @KEXEC_SLOT_STAGED: it holds a payload that may be loaded
 * @KEXEC_SLOT_LOADED: its payload is the kexec image, or about to be; sealed
 * @KEXEC_SLOT_RUNNING: this kernel runs in it
 * @KEXEC_SLOT_BAD: its payload is damaged or incomplete
 * @KEXEC_SLOT_RELEASED: its memory was given back to this kernel
 */
enum kexec_slot_state {
	KEXEC_SLOT_EMPTY,
	KEXEC_SLOT_STAGED,
	KEXEC_SLOT_LOADED,
	KEXEC_SLOT_RUNNING,
	KEXEC_SLOT_BAD,
	KEXEC_SLOT_RELEASED,
};

/**
 * enum kexec_slot_fact - what a slot's directory shows beside the payload
 * @KEXEC_SLOT_STATE: its state
 * @KEXEC_SLOT_ORIGIN: who staged
 * @KEXEC_SLOT_BASE: its physical address
 * @KEXEC_SLOT_SIZE: its size in bytes
 * @KEXEC_SLOT_VERIFIED: whether a load need not look at its bytes again, but for
 *	IMA
 * @KEXEC_SLOT_REASON: why its payload was not taken last
 * @KEXEC_SLOT_RELEASE: to be written to
 * @KEXEC_SLOT_NR_FACTS: how many there are
 */
enum kexec_slot_fact {
	KEXEC_SLOT_STATE,
	KEXEC_SLOT_ORIGIN,
	KEXEC_SLOT_BASE,
	KEXEC_SLOT_SIZE,
	KEXEC_SLOT_VERIFIED,
	KEXEC_SLOT_REASON,
	KEXEC_SLOT_RELEASE,
	KEXEC_SLOT_NR_FACTS
};

union kexec_slot_digest_ctx {
	struct sha256_ctx sha256;
	struct sha384_ctx sha384;
	struct sha512_ctx sha512;
};

/**
 * struct kexec_slot_progress - how far a file was looked at since its slot is
 * sealed
 * @hashed: bytes from its start that are hashed
 * @cleaned: bytes from its start that are cleaned to the point of coherency
 * @ctx: the hash so far
 * @digest: the digest, once all are hashed
 */
struct kexec_slot_progress {
	u64 hashed;
	u64 cleaned;
	union kexec_slot_digest_ctx ctx;
	u8 digest[KEXEC_STASH_DIGEST_LEN];
};

/**
 * struct kexec_slot - a slot
 * @rec: label, place and payload; label, base and size never change;
 *	its bootargs is unused, see @cmdline; signatures are what security.ima
 *	of the file holds, each in memory of its own
 * @lock: protects all below, and the payload in @rec
 * @running: this kernel runs in it: there is no payload to speak of
 * @absent: this kernel does not run in it, but has it as ordinary
 *	memory: not shown, only passed on
 * @released: its memory was given back to this kernel
 * @preserved: KHO preserves some of it; changes from false to true only,
 *	without @lock
 * @sealed: number of kexec images that adopted it or are about to, and one if
 *	@ahead; nobody may change the payload while there are any
 * @ahead: sealed ahead of a load, to be verified; that seal is broken by who
 *	wants to change the payload. Changes under @progress_lock, too
 * @writers: how often its files are open for writing
 * @dirty: bits of the files that are being written
 * @bad: bits of the files that are damaged or incomplete, until they are emptied
 * @verified: bits of the files whose digest was checked since the slot is sealed
 * @progress_lock: protects @progress; taken inside @lock
 * @progress: of each file
 * @verify_work: verifies it, some time after it was staged
 * @sealed_inodes: of the files that LSMs have looked at since the slot is sealed:
 *	what they remember of these, they found of sealed bytes
 * @ima_demands: bits of the files that IMA demanded a signature of, when it was
 *	first asked about one of @sealed_inodes
 * @reason: why its payload was not taken last, see kexec_slot_complain()
 * @cmdline: command line of the payload; no NUL at its end
 * @cmdline_len: its length in bytes, 0 for none
 * @xattrs: extended attributes of each file, of the stash's own cache
 * @shown_state: what kexec_slot_changed() found last
 * @state_changes: how often it was another one than before, and 1
 * @state_wait: those who wait for that
 * @inodes: of the files as user space sees them; NULL before there are any
 * @res: what /proc/iomem shows
 */
struct kexec_slot {
	struct kexec_stash_record rec;
	struct mutex lock; /* see above */
	bool running;
	bool absent;
	bool released;
	bool preserved;
	unsigned int sealed;
	bool ahead;
	unsigned int writers;
	unsigned long dirty;
	unsigned long bad;
	unsigned long verified;
	struct mutex progress_lock; /* see above */
	struct kexec_slot_progress progress[KEXEC_STASH_NR_FILES];
	struct kthread_delayed_work verify_work;
	struct inode *sealed_inodes[KEXEC_STASH_NR_FILES];
	unsigned long ima_demands;
	char reason[KEXEC_SLOT_REASON_LEN];
	char cmdline[KEXEC_STASH_BOOTARGS_LEN];
	size_t cmdline_len;
	struct list_head xattrs[KEXEC_SLOT_NR_FILES];
	enum kexec_slot_state shown_state;
	unsigned long state_changes;
	wait_queue_head_t state_wait;
	struct inode *inodes[KEXEC_SLOT_NR_FILES];
	struct resource res;
};

/* slot.c: the table is made at boot and does not change later */
extern struct kexec_slot *kexec_slots[KEXEC_STASH_SLOTS_MAX];
extern unsigned int kexec_nr_slots;

/*
 * Changes of any slot's payload since boot, for kexec_stash_fixup_fdt() to
 * know what is out of date
 */
extern atomic_t kexec_slots_generation;

void kexec_slot_init(struct kexec_slot *slot);
const char *kexec_slot_file_name(unsigned int id);
const char *kexec_slot_state_name(enum kexec_slot_state state);
enum kexec_slot_state kexec_slot_state(struct kexec_slot *slot);
void kexec_slot_changed(struct kexec_slot *slot);
void *kexec_slot_file_addr(struct kexec_slot *slot, unsigned int id);
u64 kexec_slot_file_size(const struct kexec_slot *slot, unsigned int id);
void kexec_slot_set_file_size(struct kexec_slot *slot, unsigned int id,
			      u64 size);
void kexec_slot_clear_last_page(struct kexec_slot *slot, unsigned int id,
				u64 size);
u64 kexec_slot_file_room(struct kexec_slot *slot, unsigned int id);
int kexec_slot_make_way(struct kexec_slot *slot, u64 end);
int kexec_slot_may_change(const struct kexec_slot *slot);
bool kexec_slot_verified(const struct kexec_slot *slot);
void kexec_slot_touch(struct kexec_slot *slot, unsigned int id);
void kexec_slot_empty_file(struct kexec_slot *slot, unsigned int id);
int kexec_slot_check_staged(struct kexec_slot *slot, unsigned int id);
int kexec_slot_release(struct kexec_slot *slot);
bool __init kexec_slot_holds_kernel(const struct kexec_stash_record *rec);

__printf(2, 3) void kexec_slot_complain(struct kexec_slot *slot,
					const char *fmt, ...);
int kexec_slot_refuse(struct kexec_slot *slot, unsigned int id, const char *why,
		      int err);
int kexec_slot_no_space(struct kexec_slot *slot, unsigned int id, u64 room);
void kexec_slot_get_reason(const struct kexec_slot *slot, char *buf, size_t size);
void kexec_slot_clear_reason(struct kexec_slot *slot);

void __init kexec_slot_take_signature(struct kexec_slot *slot, unsigned int id,
				      const u8 *signature, u32 len);

/**
 * struct kexec_claim - memory that somebody has, or will ask for
 * @base: physical address
 * @size: in bytes, 0 for none
 * @why: why a slot cannot be there
 */
struct kexec_claim {
	u64 base;
	u64 size;
	const char *why;
};

/* claims.c */
const char *__init kexec_claims_check(u64 base, u64 size);
void __init kexec_claims_tell(const char *label, u64 base, u64 size);
bool __init kexec_claims_find(u64 base, u64 size, struct kexec_claim *claim);

/* early.c */
struct kexec_stash_want;
const struct kexec_stash_want *__init kexec_slot_reserved(unsigned int i);
void __init kexec_slots_take_payloads(void);

/* kho.c */
bool __init kexec_kho_claims(u64 base, u64 size, struct kexec_claim *claim);
void __init kexec_kho_keep_slots(void);
bool kexec_slot_kept_by_kho(const struct kexec_slot *slot);

/* seal.c */
int kexec_slot_seal(struct kexec_slot *slot);
void kexec_slot_unseal(struct kexec_slot *slot);
int kexec_slot_seal_ahead(struct kexec_slot *slot);
void kexec_slot_unseal_ahead(struct kexec_slot *slot);
int kexec_slot_lock_to_change(struct kexec_slot *slot);
struct file *kexec_slot_open_sealed(struct kexec_slot *slot, unsigned int id,
				    const struct file *any);
void kexec_slot_forget_verdict(struct kexec_slot *slot, unsigned int id);
void *kexec_slot_map(const struct kexec_slot *slot, u64 mem, u64 size);
int kexec_slot_write(const struct kexec_slot *slot, u64 mem, const void *buf,
		     u64 len, u64 memsz);

/* digest.c */
int kexec_slot_check_digest(struct kexec_slot *slot, unsigned int id,
			    struct inode *inode);
int kexec_slot_check_ahead(struct kexec_slot *slot, unsigned int id);
void kexec_slot_clean(struct kexec_slot *slot, unsigned int id, u64 len);
int kexec_slot_clean_kernel_ahead(struct kexec_slot *slot);
void kexec_slot_forget_progress(struct kexec_slot *slot);

/* verify.c */
void kexec_slot_verify_init(struct kexec_slot *slot);
void kexec_slot_verify_later(struct kexec_slot *slot);

/* mmap.c */
struct vm_area_desc;
int kexec_slot_mmap_prepare(struct vm_area_desc *desc);
void kexec_slot_unmap(struct kexec_slot *slot, unsigned int id);

/* facts.c */
extern const struct file_operations kexec_slot_fact_fops;
const char *kexec_slot_fact_name(unsigned int fact);
umode_t kexec_slot_fact_mode(unsigned int fact);

/* fs.c: the slot and file that an open file of the stash shows, or NULL */
struct kexec_slot *kexec_stash_file_slot(struct file *file, unsigned int *id);
struct kexec_slot *kexec_stash_fact_slot(struct file *file, unsigned int *fact);
int __init kexec_stash_set_signature(struct kexec_slot *slot, unsigned int id,
				     const u8 *signature, u32 len);

/**
 * struct kexec_adoption - what an image has of a slot
 * @slot: the slot
 * @any: a file of the slot that the caller has opened; NULL once the image is
 *	loaded
 * @part: what of the load is being looked at, in words
 * @strict: KEXEC_FILE_MEMBUF was given: the rest of the payload is the slot's
 *	own unless said otherwise
 * @check: KEXEC_FILE_MEMBUF_CHECK was given: nothing is written to the slot, in
 *	which another image may lie
 * @use_dtb: the next kernel's tree starts from the slot's
 * @image_size: bytes from the slot's base that the kernel owns
 * @handover: see kexec_handover_number(); 0 until it was asked for
 * @handover_page: mapped to write to, NULL if there are to be no time stamps
 * @err: why the image cannot be put together, which mainline's loader forgets
 *	while it looks for another place for the kernel
 */
struct kexec_adoption {
	struct kexec_slot *slot;
	struct file *any;
	const char *part;
	bool strict;
	bool check;
	bool use_dtb;
	u64 image_size;
	u64 handover;
	struct kexec_handover_page *handover_page;
	int err;
};

/* adopt.c */
struct kimage;
struct kexec_slot *kexec_adopted_slot(const struct kimage *image);

/**
 * struct kexec_handover_page - what a kernel leaves for the one that it starts
 * @magic: that it is one
 * @version: of what follows
 * @handover: the number in the slot's record
 * @frequency: of the counter, in Hz
 * @reboot: stamp of when reboot() came to the kernel
 * @jump: stamp of the jump
 *
 * An interface between kernels: at the start of the slot's last
 * KEXEC_STASH_HANDOVER_SIZE bytes, little endian, see docs/design.md.
 */
struct kexec_handover_page {
	__le64 magic;
	__le64 version;
	__le64 handover;
	__le64 frequency;
	__le64 reboot;
	__le64 jump;
};

/**
 * enum kexec_stamp - moments of a kexec, in their order
 * @KEXEC_STAMP_REBOOT: reboot() came to the kernel before this one
 * @KEXEC_STAMP_JUMP: it was about to jump
 * @KEXEC_STAMP_ENTRY: this kernel's first instructions
 * @KEXEC_STAMP_INIT: it starts its first process
 * @KEXEC_NR_STAMPS: how many there are
 */
enum kexec_stamp {
	KEXEC_STAMP_REBOOT,
	KEXEC_STAMP_JUMP,
	KEXEC_STAMP_ENTRY,
	KEXEC_STAMP_INIT,
	KEXEC_NR_STAMPS
};

/**
 * struct kexec_timing - what is known of a kexec's moments
 * @frequency: of the counter, in Hz; 0 if it is not known
 * @stamp: values of the counter
 * @known: bits of those that are known
 */
struct kexec_timing {
	u64 frequency;
	u64 stamp[KEXEC_NR_STAMPS];
	unsigned long known;
};

/* timing.c */
extern const struct file_operations kexec_timing_fops;
u64 kexec_handover_mem(const struct kexec_stash_record *rec);
u64 kexec_handover_number(const struct kimage *image);
void kexec_handover_prepare(struct kexec_handover_page *page, u64 handover,
			    u64 frequency);
void kexec_handover_stamp(struct kexec_handover_page *page, u64 reboot,
			  u64 jump);
bool kexec_handover_valid(const struct kexec_handover_page *page, u64 handover);
void kexec_timing_judge(struct kexec_timing *t,
			const struct kexec_handover_page *page, u64 frequency,
			u64 entry, u64 now);

#endif /* _KEXEC_STASH_INTERNAL_H */
