// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Facts and verdict as text and as JSON
 */

#include "verify_print.h"
#include "slot_json.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* "issuer /CN=..., serial 12AB", to be freed */
static char *issuer_string(const struct key_id *id)
{
	char name[128], *serial, *str;
	BIGNUM *bn;

	X509_NAME_oneline(id->issuer, name, sizeof(name));
	bn = ASN1_INTEGER_to_BN(id->serial, NULL);
	serial = bn ? BN_bn2hex(bn) : NULL;
	str = xasprintf("issuer %s, serial %s", name, serial ? serial : "?");
	make_printable(str);
	OPENSSL_free(serial);
	BN_free(bn);
	return str;
}

/* How a key is named, to be freed; NULL if it is not */
static char *key_string(const struct key_id *id)
{
	char str[2 * KEY_ID_LEN + 1];

	if (id->skid_len)
		return xasprintf("%s", hex(id->skid, id->skid_len, str));
	return id->issuer && id->serial ? issuer_string(id) : NULL;
}

/**
 * struct ring_list - the keyrings that hold a key
 * @in: those that do
 * @any: there is one
 * @unknown: there may be others
 */
struct ring_list {
	bool in[NR_KEYRINGS];
	bool any;
	bool unknown;
};

static void list_rings(const struct facts *facts, const struct link *link, struct ring_list *list)
{
	const struct cert *cert = certs_find(&facts->certs, &link->id);
	const struct kernel_key *key;
	struct key_id id = link->id;
	int k;

	memset(list, 0, sizeof(*list));
	if (!id.skid_len && cert)
		key_id_of_cert(&id, cert->x509);
	for (k = 0; k < NR_KEYRINGS; k++) {
		enum answer answer = id.skid_len ?
			keyrings_find(&facts->keyrings, k, &id, &key) : ANSWER_UNKNOWN;

		list->in[k] = answer == ANSWER_YES;
		list->any |= answer == ANSWER_YES;
		list->unknown |= answer == ANSWER_UNKNOWN;
	}
}

static const char *state_word(enum answer answer, const char *yes, const char *no)
{
	return answer == ANSWER_YES ? yes : answer == ANSWER_NO ? no : "cannot tell";
}

/* Text */

/* The first link is the signer, the others are who vouches for it */
static void print_link(const struct facts *facts, const struct link *link, bool signer)
{
	char *key = key_string(&link->id);
	struct ring_list list;
	int k;

	list_rings(facts, link, &list);
	printf("    %s%s\n    keyrings:", signer ? "key:      " : "issuer:   ", key ? key : "none");
	for (k = 0; k < NR_KEYRINGS; k++) {
		if (list.in[k])
			printf(" %s", keyring_name(k));
	}
	puts(list.any ? "" : list.unknown ? " cannot tell" : " none");
	free(key);
}

static void print_signature(const struct facts *facts, const struct signature *sig)
{
	struct trust trust;
	size_t i;

	judge_match(facts, sig, &trust);
	printf("  signature:  %s\n", sig->name);
	printf("    hash:     %s\n", sig->hash ? sig->hash->name : "unknown");
	for (i = 0; i < sig->nr_links; i++)
		print_link(facts, &sig->links[i], !i);
	printf("    check:    %s%s\n", trust.ok == ANSWER_UNKNOWN ? "cannot tell: " : "",
	       trust.why);
}

static void print_recorded(const struct facts *facts, const struct file_facts *file)
{
	const struct kexec_stash_file *rec = &facts->record.rec.file[file->id];
	char str[DIGEST_HEX_LEN];

	if (facts->record.why) {
		printf("  recorded:   cannot tell: %s\n", facts->record.why);
		return;
	}
	if (file->recorded == ANSWER_NO) {
		puts("  recorded:   none");
		return;
	}
	printf("  recorded:   %s %s\n", kexec_stash_hash_name(rec->hash),
	       hex(rec->digest, kexec_stash_hash_len(rec->hash), str));
	printf("    check:    %s\n", file->recorded_match == ANSWER_YES ? "matches" :
	       file->recorded_match == ANSWER_UNKNOWN ? "cannot tell" :
	       file->recorded == ANSWER_YES ? "does not match" :
	       "cannot tell: does not match, if it was not staged since boot");
}

static void print_opinion(const char *indent, const char *about, const struct opinion *opinion)
{
	const char *words = state_word(opinion->ok, "would be adopted", "would be refused");

	printf("%sverdict:%*s%s", indent, 6 - (int)strlen(indent), "", words);
	if (opinion->ok != ANSWER_YES)
		printf(": %s%s%s; %s", about ? about : "", about ? ": " : "", opinion->why,
		       opinion->todo);
	putchar('\n');
}

static void print_xattr(const struct file_facts *file)
{
	char str[DIGEST_HEX_LEN];
	const struct hash *hash;

	if (file->xattr_len < 0 && file->xattr_len != -ENODATA)
		printf("  hash:       " IMA_XATTR " cannot be read: %s\n",
		       strerror(-file->xattr_len));
	if (file->xattr_len < 0)
		return;
	if (file->xattr.kind == IMA_KIND_OTHER)
		puts("  hash:       " IMA_XATTR " holds nothing that IMA knows");
	if (file->xattr.kind != IMA_KIND_HASH)
		return;
	hash = hash_by_number(file->xattr.algo);
	if (file->xattr_why || !hash || file->xattr.len > DIGEST_LEN)
		puts("  hash:       " IMA_XATTR " holds one that is broken");
	else
		printf("  hash:       %s %s in " IMA_XATTR "\n", hash->name,
		       hex(file->xattr.data, file->xattr.len, str));
}

static void print_rule(const struct facts *facts, const struct file_facts *file)
{
	struct ima_rule rule;

	judge_rule(facts, file, &rule);
	if (!facts->security.policy)
		printf("  IMA rule:   cannot tell: %s\n", facts->security.policy_why);
	else if (rule.condition[0])
		printf("  IMA rule:   cannot tell: %s is not looked into\n", rule.condition);
	else
		printf("  IMA rule:   %s\n", rule.text[0] ? rule.text : "none");
}

static void print_file(const struct facts *facts, const struct file_facts *file)
{
	const char *name = kexec_stash_file_name(file->id);
	char str[DIGEST_HEX_LEN], size[HUMAN_SIZE_LEN];
	struct opinion opinion;
	size_t i;

	if (!file->size) {
		printf("%s:%*snone\n", name, 13 - (int)strlen(name), "");
		return;
	}
	printf("%s:%*s%llu bytes (%s)\n", name, 13 - (int)strlen(name), "", file->size,
	       human_size(file->size, size));
	print_recorded(facts, file);
	for (i = 0; i < file->nr_whole; i++) {
		const struct digest *digest = &file->digests[i];

		printf("  digest:     %s %s\n", digest->hash->name, digest->len ?
		       hex(digest->value, digest->len, str) : "cannot be computed");
	}
	print_xattr(file);
	for (i = 0; i < file->nr_sigs; i++)
		print_signature(facts, &file->sigs[i]);
	if (!file->nr_sigs)
		puts("  signature:  none");
	print_rule(facts, file);
	judge_file(facts, file, &opinion);
	print_opinion("  ", NULL, &opinion);
}

static const char *ima_string(const struct security *security)
{
	static const char * const modes[] = {
		[IMA_MODE_ENFORCE] = "enforced",
		[IMA_MODE_LOG] = "not enforced (ima_appraise=log)",
		[IMA_MODE_FIX] = "not enforced (ima_appraise=fix)",
		[IMA_MODE_OFF] = "not enforced (ima_appraise=off)",
	};

	if (security->ima == ANSWER_YES)
		return modes[security->ima_mode];
	return state_word(security->ima, "", "none in this kernel");
}

static const char *kexec_sig_string(const struct security *security)
{
	if (security->kexec_sig != ANSWER_YES)
		return state_word(security->kexec_sig, "", "none in this kernel");
	return state_word(security->kexec_sig_forced, "forced", "not forced");
}

void verify_print_text(const struct facts *facts, const struct verdict *verdict)
{
	const struct security *security = &facts->security;
	int i;

	printf("slot:         %s\n", facts->slot.name);
	printf("state:        %s\n", facts->slot.state);
	printf("origin:       %s\n", facts->slot.origin);
	printf("loading:      %s\n", security->load_disabled ? "disabled" : "allowed");
	printf("lockdown:     %s\n", security->lockdown_mode);
	printf("KEXEC_SIG:    %s%s%s%s\n", kexec_sig_string(security),
	       security->config_from ? " (" : "", security->config_from ?: "",
	       security->config_from ? ")" : "");
	printf("IMA:          %s\n", ima_string(security));
	for (i = 0; i < KEXEC_STASH_NR_FILES; i++)
		print_file(facts, &facts->file[i]);
	print_opinion("", verdict->about, &verdict->opinion);
}

/* JSON */

static struct json_object *answer_json(enum answer answer)
{
	return answer == ANSWER_UNKNOWN ? NULL : json_object_new_boolean(answer == ANSWER_YES);
}

static struct json_object *string_json(const char *str)
{
	return str && str[0] ? json_object_new_string(str) : NULL;
}

static const char *verdict_word(enum answer ok)
{
	return ok == ANSWER_YES ? "adopted" : ok == ANSWER_NO ? "refused" : "unknown";
}

static void add_opinion(struct json_object *obj, const struct opinion *opinion)
{
	json_add(obj, "verdict", json_object_new_string(verdict_word(opinion->ok)));
	json_add(obj, "why", string_json(opinion->why));
	json_add(obj, "todo", string_json(opinion->todo));
}

static struct json_object *link_json(const struct facts *facts, const struct link *link)
{
	struct json_object *obj = json_object_new_object(), *rings = json_object_new_array();
	char *key = key_string(&link->id);
	struct ring_list list;
	int k;

	list_rings(facts, link, &list);
	for (k = 0; k < NR_KEYRINGS; k++) {
		if (list.in[k])
			json_object_array_add(rings, json_object_new_string(keyring_name(k)));
	}
	json_add(obj, "id", string_json(key));
	if (list.unknown && !list.any) {
		json_object_put(rings);
		rings = NULL;
	}
	json_add(obj, "keyrings", rings);
	free(key);
	return obj;
}

static struct json_object *signature_json(const struct facts *facts, const struct signature *sig)
{
	static const char * const kinds[] = {
		[SIG_IMA] = "ima", [SIG_MODSIG] = "modsig", [SIG_PE] = "pe",
	};
	struct json_object *obj = json_object_new_object(), *keys = json_object_new_array();
	struct trust trust;
	size_t i;

	judge_match(facts, sig, &trust);
	for (i = 0; i < sig->nr_links; i++)
		json_object_array_add(keys, link_json(facts, &sig->links[i]));
	json_add(obj, "kind", json_object_new_string(kinds[sig->kind]));
	json_add(obj, "hash", string_json(sig->hash ? sig->hash->name : NULL));
	json_add(obj, "keys", keys);
	json_add(obj, "matches", answer_json(trust.ok));
	json_add(obj, "check", string_json(trust.why));
	return obj;
}

static struct json_object *digest_json(const char *algo, const u8 *value, size_t len)
{
	struct json_object *obj = json_object_new_object();
	char str[DIGEST_HEX_LEN];

	json_add(obj, "algo", json_object_new_string(algo));
	json_add(obj, "value", string_json(hex(value, len, str)));
	return obj;
}

static struct json_object *recorded_json(const struct facts *facts, const struct file_facts *file)
{
	const struct kexec_stash_file *rec = &facts->record.rec.file[file->id];
	struct json_object *obj;

	if (facts->record.why || file->recorded == ANSWER_NO)
		return NULL;
	obj = digest_json(kexec_stash_hash_name(rec->hash), rec->digest,
			  kexec_stash_hash_len(rec->hash));
	json_add(obj, "holds", answer_json(file->recorded));
	json_add(obj, "matches", answer_json(file->recorded_match));
	return obj;
}

static struct json_object *file_json(const struct facts *facts, const struct file_facts *file)
{
	struct json_object *obj, *digests, *sigs;
	struct opinion opinion;
	struct ima_rule rule;
	size_t i;

	if (!file->size)
		return NULL;
	obj = json_object_new_object();
	digests = json_object_new_array();
	sigs = json_object_new_array();
	for (i = 0; i < file->nr_whole; i++)
		json_object_array_add(digests, digest_json(file->digests[i].hash->name,
							   file->digests[i].value,
							   file->digests[i].len));
	for (i = 0; i < file->nr_sigs; i++)
		json_object_array_add(sigs, signature_json(facts, &file->sigs[i]));
	judge_rule(facts, file, &rule);
	judge_file(facts, file, &opinion);
	json_add(obj, "size", json_object_new_uint64(file->size));
	json_add(obj, "recorded", recorded_json(facts, file));
	json_add(obj, "digests", digests);
	json_add(obj, "signatures", sigs);
	json_add(obj, "ima_rule", string_json(rule.text));
	add_opinion(obj, &opinion);
	return obj;
}

void verify_print_json(const struct facts *facts, const struct verdict *verdict)
{
	struct json_object *obj = json_object_new_object();
	int i;

	json_add(obj, "slot", json_object_new_string(facts->slot.name));
	json_add(obj, "state", json_object_new_string(facts->slot.state));
	json_add(obj, "origin", json_object_new_string(facts->slot.origin));
	json_add(obj, "load_disabled", json_object_new_boolean(facts->security.load_disabled));
	json_add(obj, "lockdown", facts->security.lockdown == ANSWER_UNKNOWN ? NULL :
		 json_object_new_string(facts->security.lockdown_mode));
	json_add(obj, "kexec_sig", answer_json(facts->security.kexec_sig));
	json_add(obj, "kexec_sig_forced", answer_json(facts->security.kexec_sig_forced));
	json_add(obj, "ima_enforced", facts->security.ima == ANSWER_UNKNOWN ? NULL :
		 json_object_new_boolean(facts->security.ima == ANSWER_YES &&
					 facts->security.ima_mode == IMA_MODE_ENFORCE));
	for (i = 0; i < KEXEC_STASH_NR_FILES; i++)
		json_add(obj, kexec_stash_file_name(i), file_json(facts, &facts->file[i]));
	json_add(obj, "about", string_json(verdict->about));
	add_opinion(obj, &verdict->opinion);
	json_print(obj);
}
