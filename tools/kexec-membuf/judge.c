// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the running kernel will say to a payload
 *
 * Signatures as ima_appraise_measurement(), verify_pefile_signature() and pkcs7_validate_trust()
 * judge them, in the order of kexec_file_load(): IMA, the recorded digest, KEXEC_SIG and lockdown.
 */

#include "judge.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define GIVE_CERT	"give its certificate with --cert"

__printf(4, 5)
static void opine(struct opinion *opinion, enum answer ok, const char *todo, const char *format,
		  ...)
{
	va_list va;

	opinion->ok = ok;
	snprintf(opinion->todo, WHY_LEN, "%s", todo);
	va_start(va, format);
	vsnprintf(opinion->why, WHY_LEN, format, va);
	va_end(va);
}

/* What another check says counts where the first has no objection, or none that is certain */
static void also(struct opinion *opinion, const struct opinion *other)
{
	if (opinion->ok == ANSWER_YES || (opinion->ok == ANSWER_UNKNOWN && other->ok == ANSWER_NO))
		*opinion = *other;
}

__printf(3, 4)
static void trust_is(struct trust *trust, enum answer ok, const char *format, ...)
{
	va_list va;

	trust->ok = ok;
	va_start(va, format);
	vsnprintf(trust->why, WHY_LEN, format, va);
	va_end(va);
}

/* Is the signature that of the kernel's key, as its certificate or the kernel itself say? */
static void judge_link(const struct link *link, const struct cert *cert,
		       const struct kernel_key *key, struct trust *trust)
{
	enum answer match = ANSWER_UNKNOWN;
	struct key_id id;
	const char *by;

	/* Two keys may have names that end with the same four bytes */
	if (cert && key) {
		key_id_of_cert(&id, cert->x509);
		if (!key_id_same(&id, &key->id))
			cert = NULL;
	}
	by = cert ? cert->path : "the kernel's key";
	if (cert)
		match = raw_signature_check(&link->raw, cert->x509);
	if (match == ANSWER_UNKNOWN && key)
		match = kernel_key_check(key, &link->raw);
	if (match == ANSWER_YES)
		trust_is(trust, ANSWER_YES, "matches, by %s", by);
	else if (match == ANSWER_NO)
		trust_is(trust, ANSWER_NO, "does not match, by %s", by);
	else if (cert)
		trust_is(trust, ANSWER_UNKNOWN, "is of a kind that libcrypto cannot check");
	else
		trust_is(trust, ANSWER_UNKNOWN, "can only be checked with the certificate");
}

static bool not_even_wrong(const struct signature *sig, struct trust *trust)
{
	memset(trust, 0, sizeof(*trust));
	if (sig->why[0])
		trust_is(trust, ANSWER_NO, "%s", sig->why);
	else if (sig->unknown[0])
		trust_is(trust, ANSWER_UNKNOWN, "%s", sig->unknown);
	return sig->why[0] || sig->unknown[0];
}

void judge_signature(const struct facts *facts, const struct signature *sig,
		     enum keyring_id keyring, struct trust *trust)
{
	char str[2 * KEY_ID_LEN + 1] = "?";
	size_t i;

	if (not_even_wrong(sig, trust))
		return;
	for (i = 0; i < sig->nr_links; i++) {
		const struct link *link = &sig->links[i];
		const struct cert *cert = certs_find(&facts->certs, &link->id);
		const struct kernel_key *key = NULL;
		struct key_id id = link->id;

		if (!id.skid_len && cert)
			key_id_of_cert(&id, cert->x509);
		if (!id.skid_len) {
			trust_is(trust, ANSWER_UNKNOWN,
				 "names its key by issuer and serial number, %s",
				 "which the kernel does not show");
			return;
		}
		if (!i)
			hex(id.skid, id.skid_len, str);
		switch (keyrings_find(&facts->keyrings, keyring, &id, &key)) {
		case ANSWER_YES:
			judge_link(link, cert, key, trust);
			return;
		case ANSWER_UNKNOWN:
			trust_is(trust, ANSWER_UNKNOWN, "what is in %s cannot be told: %s",
				 keyring_name(keyring), facts->keyrings.why[keyring]);
			return;
		default:
			break;
		}
	}
	trust->no_key = true;
	trust_is(trust, ANSWER_NO, "key %s is not in %s", str, keyring_name(keyring));
}

void judge_match(const struct facts *facts, const struct signature *sig, struct trust *trust)
{
	size_t i;
	int k;

	if (not_even_wrong(sig, trust))
		return;
	trust_is(trust, ANSWER_UNKNOWN, "can only be checked with the certificate");
	for (i = 0; i < sig->nr_links && trust->ok == ANSWER_UNKNOWN; i++) {
		const struct link *link = &sig->links[i];
		const struct cert *cert = certs_find(&facts->certs, &link->id);
		const struct kernel_key *key;

		if (cert) {
			judge_link(link, cert, NULL, trust);
			continue;
		}
		for (k = 0; k < NR_KEYRINGS && trust->ok == ANSWER_UNKNOWN; k++) {
			if (keyrings_find(&facts->keyrings, k, &link->id, &key) == ANSWER_YES)
				judge_link(link, NULL, key, trust);
		}
	}
}

/* One keyring, and where that did not help perhaps another */
static void judge_in_two(const struct facts *facts, const struct signature *sig,
			 enum keyring_id first, enum keyring_id second, bool only_without_key,
			 struct trust *trust)
{
	struct trust other;

	judge_signature(facts, sig, first, trust);
	if (trust->ok == ANSWER_YES || facts->keyrings.exists[second] == ANSWER_NO ||
	    (only_without_key && !trust->no_key))
		return;
	judge_signature(facts, sig, second, &other);
	if (other.ok == ANSWER_YES || (other.ok == ANSWER_UNKNOWN && trust->ok == ANSWER_NO)) {
		*trust = other;
		return;
	}
	if (other.no_key && trust->no_key) {
		size_t len = strlen(trust->why);

		snprintf(trust->why + len, WHY_LEN - len, " nor in %s", keyring_name(second));
	}
}

/* The boot stage has checked a signature of these bytes, which the recorded digest tells */
static bool is_authenticated_dtb(const struct facts *facts, const struct file_facts *file)
{
	return file->id == KEXEC_STASH_DTB && file->recorded == ANSWER_YES &&
	       facts->record.rec.file[file->id].authenticated;
}

static bool is_kernel_check(const struct file_facts *file)
{
	return file->id != KEXEC_STASH_INITRD;
}

/* .platform is for kernels alone, and only where a rule is for these */
static void judge_ima_key(const struct facts *facts, const struct file_facts *file,
			  const struct ima_rule *rule, const struct signature *sig,
			  struct trust *trust)
{
	if (is_kernel_check(file) && rule->by_func)
		judge_in_two(facts, sig, KEYRING_IMA, KEYRING_PLATFORM, false, trust);
	else
		judge_signature(facts, sig, KEYRING_IMA, trust);
}

void judge_rule(const struct facts *facts, const struct file_facts *file, struct ima_rule *rule)
{
	const struct ima_file ima_file = {
		.func = is_kernel_check(file) ? "KEXEC_KERNEL_CHECK" : "KEXEC_INITRAMFS_CHECK",
		/* Who loads is taken to be who owns the file: root */
		.uid = file->uid,
		.gid = file->gid,
		.fowner = file->uid,
		.fgroup = file->gid,
	};

	memset(rule, 0, sizeof(*rule));
	if (facts->security.policy && !is_authenticated_dtb(facts, file))
		policy_find_rule(facts->security.policy, &ima_file, rule);
}

/* Advice that fits what is wrong with a signature */
static const char *sign_advice(const struct trust *trust)
{
	if (trust->ok == ANSWER_UNKNOWN)
		return GIVE_CERT;
	if (trust->no_key)
		return "add the key, or sign with one that is there";
	return "sign the file that is staged";
}

static void judge_by(const struct signature *sig, const struct trust *trust,
		     struct opinion *opinion)
{
	if (trust->ok == ANSWER_YES)
		opine(opinion, ANSWER_YES, "", "%s", "");
	else
		opine(opinion, trust->ok, sign_advice(trust), "%s%s%s",
		      trust->no_key ? "" : sig->name, trust->no_key ? "" : " ", trust->why);
}

static void judge_modsig(const struct facts *facts, const struct file_facts *file,
			 const struct ima_rule *rule, const struct signature *sig,
			 struct opinion *opinion)
{
	const struct message *msg = &file->modsig;
	struct trust trust;

	if (msg->nr_links && keyrings_refuse(&facts->keyrings, msg->links[0].raw.digest,
					     msg->links[0].raw.digest_len)) {
		opine(opinion, ANSWER_NO, "stage another file", "is on the kernel's blacklist");
		return;
	}
	judge_ima_key(facts, file, rule, sig, &trust);
	judge_by(sig, &trust, opinion);
}

/* An appended signature is asked where the last keyring that was asked does not have the key */
static bool last_keyring_lacks_key(const struct facts *facts, const struct file_facts *file,
				   const struct ima_rule *rule, const struct signature *sig,
				   const struct trust *trust)
{
	struct trust platform;

	if (!is_kernel_check(file) || !rule->by_func ||
	    facts->keyrings.exists[KEYRING_PLATFORM] == ANSWER_NO)
		return trust->no_key;
	judge_signature(facts, sig, KEYRING_PLATFORM, &platform);
	return platform.no_key;
}

static void judge_ima_signature(const struct facts *facts, const struct file_facts *file,
				const struct ima_rule *rule, const struct signature *modsig,
				struct opinion *opinion)
{
	const struct signature *sig = facts_signature(file, SIG_IMA);
	struct opinion appended;
	struct trust trust;

	if (rule->type == APPRAISE_VERITY) {
		opine(opinion, ANSWER_NO, "sign it with evmctl ima_sign, or change the policy",
		      "IMA's policy asks for fs-verity, which the stash does not have");
		return;
	}
	if (rule->type == APPRAISE_SIGV3 && file->xattr.version != 3) {
		opine(opinion, ANSWER_NO, "sign it with evmctl ima_sign --v3",
		      "IMA's policy asks for a signature of version 3");
		return;
	}
	if (!sig) {
		opine(opinion, ANSWER_NO, "sign it again", "%s", "its " IMA_XATTR " is broken");
		return;
	}
	judge_ima_key(facts, file, rule, sig, &trust);
	judge_by(sig, &trust, opinion);
	if (!modsig || trust.ok == ANSWER_YES ||
	    !last_keyring_lacks_key(facts, file, rule, sig, &trust))
		return;
	judge_modsig(facts, file, rule, modsig, &appended);
	/* Where the first may be good or not, only a good second one makes it certain */
	if (trust.ok == ANSWER_NO || appended.ok == ANSWER_YES)
		*opinion = appended;
}

static void judge_hash(const struct file_facts *file, const struct ima_rule *rule,
		       const struct signature *modsig, struct opinion *opinion)
{
	const struct hash *hash = hash_by_number(file->xattr.algo);
	const struct digest *digest = hash ? facts_digest(file, hash) : NULL;

	if (rule->type != APPRAISE_HASH)
		opine(opinion, ANSWER_NO, "sign it with evmctl ima_sign",
		      "IMA's policy asks for a signature, and " IMA_XATTR " holds a hash only%s",
		      modsig ? " of the old kind, which hides the appended one" : "");
	else if (digest && !digest->len)
		opine(opinion, ANSWER_UNKNOWN, "use sha256",
		      "libcrypto does not have the algorithm of the hash in " IMA_XATTR);
	else if (!digest || file->xattr_why || file->xattr.len < digest->len ||
		 memcmp(file->xattr.data, digest->value, digest->len))
		opine(opinion, ANSWER_NO, "hash or sign the file that is staged",
		      "the hash in " IMA_XATTR " is not that of the file");
	else
		opine(opinion, ANSWER_YES, "", "%s", "");
}

static void judge_no_xattr(const struct facts *facts, const struct file_facts *file,
			   const struct ima_rule *rule, const struct signature *modsig,
			   struct opinion *opinion)
{
	const struct signature *appended = facts_signature(file, SIG_MODSIG);

	if (modsig)
		judge_modsig(facts, file, rule, modsig, opinion);
	else if (file->xattr_len != -ENODATA && file->xattr_len < 0)
		opine(opinion, ANSWER_UNKNOWN, "try to load it",
		      "its " IMA_XATTR " cannot be read: %s", strerror(-file->xattr_len));
	else if (rule->type == APPRAISE_HASH)
		opine(opinion, ANSWER_NO, "hash it with evmctl ima_hash, or sign it",
		      "IMA's policy asks for a hash or a signature, and there is none");
	else if (appended && rule->type == APPRAISE_MODSIG)
		opine(opinion, ANSWER_NO, "sign it again with sign-file",
		      "IMA's policy asks for a signature, and the appended one %s", appended->why);
	else if (rule->type == APPRAISE_MODSIG)
		opine(opinion, ANSWER_NO, "sign it with evmctl ima_sign or sign-file",
		      "IMA's policy asks for a signature, and there is none");
	else
		opine(opinion, ANSWER_NO, "sign it with evmctl ima_sign",
		      "IMA's policy asks for a signature%s", appended ?
		      " in " IMA_XATTR ", an appended one does not count" : ", and there is none");
}

/* Also the hash algorithm is a matter of policy */
static void judge_algo(const struct file_facts *file, const struct ima_rule *rule,
		       struct opinion *opinion)
{
	const struct hash *hash = file->xattr_len > 0 ? hash_by_number(file->xattr.algo) : NULL;
	struct opinion algo = { .ok = ANSWER_YES };

	if (!rule->algos[0])
		return;
	if (!hash)
		opine(&algo, ANSWER_UNKNOWN, "sign it with evmctl ima_sign",
		      "IMA's policy allows %s only, and which the kernel will use cannot be told",
		      rule->algos);
	else if (!policy_allows_hash(rule, hash->name))
		opine(&algo, ANSWER_NO, "use another one",
		      "IMA's policy does not allow the hash algorithm %s", hash->name);
	also(opinion, &algo);
}

static void judge_rule_kept(const struct facts *facts, const struct file_facts *file,
			    const struct ima_rule *rule, struct opinion *opinion)
{
	const struct signature *modsig = facts_signature(file, SIG_MODSIG);
	const struct digest *digest = &file->digests[0];

	/* One that cannot be parsed is none */
	if (rule->type != APPRAISE_MODSIG || (modsig && !file->modsig.cms))
		modsig = NULL;
	if (rule->type == APPRAISE_IMASIG &&
	    keyrings_refuse(&facts->keyrings, digest->value, digest->len)) {
		opine(opinion, ANSWER_NO, "stage another file", "is on the kernel's blacklist");
		return;
	}
	if (file->xattr_len <= 0)
		judge_no_xattr(facts, file, rule, modsig, opinion);
	else if (file->xattr.kind == IMA_KIND_OTHER)
		opine(opinion, ANSWER_NO, "sign it again",
		      "what is in " IMA_XATTR " is nothing that IMA knows");
	else if (file->xattr.kind == IMA_KIND_HASH && modsig && file->xattr.type == 4)
		judge_modsig(facts, file, rule, modsig, opinion);
	else if (file->xattr.kind == IMA_KIND_HASH)
		judge_hash(file, rule, modsig, opinion);
	else if (file->xattr.kind == IMA_KIND_VERITY)
		opine(opinion, ANSWER_NO, "sign it with evmctl ima_sign",
		      "it has an fs-verity signature, and the stash does not have fs-verity");
	else
		judge_ima_signature(facts, file, rule, modsig, opinion);
	judge_algo(file, rule, opinion);
}

static void judge_ima(const struct facts *facts, const struct file_facts *file,
		      struct opinion *opinion)
{
	const struct security *security = &facts->security;
	struct ima_rule rule;

	opine(opinion, ANSWER_YES, "", "%s", "");
	if (security->ima == ANSWER_NO || security->ima_mode != IMA_MODE_ENFORCE ||
	    is_authenticated_dtb(facts, file))
		return;
	if (!security->policy) {
		opine(opinion, ANSWER_UNKNOWN, "see IMA's policy yourself", "%s",
		      security->policy_why);
		return;
	}
	judge_rule(facts, file, &rule);
	if (rule.type != APPRAISE_NOTHING && security->evm == ANSWER_YES)
		opine(opinion, ANSWER_UNKNOWN, "try to load it",
		      "EVM guards " IMA_XATTR ", and what it will say is not looked into");
	else if (rule.condition[0])
		opine(opinion, ANSWER_UNKNOWN, "see IMA's policy yourself",
		      "IMA's rule has a condition that is not looked into: %s", rule.condition);
	else if (rule.type != APPRAISE_NOTHING)
		judge_rule_kept(facts, file, &rule, opinion);
}

static void judge_digest(const struct file_facts *file, struct opinion *opinion)
{
	if (file->recorded == ANSWER_NO || file->recorded_match == ANSWER_YES)
		opine(opinion, ANSWER_YES, "", "%s", "");
	else if (file->recorded == ANSWER_YES && file->recorded_match == ANSWER_NO)
		opine(opinion, ANSWER_NO, "stage it again", "its digest is not the recorded one");
	else if (file->recorded_match == ANSWER_NO)
		opine(opinion, ANSWER_UNKNOWN, "stage it again",
		      "its digest is not that of boot; it was staged since, or it is damaged");
	else
		opine(opinion, ANSWER_UNKNOWN, "run this as root",
		      "whether a digest is recorded cannot be told");
}

/* The content's own faults, found after signature and digest */
static void judge_content(const struct file_facts *file, struct opinion *opinion)
{
	if (file->broken)
		opine(opinion, ANSWER_NO, "stage another one", "%s", file->broken);
	else
		opine(opinion, ANSWER_YES, "", "%s", "");
}

/* kimage_validate_signature(): lockdown leaves kernels to IMA where that asks for signatures */
static enum answer ima_stands_in(const struct facts *facts)
{
	const struct security *security = &facts->security;

	if (security->ima == ANSWER_NO || security->ima_mode != IMA_MODE_ENFORCE ||
	    facts->keyrings.exists[KEYRING_IMA] == ANSWER_NO)
		return ANSWER_NO;
	if (!security->policy)
		return ANSWER_UNKNOWN;
	return policy_asks_kernel_signature(security->policy) ? ANSWER_YES : ANSWER_NO;
}

/* What a check that is perhaps not made would say */
static void perhaps(enum answer made, const char *why, struct opinion *opinion)
{
	if (made == ANSWER_NO)
		opine(opinion, ANSWER_YES, "", "%s", "");
	else if (made == ANSWER_UNKNOWN && opinion->ok != ANSWER_YES)
		opine(opinion, ANSWER_UNKNOWN, "sign it with sbsign", "%s", why);
}

static void judge_pe(const struct facts *facts, const struct file_facts *file,
		     struct opinion *opinion)
{
	const struct signature *sig = facts_signature(file, SIG_PE);
	enum keyring_id first = facts->keyrings.exists[KEYRING_SECONDARY] == ANSWER_NO ?
				KEYRING_BUILTIN : KEYRING_SECONDARY;
	struct trust trust;

	if (facts->security.pe_signatures == ANSWER_NO) {
		opine(opinion, ANSWER_NO, "build it with CONFIG_KEXEC_IMAGE_VERIFY_SIG",
		      "the kernel knows no signatures of images");
	} else if (!sig) {
		opine(opinion, ANSWER_NO, "sign it with sbsign", "it has no PE signature");
	} else {
		judge_in_two(facts, sig, first, KEYRING_PLATFORM, true, &trust);
		judge_by(sig, &trust, opinion);
	}
}

static void judge_kexec_sig(const struct facts *facts, const struct file_facts *file,
			    struct opinion *opinion)
{
	static const char no_config[] =
		"the kernel does not show whether it insists on a signed image (KEXEC_SIG)";
	const struct security *security = &facts->security;
	struct opinion forced, locked;
	enum answer need_locked = security->lockdown;
	char *why;

	judge_pe(facts, file, &forced);
	locked = forced;
	perhaps(security->kexec_sig_forced, no_config, &forced);
	if (forced.ok == ANSWER_NO) {
		why = xasprintf("KEXEC_SIG is forced: %s", forced.why);
		snprintf(forced.why, WHY_LEN, "%s", why);
		free(why);
	}

	/* Without KEXEC_SIG, lockdown is not asked */
	if (security->kexec_sig == ANSWER_NO || ima_stands_in(facts) == ANSWER_YES)
		need_locked = ANSWER_NO;
	else if (need_locked == ANSWER_YES && (security->kexec_sig == ANSWER_UNKNOWN ||
					       ima_stands_in(facts) == ANSWER_UNKNOWN))
		need_locked = ANSWER_UNKNOWN;
	perhaps(need_locked, "whether lockdown asks for a signature cannot be told", &locked);
	if (locked.ok == ANSWER_NO) {
		why = xasprintf("lockdown asks for a signature, and IMA for none: %s", locked.why);
		snprintf(locked.why, WHY_LEN, "%s", why);
		free(why);
	}
	also(&forced, &locked);
	*opinion = forced;
}

/* No kind of signature but IMA's is checked of a dtb */
static void judge_dtb_alone(const struct facts *facts, struct opinion *opinion)
{
	const struct security *security = &facts->security;
	enum answer asked = ima_stands_in(facts);

	/* Here the kernel looks at enforcement only where it is locked down */
	if (asked == ANSWER_NO && security->policy && security->lockdown == ANSWER_NO &&
	    facts->keyrings.exists[KEYRING_IMA] != ANSWER_NO &&
	    policy_asks_kernel_signature(security->policy))
		asked = ANSWER_YES;
	opine(opinion, ANSWER_YES, "", "%s", "");
	if (asked == ANSWER_YES ||
	    (security->lockdown == ANSWER_NO && security->kexec_sig_forced == ANSWER_NO))
		return;
	if (asked == ANSWER_NO && (security->lockdown == ANSWER_YES ||
				   security->kexec_sig_forced == ANSWER_YES))
		opine(opinion, ANSWER_NO, "have IMA ask for signatures",
		      "signatures are asked for, and without IMA a dtb's cannot be checked");
	else
		opine(opinion, ANSWER_UNKNOWN, "have IMA ask for signatures",
		      "whether a dtb needs a signature cannot be told");
}

void judge_file(const struct facts *facts, const struct file_facts *file, struct opinion *opinion)
{
	struct opinion next;

	opine(opinion, ANSWER_YES, "", "%s", "");
	if (!file->size)
		return;
	if (file->id == KEXEC_STASH_DTB && !is_authenticated_dtb(facts, file))
		judge_dtb_alone(facts, opinion);
	judge_ima(facts, file, &next);
	also(opinion, &next);
	judge_digest(file, &next);
	also(opinion, &next);
	judge_content(file, &next);
	also(opinion, &next);
	if (file->id == KEXEC_STASH_KERNEL) {
		judge_kexec_sig(facts, file, &next);
		also(opinion, &next);
	}
}

static void judge_slot(const struct facts *facts, struct opinion *opinion)
{
	const char *state = facts->slot.state;

	if (facts->security.load_disabled)
		opine(opinion, ANSWER_NO, "only a reboot changes that",
		      "kexec_load_disabled is set");
	else if (!strcmp(state, "running"))
		opine(opinion, ANSWER_NO, "take another slot", "this kernel runs in the slot");
	else if (!facts->file[KEXEC_STASH_KERNEL].size)
		opine(opinion, ANSWER_NO, "stage one first", "there is no kernel in the slot");
	else if (!strcmp(state, "bad"))
		opine(opinion, ANSWER_NO, "see dmesg, and stage it again",
		      "the payload is damaged or incomplete");
	else
		opine(opinion, ANSWER_YES, "", "%s", "");
}

void judge_payload(const struct facts *facts, struct verdict *verdict)
{
	struct opinion opinion;
	int i;

	verdict->about = NULL;
	judge_slot(facts, &verdict->opinion);
	for (i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		enum answer before = verdict->opinion.ok;

		judge_file(facts, &facts->file[i], &opinion);
		also(&verdict->opinion, &opinion);
		if (verdict->opinion.ok != before)
			verdict->about = kexec_stash_file_name(i);
	}
}
