// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is known of a payload before it is loaded
 */

#include "verify.h"
#include "sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A message has a signature and some certificates in it */
#define MESSAGE_MAX	0x10000

static bool read_part(int fd, u64 offset, void *buf, size_t len)
{
	size_t done = 0;
	ssize_t n;

	while (done < len) {
		n = pread(fd, (u8 *)buf + done, len - done, offset + done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		done += n;
	}
	return true;
}

static struct digest *add_digest(struct file_facts *file, const struct hash *hash,
				 const struct file_range *parts, size_t nr_parts)
{
	struct digest *digest = &file->digests[file->nr_digests++];

	digest->hash = hash;
	digest->parts = parts;
	digest->nr_parts = nr_parts;
	return digest;
}

static void add_whole(struct file_facts *file, const struct hash *hash)
{
	if (facts_digest(file, hash))
		return;
	file->nr_whole++;
	add_digest(file, hash, &file->whole, 1);
}

static struct signature *add_signature(struct file_facts *file, enum sig_kind kind,
				       const char *name, const char *why)
{
	struct signature *sig = &file->sigs[file->nr_sigs++];

	sig->kind = kind;
	sig->name = name;
	snprintf(sig->why, sizeof(sig->why), "%s", why ? why : "");
	return sig;
}

static void read_xattr(int fd, struct file_facts *file)
{
	file->xattr_len = sys_get_xattr(fd, IMA_XATTR, file->xattr_buf, sizeof(file->xattr_buf));
	if (file->xattr_len < 0)
		return;
	file->xattr_why = ima_xattr_read(file->xattr_buf, file->xattr_len, &file->xattr);
	if (!file->xattr_why && file->xattr.data && hash_by_number(file->xattr.algo))
		add_whole(file, hash_by_number(file->xattr.algo));
}

/* The message at a place in the file, to be freed; NULL with a @why */
static u8 *read_message(int fd, const struct file_range *range, const char **why)
{
	u8 *buf;

	if (range->size > MESSAGE_MAX) {
		*why = "is larger than any signature";
		return NULL;
	}
	buf = xmalloc(range->size + 1);
	if (read_part(fd, range->offset, buf, range->size))
		return buf;
	*why = "cannot be read";
	free(buf);
	return NULL;
}

static void read_modsig(int fd, struct file_facts *file)
{
	u8 tail[MODSIG_TRAILER_LEN];
	struct file_range range;
	struct signature *sig;
	const char *why;

	if (file->size <= sizeof(tail) ||
	    !read_part(fd, file->size - sizeof(tail), tail, sizeof(tail)))
		return;
	why = modsig_find(tail, sizeof(tail), file->size, &range);
	if (!why && !range.size)
		return;
	if (!why)
		file->modsig_buf = read_message(fd, &range, &why);
	sig = add_signature(file, SIG_MODSIG, "appended signature (PKCS#7)", why);
	if (why)
		return;
	message_read_modsig(&file->modsig, file->modsig_buf, range.size);
	sig->hash = file->modsig.hash;
	if (!file->modsig.hash)
		return;
	file->below_modsig.size = range.offset;
	add_digest(file, file->modsig.hash, &file->below_modsig, 1);
}

static void read_pe(int fd, struct file_facts *file)
{
	size_t len = file->size < PE_HEAD_LEN ? file->size : PE_HEAD_LEN;
	struct file_range range = {};
	u8 *head = xmalloc(len + 1);
	struct signature *sig;
	const char *why;

	if (!read_part(fd, 0, head, len))
		goto out;
	why = pe_read(head, len, file->size, &file->pe);
	if (!why && !file->pe.message.size)
		goto out;
	if (!why)
		file->pe_buf = read_message(fd, &file->pe.message, &why);
	if (!why)
		why = pe_message(file->pe_buf, file->pe.message.size, &range);
	sig = add_signature(file, SIG_PE, "PE signature (Authenticode)", why);
	if (why)
		goto out;
	message_read_pe(&file->pe_msg, file->pe_buf + range.offset, range.size);
	sig->hash = file->pe_msg.hash;
	if (file->pe_msg.hash)
		add_digest(file, file->pe_msg.hash, file->pe.signed_parts, file->pe.nr_parts);
out:
	free(head);
}

static const struct digest *digest_of(const struct file_facts *file,
				      const struct file_range *parts)
{
	size_t i;

	for (i = 0; i < file->nr_digests; i++) {
		if (file->digests[i].parts == parts)
			return &file->digests[i];
	}
	return NULL;
}

/* What the message has to say, now that the file's digest is known */
static void complete_message(struct signature *sig, struct message *msg,
			     const struct digest *digest)
{
	if (sig->why[0])
		return;
	if (!msg->why[0] && !msg->unknown[0] && (!digest || !digest->len))
		snprintf(sig->unknown, WHY_LEN, "libcrypto does not have its hash algorithm");
	else if (!msg->why[0] && !msg->unknown[0])
		message_check(msg, digest);
	if (msg->why[0])
		memcpy(sig->why, msg->why, WHY_LEN);
	if (msg->unknown[0])
		memcpy(sig->unknown, msg->unknown, WHY_LEN);
	sig->links = msg->links;
	sig->nr_links = msg->nr_links;
}

/* The digest, or with version 3 the digest of: what it is, its algorithm, and it */
static void sign_digest(const struct ima_xattr *xattr, const struct digest *digest,
			struct raw_signature *raw)
{
	u8 id[2 + DIGEST_LEN] = { xattr->type, xattr->algo };

	raw->hash = digest->hash;
	raw->sig = xattr->data;
	raw->sig_len = xattr->len;
	memcpy(raw->digest, digest->value, digest->len);
	raw->digest_len = digest->len;
	if (xattr->version != 3 || !digest->len)
		return;
	memcpy(id + 2, digest->value, digest->len);
	raw->digest_len = hash_bytes(digest->hash, id, 2 + digest->len, raw->digest);
}

static void complete_ima(struct file_facts *file)
{
	const struct ima_xattr *xattr = &file->xattr;
	const struct digest *digest;
	struct signature *sig;

	if (file->xattr_len < 0 || xattr->kind == IMA_KIND_HASH || xattr->kind == IMA_KIND_OTHER)
		return;
	sig = add_signature(file, SIG_IMA, xattr->kind == IMA_KIND_VERITY ?
			    "fs-verity signature in " IMA_XATTR :
			    xattr->version == 3 ? "IMA signature, version 3, in " IMA_XATTR :
			    xattr->version == 2 ? "IMA signature, version 2, in " IMA_XATTR :
			    "IMA signature in " IMA_XATTR, file->xattr_why);
	if (file->xattr_why)
		return;
	if (!xattr->data) {
		snprintf(sig->unknown, WHY_LEN, "is of version %u, which is not looked into",
			 xattr->version);
		return;
	}
	sig->hash = hash_by_number(xattr->algo);
	if (!sig->hash) {
		snprintf(sig->why, WHY_LEN, "%s",
			 "has a hash algorithm that the kernel does not have");
		return;
	}
	digest = facts_digest(file, sig->hash);
	if (!digest || !digest->len)
		snprintf(sig->unknown, WHY_LEN, "libcrypto does not have its hash algorithm");
	else
		sign_digest(xattr, digest, &file->ima_link.raw);
	memcpy(file->ima_link.id.skid, xattr->key_id, sizeof(xattr->key_id));
	file->ima_link.id.skid_len = sizeof(xattr->key_id);
	sig->links = &file->ima_link;
	sig->nr_links = 1;
}

static const struct hash *recorded_hash(const struct boot_record *record,
					enum kexec_stash_file_id id)
{
	return hash_by_name(kexec_stash_hash_name(record->rec.file[id].hash));
}

static void compare_recorded(const struct facts *facts, struct file_facts *file)
{
	const struct kexec_stash_file *rec = &facts->record.rec.file[file->id];
	const struct digest *digest;

	file->recorded_match = ANSWER_UNKNOWN;
	if (facts->record.why || file->recorded == ANSWER_NO)
		return;
	digest = facts_digest(file, recorded_hash(&facts->record, file->id));
	if (digest && digest->len)
		file->recorded_match = !memcmp(digest->value, rec->digest, digest->len) ?
				       ANSWER_YES : ANSWER_NO;
}

static bool read_file(int stash, struct facts *facts, struct file_facts *file)
{
	const char *name = kexec_stash_file_name(file->id);
	char *path = slot_path(facts->slot.name, name);
	int fd = openat(stash, path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	int ret = -1;

	free(path);
	if (fd < 0 || fstat(fd, &st)) {
		error_msg("slot '%s': %s: cannot be opened: %s%s", facts->slot.name, name,
			  strerror(errno), errno == EACCES ? "; run this as root" : "");
		goto out;
	}
	file->uid = st.st_uid;
	file->gid = st.st_gid;
	file->whole.size = file->size;
	file->recorded = boot_record_holds(&facts->record, &facts->slot, file->id);
	if (!facts->record.why && file->recorded != ANSWER_NO)
		add_whole(file, recorded_hash(&facts->record, file->id));
	read_xattr(fd, file);
	if (!file->nr_whole)
		add_whole(file, hash_by_name("sha256"));
	read_modsig(fd, file);
	if (file->id == KEXEC_STASH_KERNEL)
		read_pe(fd, file);
	ret = digest_file(fd, file->size, file->digests, file->nr_digests);
	if (ret)
		error_msg("slot '%s': %s: cannot be read: %s", facts->slot.name, name,
			  strerror(-ret));
out:
	close_fd(fd);
	return !ret;
}

static void complete_file(const struct facts *facts, struct file_facts *file)
{
	size_t i;

	compare_recorded(facts, file);
	for (i = 0; i < file->nr_sigs; i++) {
		struct signature *sig = &file->sigs[i];

		if (sig->kind == SIG_MODSIG)
			complete_message(sig, &file->modsig, digest_of(file, &file->below_modsig));
		else
			complete_message(sig, &file->pe_msg,
					 digest_of(file, file->pe.signed_parts));
	}
	complete_ima(file);
}

bool facts_read(int root, int stash, const char *name, struct facts *facts)
{
	int i;

	if (!slot_read(stash, name, &facts->slot))
		return false;
	payload_read(stash, &facts->slot, &facts->payload);
	boot_record_read(root, name, &facts->record);
	security_read(root, &facts->security);
	keyrings_read(root, &facts->keyrings);
	for (i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		struct file_facts *file = &facts->file[i];

		file->id = i;
		file->size = facts->slot.file_size[i];
		if (!file->size)
			continue;
		if (!read_file(stash, facts, file))
			return false;
		complete_file(facts, file);
	}
	facts->file[KEXEC_STASH_KERNEL].broken = facts->payload.kernel_why;
	facts->file[KEXEC_STASH_DTB].broken = facts->payload.dtb_why;
	return true;
}

void facts_free(struct facts *facts)
{
	int i;

	for (i = 0; i < KEXEC_STASH_NR_FILES; i++) {
		message_free(&facts->file[i].modsig);
		message_free(&facts->file[i].pe_msg);
		pe_free(&facts->file[i].pe);
		free(facts->file[i].modsig_buf);
		free(facts->file[i].pe_buf);
	}
	keyrings_free(&facts->keyrings);
	security_free(&facts->security);
	boot_record_free(&facts->record);
	payload_free(&facts->payload);
	certs_free(&facts->certs);
}

const struct signature *facts_signature(const struct file_facts *file, enum sig_kind kind)
{
	size_t i;

	for (i = 0; i < file->nr_sigs; i++) {
		if (file->sigs[i].kind == kind)
			return &file->sigs[i];
	}
	return NULL;
}

const struct digest *facts_digest(const struct file_facts *file, const struct hash *hash)
{
	size_t i;

	for (i = 0; i < file->nr_whole; i++) {
		if (file->digests[i].hash == hash)
			return &file->digests[i];
	}
	return NULL;
}
