// SPDX-License-Identifier: GPL-2.0-only
/*
 * Verified ahead: once a payload is staged, a thread of low priority seals it,
 * checks its recorded digests, or takes those that are not there, and cleans it
 * to the point of coherency, so that a load need do none of this
 */

#define pr_fmt(fmt) "kexec_stash: " fmt

#include <linux/init.h>
#include <linux/jiffies.h>
#include <linux/kernel.h>
#include <linux/kexec_stash.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/sched.h>
#include <linux/suspend.h>

#include "internal.h"

#undef MODULE_PARAM_PREFIX
#define MODULE_PARAM_PREFIX "kexec_stash."

/* A payload is several files: wait until nobody has written for so long */
#define VERIFY_DELAY HZ

static bool verify_ahead = true;
static struct kthread_worker *worker;

static int verify(struct kexec_slot *slot)
{
	int ret = 0;

	for (int i = 0; i < KEXEC_STASH_NR_FILES && !ret; i++) {
		if (slot->rec.file[i].size)
			ret = kexec_slot_check_ahead(slot, i);
	}
	return ret ?: kexec_slot_clean_kernel_ahead(slot);
}

static void verify_func(struct kthread_work *work)
{
	struct kexec_slot *slot =
		container_of(work, struct kexec_slot, verify_work.work);

	if (system_state < SYSTEM_RUNNING) {
		kexec_slot_verify_later(slot);
		return;
	}
	if (!READ_ONCE(verify_ahead) || kexec_slot_seal_ahead(slot))
		return;
	if (verify(slot))
		kexec_slot_unseal_ahead(slot);
}

/**
 * kexec_slot_verify_init() - prepare a slot for kexec_slot_verify_later()
 * @slot: the slot, which nobody else knows of yet
 */
void kexec_slot_verify_init(struct kexec_slot *slot)
{
	kthread_init_delayed_work(&slot->verify_work, verify_func);
}

/**
 * kexec_slot_verify_later() - verify a payload once nobody has changed it for a
 * while
 * @slot: the slot, locked or not
 */
void kexec_slot_verify_later(struct kexec_slot *slot)
{
	if (worker && READ_ONCE(verify_ahead))
		kthread_mod_delayed_work(worker, &slot->verify_work,
					 VERIFY_DELAY);
}

static void verify_all(void)
{
	for (int i = 0; i < kexec_nr_slots; i++)
		kexec_slot_verify_later(kexec_slots[i]);
}

/* What was verified so far is as if it had not been */
static void forget_all(void)
{
	for (int i = 0; i < kexec_nr_slots; i++) {
		/* Who is just verifying it notices, and need not be waited for long */
		kexec_slot_unseal_ahead(kexec_slots[i]);
		kthread_cancel_delayed_work_sync(&kexec_slots[i]->verify_work);
		kexec_slot_unseal_ahead(kexec_slots[i]);
	}
}

static int set_verify_ahead(const char *val, const struct kernel_param *kp)
{
	int ret = param_set_bool(val, kp);

	if (ret || !worker)
		return ret;
	if (verify_ahead)
		verify_all();
	else
		forget_all();
	return 0;
}

static const struct kernel_param_ops verify_ahead_ops = {
	.flags = KERNEL_PARAM_OPS_FL_NOARG,
	.set = set_verify_ahead,
	.get = param_get_bool,
};

module_param_cb(verify_ahead, &verify_ahead_ops, &verify_ahead, 0644);

/*
 * The kernel that resumed this one has put its memory back from a disk, through
 * caches that nobody has cleaned since: no verdict holds any longer. An image
 * that is loaded is as good as it was once its slot is clean again.
 */
static int clean_again(struct notifier_block *nb, unsigned long action,
		       void *data)
{
	if (action != PM_POST_HIBERNATION)
		return NOTIFY_DONE;
	forget_all();
	for (int i = 0; i < kexec_nr_slots; i++) {
		struct kexec_slot *slot = kexec_slots[i];

		guard(mutex)(&slot->lock);
		if (!slot->sealed)
			continue;
		arch_kexec_stash_flush(__va(slot->rec.base), slot->rec.size);
		kexec_slot_forget_progress(slot);
		for (int id = 0; id < KEXEC_STASH_NR_FILES; id++)
			kexec_slot_forget_verdict(slot, id);
	}
	verify_all();
	return NOTIFY_OK;
}

static struct notifier_block clean_again_nb = {
	.notifier_call = clean_again,
};

static int __init verify_init(void)
{
	struct kthread_worker *thread;

	if (!kexec_nr_slots)
		return 0;
	thread = kthread_run_worker(0, "kexec_verify");
	if (IS_ERR(thread))
		return PTR_ERR(thread);
	set_user_nice(thread->task, MAX_NICE);
	worker = thread;
	verify_all();
	return register_pm_notifier(&clean_again_nb);
}
late_initcall(verify_init);
