/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A slot of the stash, and its payload
 */
#ifndef _KEXEC_STASH_SLOT_H
#define _KEXEC_STASH_SLOT_H

#include <linux/atomic.h>
#include <linux/kexec_stash_layout.h>
#include <linux/mutex.h>
#include <linux/of.h>
#include <linux/types.h>
#include <linux/wait.h>

#include "fs.h"
#include "seal.h"
#include "verify.h"

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

/* Room for a line of why a payload is not taken: two SHA-512 in it, at the most */
#define KEXEC_SLOT_REASON_LEN 400

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
 * @dirty: bits of the files that are being written
 * @bad: bits of the files that are damaged or incomplete, until they are emptied
 * @reason: why its payload was not taken last, see kexec_slot_complain()
 * @cmdline: command line of the payload; no NUL at its end
 * @cmdline_len: its length in bytes, 0 for none
 * @shown_state: what kexec_slot_changed() found last
 * @state_changes: how often it was another one than before, and 1
 * @state_wait: those who wait for that
 * @seal: of seal.c alone to write to
 * @verify: of verify.c alone
 * @fs: of fs.c alone
 */
struct kexec_slot {
	struct kexec_stash_record rec;
	struct mutex lock; /* see above */
	bool running;
	bool absent;
	bool released;
	bool preserved;
	unsigned long dirty;
	unsigned long bad;
	char reason[KEXEC_SLOT_REASON_LEN];
	char cmdline[KEXEC_STASH_BOOTARGS_LEN];
	size_t cmdline_len;
	enum kexec_slot_state shown_state;
	unsigned long state_changes;
	wait_queue_head_t state_wait;
	struct kexec_slot_seal seal;
	struct kexec_slot_verify verify;
	struct kexec_slot_fs fs;
};

/* The table is made at boot and does not change later */
extern struct kexec_slot *kexec_slots[KEXEC_STASH_SLOTS_MAX];
extern unsigned int kexec_nr_slots;

/* Changes of any slot's payload since boot */
extern atomic_t kexec_slots_changes;

/* Another number once the next kernel would have to be told something else */
static inline int kexec_slots_generation(void)
{
	return atomic_read(&kexec_slots_changes) + of_kexec_nr_kept_ranges();
}

void kexec_slot_init(struct kexec_slot *slot);
const char *kexec_slot_file_name(unsigned int id);
const char *kexec_slot_state_name(enum kexec_slot_state state);
enum kexec_slot_state kexec_slot_state(struct kexec_slot *slot);
void kexec_slot_changed(struct kexec_slot *slot);
void kexec_slot_mark_bad(struct kexec_slot *slot, unsigned int id);

__printf(2, 3) void kexec_slot_complain(struct kexec_slot *slot,
					const char *fmt, ...);
int kexec_slot_refuse(struct kexec_slot *slot, unsigned int id, const char *why,
		      int err);
int kexec_slot_no_space(struct kexec_slot *slot, unsigned int id, u64 room);
void kexec_slot_get_reason(const struct kexec_slot *slot, char *buf,
			   size_t size);
void kexec_slot_clear_reason(struct kexec_slot *slot);

void *kexec_slot_file_addr(struct kexec_slot *slot, unsigned int id);
u64 kexec_slot_file_size(const struct kexec_slot *slot, unsigned int id);
void kexec_slot_set_file_size(struct kexec_slot *slot, unsigned int id,
			      u64 size);
void kexec_slot_clear_last_page(struct kexec_slot *slot, unsigned int id,
				u64 size);
u64 kexec_slot_file_room(struct kexec_slot *slot, unsigned int id);
int kexec_slot_make_way(struct kexec_slot *slot, u64 end);

int kexec_slot_may_change(const struct kexec_slot *slot);
void kexec_slot_touch(struct kexec_slot *slot, unsigned int id);
void kexec_slot_empty_file(struct kexec_slot *slot, unsigned int id);
int kexec_slot_check_kernel(struct kexec_slot *slot, u64 room, u64 *image_size,
			    const char **why);
int kexec_slot_check_staged(struct kexec_slot *slot, unsigned int id);
int kexec_slot_release(struct kexec_slot *slot);

#endif /* _KEXEC_STASH_SLOT_H */
