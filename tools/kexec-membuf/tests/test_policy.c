// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which rule of IMA's policy decides, and which keys the kernel shows
 */

#include "fixture.h"
#include "keyring.h"
#include "policy.h"
#include "security.h"

#include <stdlib.h>
#include <string.h>

struct row {
	const char *policy;
	enum appraise_type type;
	const char *condition;
};

/* A ';' ends a rule; the kernel shows a space and a newline */
static char *make_policy(const char *rules)
{
	char *policy = xmalloc(2 * strlen(rules) + 1), *p = policy;

	for (; *rules; rules++) {
		if (*rules == ';') {
			*p++ = ' ';
			*p++ = '\n';
		} else {
			*p++ = *rules;
		}
	}
	*p = '\0';
	return policy;
}

static void first_rule_that_fits_decides(void **state)
{
	static const struct ima_file kernel = { .func = "KEXEC_KERNEL_CHECK", .fowner = 7 };
	static const struct row rows[] = {
		{ "", APPRAISE_NOTHING, "" },
		{ ";;", APPRAISE_NOTHING, "" },
		{ "appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig;", APPRAISE_IMASIG, "" },
		{ "appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig|modsig;",
		  APPRAISE_MODSIG, "" },
		{ "appraise func=KEXEC_KERNEL_CHECK appraise_type=sigv3;", APPRAISE_SIGV3, "" },
		{ "appraise func=KEXEC_KERNEL_CHECK appraise_type=sigv3 digest_type=verity;",
		  APPRAISE_VERITY, "" },
		{ "appraise func=KEXEC_KERNEL_CHECK;", APPRAISE_HASH, "" },
		{ "appraise;", APPRAISE_HASH, "" },
		{ "appraise func=KEXEC_INITRAMFS_CHECK appraise_type=imasig;",
		  APPRAISE_NOTHING, "" },
		{ "measure func=KEXEC_KERNEL_CHECK pcr=11;", APPRAISE_NOTHING, "" },
		{ "measure func=KEXEC_KERNEL_CHECK;appraise appraise_type=imasig template=ima-sig;",
		  APPRAISE_IMASIG, "" },
		{ "dont_appraise func=KEXEC_KERNEL_CHECK;appraise appraise_type=imasig;",
		  APPRAISE_NOTHING, "" },
		{ "appraise appraise_type=imasig;dont_appraise func=KEXEC_KERNEL_CHECK;",
		  APPRAISE_IMASIG, "" },
		/* The stash's own magic, another one */
		{ "dont_appraise fsmagic=0x6b737468;appraise appraise_type=imasig;",
		  APPRAISE_NOTHING, "" },
		{ "dont_appraise fsmagic=0x1021994;appraise appraise_type=imasig;",
		  APPRAISE_IMASIG, "" },
		{ "dont_appraise fsname=kexec_stash;appraise;", APPRAISE_NOTHING, "" },
		{ "dont_appraise fsname=ext4;appraise;", APPRAISE_HASH, "" },
		{ "appraise mask=MAY_READ;", APPRAISE_HASH, "" },
		{ "appraise mask=^MAY_READ;", APPRAISE_HASH, "" },
		{ "appraise mask=MAY_EXEC;", APPRAISE_NOTHING, "" },
		{ "appraise fowner=7;", APPRAISE_HASH, "" },
		{ "appraise fowner=0;", APPRAISE_NOTHING, "" },
		{ "appraise fowner>6;", APPRAISE_HASH, "" },
		{ "appraise fowner<7;", APPRAISE_NOTHING, "" },
		{ "appraise uid=0 gid<1 euid=0 egid=0 fgroup=0;", APPRAISE_HASH, "" },
		{ "appraise uid>0;", APPRAISE_NOTHING, "" },
		/* What is not known is said, unless the rule does not fit anyhow */
		{ "appraise fsuuid=12345678-1234-1234-1234-123456789abc;", APPRAISE_HASH,
		  "fsuuid=12345678-1234-1234-1234-123456789abc" },
		{ "appraise func=MODULE_CHECK fsuuid=12345678-1234-1234-1234-123456789abc;",
		  APPRAISE_NOTHING, "" },
		{ "dont_appraise obj_type=usr_t;appraise appraise_type=imasig;",
		  APPRAISE_IMASIG, "obj_type=usr_t" },
		{ "appraise appraise_type=tomorrow;", APPRAISE_HASH, "appraise_type=tomorrow" },
		/* No end of line */
		{ "appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig", APPRAISE_IMASIG, "" },
	};
	struct ima_rule rule;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char *policy = make_policy(rows[i].policy);

		policy_find_rule(policy, &kernel, &rule);
		if (rule.type != rows[i].type || strcmp(rule.condition, rows[i].condition))
			fail_msg("%s: type %d, condition '%s'", rows[i].policy, rule.type,
				 rule.condition);
		free(policy);
	}
}

static void lockdown_looks_at_func_alone(void **state)
{
	static const struct {
		const char *rules;
		bool asks;
	} rows[] = {
		{ "", false },
		{ "appraise func=KEXEC_KERNEL_CHECK fowner=1000 appraise_type=imasig;", true },
		{ "dont_appraise fsmagic=0x6b737468;appraise appraise_type=imasig|modsig;", true },
		{ "appraise fowner=0;appraise appraise_type=imasig;", false },
		{ "appraise func=KEXEC_INITRAMFS_CHECK appraise_type=imasig;", false },
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		char *policy = make_policy(rows[i].rules);

		if (policy_asks_kernel_signature(policy) != rows[i].asks)
			fail_msg("%s", policy);
		free(policy);
	}
}

static void algorithms_are_whole_words(void **state)
{
	struct ima_rule rule = { .algos = "sha3-256,sha512" };

	(void)state;
	assert_true(policy_allows_hash(&rule, "sha512"));
	assert_true(policy_allows_hash(&rule, "sha3-256"));
	assert_false(policy_allows_hash(&rule, "sha51"));
	assert_false(policy_allows_hash(&rule, "256"));
	rule.algos[0] = '\0';
	assert_true(policy_allows_hash(&rule, "md5"));
}

/* Lines of /proc/keys */
#define KEY(serial, flags, timeout, name) \
	"000000" serial " " flags "     1 " timeout " 1f030000     0     0 asymmetri " name "\n"
#define IMA	"00000001 I------     1 perm 1f0f0000     0     0 keyring   .ima: 2\n"

static enum answer find(const char *keys, u32 tail, const char **why)
{
	const struct kernel_key *key;
	struct keyrings keyrings;
	struct key_id id = {
		.skid = { tail >> 24, tail >> 16, tail >> 8, tail }, .skid_len = 4,
	};
	enum answer answer;

	put_text("proc/keys", keys);
	keyrings_read(test_root, &keyrings);
	answer = keyrings_find(&keyrings, KEYRING_IMA, &id, &key);
	*why = keyrings.why[KEYRING_IMA];
	keyrings_free(&keyrings);
	return answer;
}

static void keys_are_found_by_the_end_of_their_identifier(void **state)
{
	static const char * const lines[] = {
		KEY("0a", "I------", "perm", "CA: x: 00aabbccdd: X509.rsa aabbccdd []"),
		KEY("0a", "I--Q---", "  4d", "own name: X509.rsa aabbccdd []"),
		KEY("0a", "I------", "perm", ": X509.ecdsa-nist-p256 aabbccdd []"),
	};
	static const char * const not_there[] = {
		KEY("0b", "I------", "perm", "CA: 00aabbccdd: X509.rsa aabbccdd []"),
		KEY("0a", "IR-----", "perm", "CA: 00aabbccdd: X509.rsa aabbccdd []"),
		KEY("0a", "I-----i", "perm", "CA: 00aabbccdd: X509.rsa aabbccdd []"),
		KEY("0a", "I------", "expd", "CA: 00aabbccdd: X509.rsa aabbccdd []"),
		/* A name may be anything */
		KEY("0a", "I------", "perm", "X509.rsa aabbccdd []: X509.rsa 11223344 []"),
		KEY("0a", "I------", "perm", "CA: 00aabbccdd: X509.rsa []"),
		"0000000a I------     1 perm 1f030000     0     0 user      x: X509.rsa aabbccdd []\n",
		"0000000a I------     1 perm\n",
		"\n",
	};
	const char *why;
	size_t i;
	char *keys;

	(void)state;
	put_keyring(1, 10, 0);
	for (i = 0; i < ARRAY_SIZE(lines) + ARRAY_SIZE(not_there); i++) {
		bool there = i < ARRAY_SIZE(lines);

		keys = xasprintf("%s%s", IMA, there ? lines[i] : not_there[i - ARRAY_SIZE(lines)]);
		if (find(keys, 0xaabbccdd, &why) != (there ? ANSWER_YES : ANSWER_NO))
			fail_msg("%s", keys);
		assert_int_equal(find(keys, 0xaabbccde, &why), ANSWER_NO);
		free(keys);
	}
}

static void keyrings_in_keyrings_are_searched(void **state)
{
	static const char keys[] = IMA
		"00000002 I------     1 perm 1f0f0000     0     0 keyring   .ring: 1\n"
		KEY("0a", "I------", "perm", "CA: X509.rsa aabbccdd []");
	const char *why;

	(void)state;
	put_keyring(1, 2, 0);
	put_keyring(2, 10, 0);
	assert_int_equal(find(keys, 0xaabbccdd, &why), ANSWER_YES);
	/* In a circle, too */
	put_keyring(2, 1, 0);
	assert_int_equal(find(keys, 0xaabbccdd, &why), ANSWER_NO);
}

static void what_cannot_be_read_is_said(void **state)
{
	const char *why;

	(void)state;
	assert_int_equal(find(IMA, 1, &why), ANSWER_UNKNOWN);
	assert_string_equal(why, "it may not be read");
	assert_int_equal(find("", 1, &why), ANSWER_NO);
	fake.euid = 1000;
	assert_int_equal(find("", 1, &why), ANSWER_UNKNOWN);
	assert_string_equal(why, "only root may see it");
}

static void longer_identifiers_must_be_the_same(void **state)
{
	static const char keys[] = IMA
		KEY("0a", "I------", "perm", "CA: 0011aabbccdd: X509.rsa aabbccdd []");
	struct key_id id = {
		.skid = { 0x00, 0x12, 0xaa, 0xbb, 0xcc, 0xdd }, .skid_len = 6,
	};
	const struct kernel_key *key;
	struct keyrings keyrings;

	(void)state;
	put_keyring(1, 10, 0);
	put_text("proc/keys", keys);
	keyrings_read(test_root, &keyrings);
	assert_int_equal(keyrings_find(&keyrings, KEYRING_IMA, &id, &key), ANSWER_NO);
	id.skid[1] = 0x11;
	assert_int_equal(keyrings_find(&keyrings, KEYRING_IMA, &id, &key), ANSWER_YES);
	assert_int_equal(key->serial, 10);
	keyrings_free(&keyrings);
}

static void security_of_a_kernel_is_read(void **state)
{
	struct security security;

	(void)state;
	put_text("sys/kernel/security/lsm", "lockdown");
	put_text("proc/config.gz", "\nCONFIG_KEXEC_SIG=y\n# CONFIG_KEXEC_SIG_FORCE is not set\n"
		 "CONFIG_IMA_ARCH_POLICY=y\n");
	security_read(test_root, &security);
	assert_int_equal(security.lockdown, ANSWER_NO);
	assert_int_equal(security.ima, ANSWER_NO);
	assert_int_equal(security.kexec_sig, ANSWER_YES);
	assert_int_equal(security.kexec_sig_forced, ANSWER_NO);
	assert_int_equal(security.pe_signatures, ANSWER_NO);
	security_free(&security);
	/* Secure boot may force it */
	put_text("sys/firmware/efi/x", "");
	put_text("sys/kernel/security/lockdown", "none integrity [confidentiality]\n");
	security_read(test_root, &security);
	assert_int_equal(security.kexec_sig_forced, ANSWER_UNKNOWN);
	assert_int_equal(security.lockdown, ANSWER_YES);
	assert_string_equal(security.lockdown_mode, "confidentiality");
	security_free(&security);
}

static void missing_securityfs_is_said(void **state)
{
	struct security security;

	(void)state;
	security_read(test_root, &security);
	assert_int_equal(security.lockdown, ANSWER_UNKNOWN);
	assert_null(security.policy);
	assert_string_equal(security.policy_why,
			    "/sys/kernel/security is not there; mount securityfs");
	security_free(&security);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		fixture_test(first_rule_that_fits_decides),
		fixture_test(lockdown_looks_at_func_alone),
		fixture_test(algorithms_are_whole_words),
		fixture_test(keys_are_found_by_the_end_of_their_identifier),
		fixture_test(keyrings_in_keyrings_are_searched),
		fixture_test(what_cannot_be_read_is_said),
		fixture_test(longer_identifiers_must_be_the_same),
		fixture_test(security_of_a_kernel_is_read),
		fixture_test(missing_securityfs_is_said),
	};

	return cmocka_run_group_tests_name("kexec-membuf policy and keys", tests, NULL, NULL);
}
