// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * verify: signatures made by the programs that people sign with, in front of kernels that ask for
 * different things
 */

#include "fixture.h"
#include "signing.h"
#include "command.h"

#include <json-c/json.h>
#include <libfdt.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIGN_FILE	"../../build/linux/scripts/sign-file"

#define IMASIG		"appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig\n"
#define MODSIG		"appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig|modsig\n"
#define INITRD_IMASIG	"appraise func=KEXEC_INITRAMFS_CHECK appraise_type=imasig\n"
#define ANY		"appraise func=KEXEC_KERNEL_CHECK\n"

#define RING(serial, name) \
	"0000000" serial " I------     1 perm 1f0f0000     0     0 keyring   " name ": 1\n"
#define KEY(serial) \
	"000000" serial " I--Q---  1 perm 39010000     0     0 asymmetri %s: %s: X509.rsa %s []\n"

static void put_keys(const char *ima_key, const char *ima_skid, const char *ca_skid)
{
	static const char format[] = RING("1", ".ima") RING("2", ".builtin_trusted_keys")
		RING("3", ".secondary_trusted_keys") RING("4", ".platform") KEY("10") KEY("20");
	char *text = xasprintf(format, ima_key, ima_skid, ima_skid + 32, "test ca", ca_skid,
			       ca_skid + 32);

	put_text("proc/keys", text);
	free(text);
	put_keyring(1, 0x10, 0);
	put_keyring(2, 0x20, 0);
	put_keyring(3, 2, 0);
	put_keyring(4, 0);
}

static void put_kernel_keys(void)
{
	char *signer = signing_skid("signer.pem"), *ca = signing_skid("ca.pem");

	put_keys("test signer", signer, ca);
	free(signer);
	free(ca);
}

/* A kernel that has all this and asks for nothing */
static void put_kernel(void)
{
	put_kernel_keys();
	put_text("proc/config.gz", "\nCONFIG_KEXEC_SIG=y\nCONFIG_KEXEC_IMAGE_VERIFY_SIG=y\n"
		 "CONFIG_IMA_APPRAISE=y\nCONFIG_IMA_APPRAISE_BOOTPARAM=y\n");
	put_text("sys/kernel/security/lsm", "lockdown,integrity");
	put_text("sys/kernel/security/lockdown", "[none] integrity confidentiality\n");
	put_text("sys/kernel/security/ima/policy", "");
}

#define IMA_SIGNATURE	"IMA signature, version 2, in security.ima"
#define ADD_KEY		"add the key, or sign with one that is there"
#define SIGN_AGAIN	"sign the file that is staged"
#define GIVE_CERT	"give its certificate with --cert"

static void put_policy(const char *policy)
{
	put_text("sys/kernel/security/ima/policy", policy);
}

static void put_file(const char *file, const char *from)
{
	size_t size;
	void *data = signing_get(from, &size);
	char *path = xasprintf("sys/fs/kexec/a/%s", file);

	put_data(path, data, size);
	free(path);
	free(data);
}

/* Slot "a", of user space's making, with a kernel and nothing else */
static void put_payload(const char *kernel)
{
	put_slot("a", "staged");
	put_text("sys/fs/kexec/a/origin", "runtime\n");
	put_file("kernel", kernel);
}

static void sign_xattr(const char *file, const char *from, const char *key)
{
	size_t size;
	void *sig;

	sh("evmctl ima_sign --sigfile --hashalgo sha256 --key %s.key %s", key, from);
	sh("mv %s.sig xattr", from);
	sig = signing_get("xattr", &size);
	put_xattr("a", file, sig, size);
	free(sig);
}

static int setup(void **state)
{
	if (fixture_setup(state))
		return -1;
	put_kernel();
	return 0;
}

static void assert_line(const char *line)
{
	char *whole = xasprintf("\n%s\n", line);

	if (!strstr(out, whole))
		fail_msg("no line '%s' in:\n%s%s", line, out, err);
	free(whole);
}

static void assert_adopted(void)
{
	assert_line("verdict:      would be adopted");
	assert_int_equal(status, STATUS_DONE);
	assert_string_equal(err, "");
}

/* "<words>: <about>: <why>; <todo>" */
static void assert_verdict(const char *words, const char *about, const char *why, const char *todo)
{
	char *line = xasprintf("verdict:      %s: %s%s%s; %s", words, about ? about : "",
			       about ? ": " : "", why, todo);

	assert_line(line);
	assert_int_equal(status, STATUS_FAILED);
	free(line);
}

static void assert_refused(const char *about, const char *why, const char *todo)
{
	assert_verdict("would be refused", about, why, todo);
}

static void assert_unknown(const char *about, const char *why, const char *todo)
{
	assert_verdict("cannot tell", about, why, todo);
}

/* The same, up to the name of the certificate */
static void assert_mismatch(const char *what)
{
	char *line = xasprintf("\nverdict:      would be refused: kernel: %s does not match", what);

	if (!strstr(out, line))
		fail_msg("no '%s' in:\n%s", line, out);
	assert_int_equal(status, STATUS_FAILED);
	free(line);
}

static void verify(const char *cert)
{
	char *path = xasprintf("%s", cert ? signing_path(cert) : "");

	if (cert)
		run("verify", "a", "--cert", path, NULL);
	else
		run("verify", "a", NULL);
	free(path);
}

/* No rules */

static void nothing_asked_is_adopted(void **state)
{
	(void)state;
	put_payload("image");
	verify(NULL);
	assert_line("lockdown:     none");
	assert_line("KEXEC_SIG:    not forced (/proc/config.gz)");
	assert_line("IMA:          enforced");
	assert_line("  recorded:   none");
	assert_line("  signature:  none");
	assert_line("  IMA rule:   none");
	assert_line("initrd:       none");
	assert_adopted();
}

static void digest_is_that_of_the_file(void **state)
{
	char *line, *digest;
	size_t size;

	(void)state;
	put_payload("image");
	sh("sha256sum image | cut -c 1-64 | tr -d '\\n' > digest");
	digest = signing_get("digest", &size);
	assert_int_equal(size, 64);
	line = xasprintf("  digest:     sha256 %.64s", digest);
	verify(NULL);
	assert_line(line);
	free(line);
	free(digest);
}

static void large_file_is_read_in_chunks(void **state)
{
	char *line, *digest;
	size_t size;

	(void)state;
	put_payload("image");
	sh("head -c 3000001 /dev/urandom > large; sha256sum large | cut -c 1-64 > digest");
	put_file("initrd", "large");
	digest = signing_get("digest", &size);
	line = xasprintf("  digest:     sha256 %.64s", digest);
	verify(NULL);
	assert_line("initrd:       3000001 bytes (2.9M)");
	assert_line(line);
	free(line);
	free(digest);
}

/* The slot */

static void states_that_cannot_be_loaded_are_refused(void **state)
{
	(void)state;
	put_slot("a", "empty");
	verify(NULL);
	assert_refused(NULL, "there is no kernel in the slot", "stage one first");
	put_payload("image");
	put_text("sys/fs/kexec/a/state", "running\n");
	verify(NULL);
	assert_refused(NULL, "this kernel runs in the slot", "take another slot");
	put_text("sys/fs/kexec/a/state", "bad\n");
	verify(NULL);
	assert_refused(NULL, "the payload is damaged or incomplete",
		       "see dmesg, and stage it again");
	put_text("sys/fs/kexec/a/state", "staged\n");
	put_text("proc/sys/kernel/kexec_load_disabled", "1\n");
	verify(NULL);
	assert_line("loading:      disabled");
	assert_refused(NULL, "kexec_load_disabled is set", "only a reboot changes that");
}

static void something_else_than_a_kernel_is_refused(void **state)
{
	(void)state;
	put_payload("signer.pem");
	verify(NULL);
	assert_refused("kernel", "is not an arm64 Image", "stage another one");
}

/* The record */

static void image_sha256(u8 *digest)
{
	size_t size;
	u8 *bytes;

	sh("openssl dgst -sha256 -binary image > digest");
	bytes = signing_get("digest", &size);
	assert_int_equal(size, 32);
	memcpy(digest, bytes, size);
	free(bytes);
}

static void put_record(const char *file, u32 claimed_size, bool flip)
{
	struct kexec_stash_record rec = {
		.label = "a", .base = 0x50000000, .size = 0x8000000,
	};
	enum kexec_stash_file_id id = strcmp(file, "kernel") ? KEXEC_STASH_INITRD :
							       KEXEC_STASH_KERNEL;
	void *fdt = xmalloc(8192);

	image_sha256(rec.file[id].digest);
	rec.file[id].digest[0] ^= flip;
	rec.file[id].size = claimed_size;
	rec.file[id].hash = KEXEC_STASH_SHA256;
	assert_int_equal(fdt_create_empty_tree(fdt, 8192), 0);
	fdt_setprop_u32(fdt, 0, "#address-cells", 2);
	fdt_setprop_u32(fdt, 0, "#size-cells", 2);
	assert_int_equal(kexec_stash_record_write(fdt, &rec), 0);
	put_data("sys/firmware/fdt", fdt, fdt_totalsize(fdt));
	free(fdt);
}

static void recorded_digest_is_compared(void **state)
{
	(void)state;
	put_payload("image");
	put_text("sys/fs/kexec/a/origin", "firmware\n");
	put_record("kernel", IMAGE_SIZE, false);
	verify(NULL);
	assert_line("    check:    matches");
	assert_adopted();
	put_record("kernel", IMAGE_SIZE, true);
	verify(NULL);
	assert_line("    check:    does not match");
	assert_refused("kernel", "its digest is not the recorded one", "stage it again");
}

static void record_of_a_file_staged_since_does_not_count(void **state)
{
	(void)state;
	put_payload("image");
	/* Another size than at boot */
	put_record("kernel", 0x4000, true);
	verify(NULL);
	assert_line("  recorded:   none");
	assert_adopted();
	/* The same size, the slot was written to: it matches or it does not count */
	put_record("kernel", IMAGE_SIZE, false);
	verify(NULL);
	assert_adopted();
	put_record("kernel", IMAGE_SIZE, true);
	verify(NULL);
	assert_unknown("kernel",
		       "its digest is not that of boot; it was staged since, or it is damaged",
		       "stage it again");
}

static void unreadable_record_is_said(void **state)
{
	(void)state;
	put_payload("image");
	verify(NULL);
	assert_line("  recorded:   none");
	put_text("sys/firmware/fdt", "no tree");
	verify(NULL);
	assert_line("  recorded:   cannot tell: /sys/firmware/fdt is no device tree");
	assert_unknown("kernel", "whether a digest is recorded cannot be told", "run this as root");
}

/* security.ima */

static void unsigned_kernel_is_refused(void **state)
{
	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	verify("signer.pem");
	assert_line("  IMA rule:   appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig");
	assert_refused("kernel", "IMA's policy asks for a signature, and there is none",
		       "sign it with evmctl ima_sign");
}

static void evmctl_signature_is_adopted(void **state)
{
	char *skid = signing_skid("signer.pem");
	char *line = xasprintf("    key:      %s", skid + 32);

	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	verify("signer.pem");
	assert_line("  signature:  IMA signature, version 2, in security.ima");
	assert_line("    hash:     sha256");
	assert_line(line);
	assert_line("    keyrings: .ima");
	assert_adopted();
	verify("signer.der");
	assert_adopted();
	free(line);
	free(skid);
}

static void without_certificate_the_kernel_is_asked(void **state)
{
	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	verify(NULL);
	assert_int_equal(fake.verify_key, 0x10);
	assert_string_equal(fake.verify_info, "enc=pkcs1 hash=sha256");
	assert_line("    check:    cannot tell: can only be checked with the certificate");
	assert_unknown("kernel",
		       "IMA signature, version 2, in security.ima can only be checked with the certificate",
		       GIVE_CERT);
	fake.verify_ret = 0;
	verify(NULL);
	assert_line("    check:    matches, by the kernel's key");
	assert_adopted();
	fake.verify_ret = -EKEYREJECTED;
	verify(NULL);
	assert_line("    check:    does not match, by the kernel's key");
	assert_int_equal(status, STATUS_FAILED);
}

static void certificate_of_another_key_tells_nothing(void **state)
{
	char *signer = signing_skid("signer.pem"), *ca = signing_skid("ca.pem");

	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	/* The kernel's is one whose identifier only ends in the same way */
	signer[0] = signer[0] == '0' ? '1' : '0';
	put_keys("test signer", signer, ca);
	verify("signer.pem");
	assert_line("    keyrings: .ima");
	assert_unknown("kernel", IMA_SIGNATURE " can only be checked with the certificate",
		       GIVE_CERT);
	free(signer);
	free(ca);
}

static void flipped_bit_is_refused(void **state)
{
	u8 *data;
	size_t size;

	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	data = signing_get("image", &size);
	data[size - 1] ^= 1;
	put_data("sys/fs/kexec/a/kernel", data, size);
	free(data);
	verify("signer.pem");
	assert_mismatch("IMA signature, version 2, in security.ima");
}

static void signature_by_a_stranger_is_refused(void **state)
{
	char *skid = signing_skid("stranger.pem");
	char *why = xasprintf("key %s is not in .ima nor in .platform", skid + 32);

	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "stranger");
	verify("stranger.pem");
	assert_line("    keyrings: none");
	assert_refused("kernel", why, ADD_KEY);
	free(why);
	free(skid);
}

static void truncated_signature_is_refused(void **state)
{
	size_t size;
	void *sig;

	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	sig = signing_get("xattr", &size);
	put_xattr("a", "kernel", sig, size - 1);
	verify("signer.pem");
	assert_refused("kernel", "IMA signature, version 2, in security.ima is truncated",
		       SIGN_AGAIN);
	free(sig);
}

static void key_that_expired_is_none(void **state)
{
	char *keys;

	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	keys = xmalloc(4096);
	keys[read_at(test_root, "proc/keys", keys, 4095)] = '\0';
	memcpy(strstr(keys, "00000010 I--Q---  1 perm") + 20, "expd", 4);
	put_text("proc/keys", keys);
	free(keys);
	verify("signer.pem");
	assert_line("    keyrings: none");
	assert_int_equal(status, STATUS_FAILED);
}

static void key_in_platform_counts_for_kernels_only(void **state)
{
	(void)state;
	put_payload("image");
	put_file("initrd", "image");
	put_policy(IMASIG INITRD_IMASIG);
	put_keyring(1, 0);
	put_keyring(4, 0x10, 0);
	sign_xattr("kernel", "image", "signer");
	sign_xattr("initrd", "image", "signer");
	verify("signer.pem");
	assert_line("    keyrings: .platform");
	assert_line("  verdict:    would be adopted");
	assert_non_null(strstr(out, "\nverdict:      would be refused: initrd: key "));
	assert_non_null(strstr(out, " is not in .ima; add the key"));
}

static void key_in_platform_counts_only_for_a_rule_on_kernels(void **state)
{
	(void)state;
	put_payload("image");
	put_keyring(1, 0);
	put_keyring(4, 0x10, 0);
	sign_xattr("kernel", "image", "signer");
	put_policy("appraise appraise_type=imasig\n");
	verify("signer.pem");
	assert_non_null(strstr(out, " is not in .ima; add the key"));
	assert_int_equal(status, STATUS_FAILED);
	put_policy(IMASIG);
	verify("signer.pem");
	assert_adopted();
}

static void hash_satisfies_only_a_rule_that_asks_for_no_signature(void **state)
{
	u8 xattr[2 + 32] = { 4, 4 };

	(void)state;
	put_payload("image");
	image_sha256(xattr + 2);
	put_xattr("a", "kernel", xattr, sizeof(xattr));
	put_policy(ANY);
	verify(NULL);
	assert_adopted();
	put_policy(IMASIG);
	verify(NULL);
	assert_refused("kernel",
		       "IMA's policy asks for a signature, and security.ima holds a hash only",
		       "sign it with evmctl ima_sign");
	xattr[5] ^= 1;
	put_xattr("a", "kernel", xattr, sizeof(xattr));
	put_policy(ANY);
	verify(NULL);
	assert_refused("kernel", "the hash in security.ima is not that of the file",
		       "hash or sign the file that is staged");
}

static void hash_algorithm_must_be_allowed(void **state)
{
	(void)state;
	put_payload("image");
	sign_xattr("kernel", "image", "signer");
	put_policy("appraise appraise_algos=sha384,sha512 appraise_type=imasig\n");
	verify("signer.pem");
	assert_refused("kernel", "IMA's policy does not allow the hash algorithm sha256",
		       "use another one");
	put_policy("appraise appraise_algos=sha256,sha512 appraise_type=imasig\n");
	verify("signer.pem");
	assert_adopted();
}

static void policy_that_is_not_enforced_refuses_nothing(void **state)
{
	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	put_text("proc/cmdline", "quiet ima_appraise=log\n");
	verify(NULL);
	assert_line("IMA:          not enforced (ima_appraise=log)");
	assert_adopted();
}

static void what_is_not_looked_into_is_said(void **state)
{
	(void)state;
	put_payload("image");
	put_policy("dont_appraise obj_type=usr_t\n" IMASIG);
	verify(NULL);
	assert_unknown("kernel",
		       "IMA's rule has a condition that is not looked into: obj_type=usr_t",
		       "see IMA's policy yourself");
	put_policy(IMASIG);
	put_text("sys/kernel/security/evm", "1");
	verify(NULL);
	assert_unknown("kernel", "EVM guards security.ima, and what it will say is not looked into",
		       "try to load it");
	remove_path("sys/kernel/security/ima/policy");
	verify(NULL);
	assert_unknown("kernel", "IMA's policy is not shown by this kernel",
		       "see IMA's policy yourself");
}

/* Appended signatures */

static void append_with_openssl(const char *file, const char *key, const char *more)
{
	sh("cp image %s", file);
	sh(CMS_SIGN " -noattr -md sha512 -signer %s.pem -inkey %s.key -out message %s", key, key,
	   more);
	signing_append(file, "message");
}

static void appended_signature_is_adopted(void **state)
{
	(void)state;
	append_with_openssl("appended", "signer", "-nocerts");
	put_payload("appended");
	put_policy(MODSIG);
	verify("signer.pem");
	assert_line("  signature:  appended signature (PKCS#7)");
	assert_line("    hash:     sha512");
	assert_line("    keyrings: .ima");
	assert_adopted();
	/* The kernel does not show issuers */
	verify(NULL);
	assert_unknown("kernel",
		       "appended signature (PKCS#7) names its key by issuer and serial number, which the kernel does not show",
		       GIVE_CERT);
}

static void appended_signature_can_name_its_key(void **state)
{
	char *skid = signing_skid("signer.pem");
	char *line = xasprintf("    key:      %s", skid);

	(void)state;
	append_with_openssl("appended", "signer", "-nocerts -keyid");
	put_payload("appended");
	put_policy(MODSIG);
	verify("signer.pem");
	assert_line(line);
	assert_adopted();
	free(line);
	free(skid);
}

static void appended_signature_is_adopted_by_who_vouches_for_it(void **state)
{
	char *ca = signing_skid("ca.pem");

	(void)state;
	/* The authority itself is in .ima, and the message carries the signer's certificate */
	put_keys("test ca", ca, ca);
	append_with_openssl("appended", "signer", "");
	put_payload("appended");
	put_policy(MODSIG);
	verify("ca.pem");
	assert_line("    keyrings: none");
	assert_line("    keyrings: .ima .builtin_trusted_keys .secondary_trusted_keys");
	assert_adopted();
	free(ca);
}

static void sign_file_signature_is_adopted(void **state)
{
	char *path = realpath(SIGN_FILE, NULL);

	(void)state;
	if (!path) {
		print_message("no sign-file: build Linux first\n");
		skip();
	}
	sh("%s sha256 signer.key signer.pem image signed", path);
	free(path);
	put_payload("signed");
	put_policy(MODSIG);
	verify("signer.pem");
	assert_adopted();
}

static void appended_signature_counts_only_where_the_rule_says_so(void **state)
{
	(void)state;
	append_with_openssl("appended", "signer", "-nocerts");
	put_payload("appended");
	put_policy(IMASIG);
	verify("signer.pem");
	assert_refused("kernel",
		       "IMA's policy asks for a signature in security.ima, an appended one does not count",
		       "sign it with evmctl ima_sign");
}

static void broken_appended_signatures_are_refused(void **state)
{
	char *skid, *why;
	size_t size;
	u8 *data;

	(void)state;
	put_policy(MODSIG);
	append_with_openssl("appended", "signer", "-nocerts");
	data = signing_get("appended", &size);
	data[0x4000] ^= 1;
	put_payload("image");
	put_data("sys/fs/kexec/a/kernel", data, size);
	verify("signer.pem");
	assert_mismatch("appended signature (PKCS#7)");
	/* A message that is no message is none at all */
	data[0x4000] ^= 1;
	data[IMAGE_SIZE] ^= 0xff;
	put_data("sys/fs/kexec/a/kernel", data, size);
	verify("signer.pem");
	assert_line("    check:    is no PKCS#7 message");
	assert_refused("kernel",
		       "IMA's policy asks for a signature, and the appended one is no PKCS#7 message",
		       "sign it again with sign-file");
	free(data);

	append_with_openssl("appended", "stranger", "-nocerts");
	put_file("kernel", "appended");
	verify("stranger.pem");
	skid = signing_skid("stranger.pem");
	why = xasprintf("key %s is not in .ima nor in .platform", skid);
	assert_refused("kernel", why, ADD_KEY);
	free(why);
	free(skid);
}

static void appended_signature_with_attributes_is_refused(void **state)
{
	(void)state;
	sh("cp image appended");
	sh(CMS_SIGN " -nocerts -signer signer.pem -inkey signer.key -out message");
	signing_append("appended", "message");
	put_payload("appended");
	put_policy(MODSIG);
	verify("signer.pem");
	assert_refused("kernel",
		       "appended signature (PKCS#7) has signed attributes, which the kernel does not take here",
		       SIGN_AGAIN);
}

static void appended_signature_stands_in_for_an_unknown_key(void **state)
{
	(void)state;
	append_with_openssl("appended", "signer", "-nocerts");
	put_payload("appended");
	sign_xattr("kernel", "appended", "stranger");
	put_policy(MODSIG);
	verify("signer.pem");
	assert_adopted();
	/* A kernel's is looked for in .platform last, and that is what counts then */
	sign_xattr("kernel", "image", "signer");
	verify("signer.pem");
	assert_adopted();
	/* But not for a bad signature by a key that is there, too */
	put_keyring(4, 0x10, 0);
	verify("signer.pem");
	assert_non_null(strstr(out, "security.ima does not match, by /"));
	assert_int_equal(status, STATUS_FAILED);
}

static void digest_on_the_blacklist_is_refused(void **state)
{
	char *keys = xmalloc(8192), *digest;
	size_t size;
	ssize_t n;

	(void)state;
	append_with_openssl("appended", "signer", "-nocerts");
	put_payload("appended");
	put_policy(MODSIG);
	sh("sha512sum image | cut -c 1-128 | tr -d '\\n' > digest");
	digest = signing_get("digest", &size);
	n = read_at(test_root, "proc/keys", keys, 4096);
	sprintf(keys + n, "00000030 I------     1 perm 0c030000     0     0 blacklist bin:%.128s\n",
		digest);
	put_text("proc/keys", keys);
	verify("signer.pem");
	assert_refused("kernel", "is on the kernel's blacklist", "stage another file");
	free(digest);
	free(keys);
}

/* PE signatures */

static void force_sig(void)
{
	put_text("proc/config.gz", "\nCONFIG_KEXEC_SIG=y\nCONFIG_KEXEC_IMAGE_VERIFY_SIG=y\n"
		 "CONFIG_KEXEC_SIG_FORCE=y\n");
}

static void sign_pe(const char *key)
{
	sh("sbsign --key %s.key --cert %s.pem --output pe image", key, key);
	put_payload("pe");
}

static void forced_kexec_sig_refuses_an_unsigned_image(void **state)
{
	(void)state;
	put_payload("image");
	force_sig();
	verify(NULL);
	assert_line("KEXEC_SIG:    forced (/proc/config.gz)");
	assert_refused("kernel", "KEXEC_SIG is forced: it has no PE signature",
		       "sign it with sbsign");
}

static void sbsign_signature_is_adopted(void **state)
{
	(void)state;
	sign_pe("signer");
	force_sig();
	/* The message carries the signer's certificate, the kernel has that of the authority */
	verify("ca.pem");
	assert_line("  signature:  PE signature (Authenticode)");
	assert_line("    hash:     sha256");
	assert_line("    keyrings: .ima");
	assert_line("    keyrings: .builtin_trusted_keys .secondary_trusted_keys");
	assert_adopted();
	verify(NULL);
	assert_unknown("kernel",
		       "PE signature (Authenticode) can only be checked with the certificate",
		       GIVE_CERT);
}

static void sbverify_agrees_on_what_is_signed(void **state)
{
	size_t size, i;
	u8 *data;

	(void)state;
	put_payload("image");
	sh("sbsign --key signer.key --cert signer.pem --output pe image");
	sh("sbverify --cert signer.pem pe");
	force_sig();
	/* Each part is signed: headers, sections, what is behind them; the checksum is not */
	for (i = 0; i < 6; i++) {
		static const u32 at[] = {
			0x40 + 24 + 64, 0x20, 0xf00, 0x1000, 0x4fff, IMAGE_SIZE - 1,
		};

		data = signing_get("pe", &size);
		data[at[i]] ^= 1;
		put_data("sys/fs/kexec/a/kernel", data, size);
		verify("ca.pem");
		free(data);
		if (!i)
			assert_adopted();
		else
			assert_refused("kernel",
				       "KEXEC_SIG is forced: PE signature (Authenticode) is of other bytes than the file's",
				       SIGN_AGAIN);
	}
}

static void pe_signature_by_a_stranger_is_refused(void **state)
{
	char *skid = signing_skid("stranger.pem");
	static const char format[] =
		"KEXEC_SIG is forced: key %s is not in .secondary_trusted_keys nor in .platform";
	char *why = xasprintf(format, skid);

	(void)state;
	sign_pe("stranger");
	force_sig();
	verify("stranger.pem");
	assert_refused("kernel", why, ADD_KEY);
	free(why);
	free(skid);
}

static void signature_of_a_time_without_a_valid_certificate_is_refused(void **state)
{
	(void)state;
	sh("openssl req -new -key signer.key -config signer.cnf -out late.csr");
	sh("openssl x509 -req -days -1 -in late.csr -CA ca.pem -CAkey ca.key -CAcreateserial %s",
	   "-out late.pem -extfile signer.cnf -extensions e");
	sh("cp signer.key late.key");
	sign_pe("late");
	force_sig();
	verify("ca.pem");
	assert_line("    check:    was made when the certificate that it carries was not valid");
	assert_int_equal(status, STATUS_FAILED);
}

static void forged_authority_is_refused(void **state)
{
	char *ca = signing_skid("ca.pem"), *extensions;

	(void)state;
	/* An authority that calls itself what the kernel's is called, down to the key identifier */
	extensions = xasprintf("subjectKeyIdentifier=%s", ca);
	sh("mkdir fake");
	signing_make_key("ca", extensions, "-out fake/ca.pem -keyout fake/ca.key");
	signing_make_key("forged", "authorityKeyIdentifier=keyid",
			 "-CA fake/ca.pem -CAkey fake/ca.key");
	free(extensions);
	sign_pe("forged");
	force_sig();
	verify("ca.pem");
	assert_line("    keyrings: .builtin_trusted_keys .secondary_trusted_keys");
	assert_mismatch("KEXEC_SIG is forced: PE signature (Authenticode)");
	free(ca);
}

static void lockdown_asks_for_a_signature(void **state)
{
	(void)state;
	put_payload("image");
	put_text("sys/kernel/security/lockdown", "none [integrity] confidentiality\n");
	verify(NULL);
	assert_line("lockdown:     integrity");
	assert_refused("kernel",
		       "lockdown asks for a signature, and IMA for none: it has no PE signature",
		       "sign it with sbsign");
	sign_pe("signer");
	verify("ca.pem");
	assert_adopted();
	/* IMA stands in */
	put_payload("image");
	sign_xattr("kernel", "image", "signer");
	put_policy(IMASIG);
	verify("signer.pem");
	assert_adopted();
	/* Without KEXEC_SIG nobody asks */
	put_text("proc/config.gz", "\nCONFIG_IMA_APPRAISE=y\n");
	put_policy("");
	put_payload("image");
	verify(NULL);
	assert_line("KEXEC_SIG:    none in this kernel (/proc/config.gz)");
	assert_adopted();
}

static void kernel_that_does_not_show_its_configuration(void **state)
{
	(void)state;
	put_payload("image");
	remove_path("proc/config.gz");
	verify(NULL);
	assert_line("KEXEC_SIG:    cannot tell");
	assert_unknown("kernel",
		       "the kernel does not show whether it insists on a signed image (KEXEC_SIG)",
		       "sign it with sbsign");
	sign_pe("signer");
	verify("ca.pem");
	assert_adopted();
}

/* The dtb */

static void put_dtb(void)
{
	size_t size;
	void *fdt = make_dtb(&size);

	put_data("sys/fs/kexec/a/dtb", fdt, size);
	signing_put("dtb", fdt, size);
	free(fdt);
}

static void dtb_is_checked_as_the_kernel_is(void **state)
{
	(void)state;
	put_payload("image");
	put_dtb();
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	verify("signer.pem");
	assert_refused("dtb", "IMA's policy asks for a signature, and there is none",
		       "sign it with evmctl ima_sign");
	sign_xattr("dtb", "dtb", "signer");
	verify("signer.pem");
	assert_adopted();
}

static void dtb_by_firmware_needs_a_signature_too(void **state)
{
	(void)state;
	put_payload("image");
	put_text("sys/fs/kexec/a/origin", "firmware\n");
	put_dtb();
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	verify("signer.pem");
	assert_refused("dtb", "IMA's policy asks for a signature, and there is none",
		       "sign it with evmctl ima_sign");
}

static void dtb_cannot_be_signed_without_ima(void **state)
{
	(void)state;
	sign_pe("signer");
	put_dtb();
	force_sig();
	verify("ca.pem");
	assert_refused("dtb", "signatures are asked for, and without IMA a dtb's cannot be checked",
		       "have IMA ask for signatures");
}

/* How it is called */

static void certificate_that_is_none_is_named(void **state)
{
	char *path = xasprintf("%s", signing_path("signer.cnf"));

	(void)state;
	put_payload("image");
	verify("signer.cnf");
	assert_int_equal(status, STATUS_FAILED);
	assert_error("certificate '%s': is no X.509 certificate; give one in PEM or DER", path);
	run("verify", "a", "--cert", "/nowhere", NULL);
	assert_int_equal(status, STATUS_FAILED);
	assert_error("certificate '/nowhere': cannot be opened: %s", strerror(ENOENT));
	free(path);
}

static void json_has_the_documented_keys(void **state)
{
	struct json_object *obj, *kernel, *sig, *key;

	(void)state;
	put_payload("image");
	put_policy(IMASIG);
	sign_xattr("kernel", "image", "signer");
	run("verify", "a", "--json", "--cert", signing_path("signer.pem"), NULL);
	assert_int_equal(status, STATUS_DONE);
	obj = json_tokener_parse(out);
	assert_non_null(obj);
	assert_int_equal(json_object_object_length(obj), 15);
	assert_string_equal(json_object_get_string(json_object_object_get(obj, "verdict")),
			    "adopted");
	assert_null(json_object_object_get(obj, "initrd"));
	kernel = json_object_object_get(obj, "kernel");
	assert_int_equal(json_object_object_length(kernel), 8);
	assert_string_equal(json_object_get_string(json_object_object_get(kernel, "ima_rule")),
			    "appraise func=KEXEC_KERNEL_CHECK appraise_type=imasig");
	sig = json_object_array_get_idx(json_object_object_get(kernel, "signatures"), 0);
	assert_int_equal(json_object_object_length(sig), 5);
	assert_string_equal(json_object_get_string(json_object_object_get(sig, "kind")), "ima");
	assert_true(json_object_get_boolean(json_object_object_get(sig, "matches")));
	key = json_object_array_get_idx(json_object_object_get(sig, "keys"), 0);
	assert_string_equal(json_object_to_json_string(json_object_object_get(key, "keyrings")),
			    "[ \".ima\" ]");
	json_object_put(obj);
}

#define verify_test(f)	cmocka_unit_test_setup_teardown(f, setup, fixture_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		verify_test(nothing_asked_is_adopted),
		verify_test(digest_is_that_of_the_file),
		verify_test(large_file_is_read_in_chunks),
		verify_test(states_that_cannot_be_loaded_are_refused),
		verify_test(something_else_than_a_kernel_is_refused),
		verify_test(recorded_digest_is_compared),
		verify_test(record_of_a_file_staged_since_does_not_count),
		verify_test(unreadable_record_is_said),
		verify_test(unsigned_kernel_is_refused),
		verify_test(evmctl_signature_is_adopted),
		verify_test(without_certificate_the_kernel_is_asked),
		verify_test(certificate_of_another_key_tells_nothing),
		verify_test(flipped_bit_is_refused),
		verify_test(signature_by_a_stranger_is_refused),
		verify_test(truncated_signature_is_refused),
		verify_test(key_that_expired_is_none),
		verify_test(key_in_platform_counts_for_kernels_only),
		verify_test(key_in_platform_counts_only_for_a_rule_on_kernels),
		verify_test(hash_satisfies_only_a_rule_that_asks_for_no_signature),
		verify_test(hash_algorithm_must_be_allowed),
		verify_test(policy_that_is_not_enforced_refuses_nothing),
		verify_test(what_is_not_looked_into_is_said),
		verify_test(appended_signature_is_adopted),
		verify_test(appended_signature_can_name_its_key),
		verify_test(appended_signature_is_adopted_by_who_vouches_for_it),
		verify_test(sign_file_signature_is_adopted),
		verify_test(appended_signature_counts_only_where_the_rule_says_so),
		verify_test(broken_appended_signatures_are_refused),
		verify_test(appended_signature_with_attributes_is_refused),
		verify_test(appended_signature_stands_in_for_an_unknown_key),
		verify_test(digest_on_the_blacklist_is_refused),
		verify_test(forced_kexec_sig_refuses_an_unsigned_image),
		verify_test(sbsign_signature_is_adopted),
		verify_test(sbverify_agrees_on_what_is_signed),
		verify_test(pe_signature_by_a_stranger_is_refused),
		verify_test(signature_of_a_time_without_a_valid_certificate_is_refused),
		verify_test(forged_authority_is_refused),
		verify_test(lockdown_asks_for_a_signature),
		verify_test(kernel_that_does_not_show_its_configuration),
		verify_test(dtb_is_checked_as_the_kernel_is),
		verify_test(dtb_by_firmware_needs_a_signature_too),
		verify_test(dtb_cannot_be_signed_without_ima),
		verify_test(certificate_that_is_none_is_named),
		verify_test(json_has_the_documented_keys),
	};

	return cmocka_run_group_tests_name("kexec-membuf verify", tests, signing_setup,
					   signing_teardown);
}
