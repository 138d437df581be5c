// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What could prove a payload's file
 */

#include "slot.h"
#include "sys.h"
#include "utils.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#define FDT_PATH	"sys/firmware/fdt"
#define FDT_MAX		0x200000
#define KEYS_MAX	0x20000
#define XATTR_MAX	4096

/* enum evm_ima_xattr_type of the kernel */
#define IMA_XATTR_DIGEST	1
#define EVM_IMA_XATTR_DIGSIG	3
#define IMA_XATTR_DIGEST_NG	4
#define IMA_VERITY_DIGSIG	6

/* struct signature_v2_hdr of the kernel: type, version, hash_algo, keyid[4], sig_size[2] */
#define KEY_ID_AT	3
#define SIGNATURE_LEN	9

#define MODSIG_MARKER	"~Module signature appended~\n"

void signature_ima(const u8 *buf, size_t len, struct signatures *sigs)
{
	sigs->ima = "something that IMA does not know";
	if (!len)
		return;
	switch (buf[0]) {
	case IMA_XATTR_DIGEST:
	case IMA_XATTR_DIGEST_NG:
		sigs->ima = "a digest, no signature";
		break;
	case EVM_IMA_XATTR_DIGSIG:
	case IMA_VERITY_DIGSIG:
		if (len < SIGNATURE_LEN)
			break;
		sigs->ima = buf[0] == IMA_VERITY_DIGSIG ? "fs-verity signature" : "IMA signature";
		snprintf(sigs->key, sizeof(sigs->key), "%02x%02x%02x%02x", buf[KEY_ID_AT],
			 buf[KEY_ID_AT + 1], buf[KEY_ID_AT + 2], buf[KEY_ID_AT + 3]);
		break;
	default:
		break;
	}
}

/* Little-endian, of 2 or 4 bytes; 0 behind the end */
static u64 get_le(const u8 *buf, size_t len, u64 at, unsigned int bytes)
{
	u64 val = 0;

	if (at > len || bytes > len - at)
		return 0;
	while (bytes--)
		val = val << 8 | buf[at + bytes];
	return val;
}

#define PE_OFFSET_AT	60
#define PE_MAGIC	0x4550
#define PE_HDR_LEN	24
#define OPT_MAGIC_PE32	0x10b
#define OPT_MAGIC_PE32P	0x20b
#define CERT_DIRENT	4
#define DIRENT_LEN	8

bool signature_pe(const u8 *head, size_t len)
{
	u64 pe = get_le(head, len, PE_OFFSET_AT, 4), opt = pe + PE_HDR_LEN;
	u64 magic = get_le(head, len, opt, 2);
	u64 dirents = opt + (magic == OPT_MAGIC_PE32P ? 112 : 96);

	if (len < 2 || memcmp(head, "MZ", 2) || get_le(head, len, pe, 4) != PE_MAGIC)
		return false;
	if (magic != OPT_MAGIC_PE32 && magic != OPT_MAGIC_PE32P)
		return false;
	return get_le(head, len, dirents - 4, 4) > CERT_DIRENT &&
	       get_le(head, len, dirents + CERT_DIRENT * DIRENT_LEN + 4, 4);
}

static void read_file(int fd, u64 size, struct signatures *sigs)
{
	const size_t marker_len = strlen(MODSIG_MARKER);
	u8 buf[PE_HEAD_LEN];
	ssize_t n;

	n = sys_get_xattr(fd, "security.ima", buf, XATTR_MAX);
	if (n >= 0)
		signature_ima(buf, n, sigs);
	n = sys_pread(fd, buf, sizeof(buf), 0);
	sigs->pe = n > 0 && signature_pe(buf, n);
	n = size < marker_len ? 0 : sys_pread(fd, buf, marker_len, size - marker_len);
	sigs->appended = n == (ssize_t)marker_len && !memcmp(buf, MODSIG_MARKER, marker_len);
}

/* "...: X509.rsa 1a2b3c4d []" */
static bool key_is_known(const char *keys, const char *key)
{
	char id[KEY_ID_LEN];

	while ((keys = strstr(keys, ": X509."))) {
		keys++;
		if (sscanf(keys, " X509.%*s %8s", id) == 1 && !strcmp(id, key))
			return true;
	}
	return false;
}

/* What was recorded of a file counts until it is written to, which makes the slot "runtime" */
static void read_record(int root, const struct slot *slot, struct signatures *sigs)
{
	void *fdt = xmalloc(FDT_MAX);
	struct kexec_stash_record rec;
	struct kexec_stash_fault fault;
	ssize_t n = read_at(root, FDT_PATH, fdt, FDT_MAX);
	int node = -1, id;

	if (n <= 0 || tree_check(fdt, n) || !strcmp(slot->origin, "runtime"))
		goto out;
	while ((node = kexec_stash_record_next(fdt, node)) >= 0) {
		if (kexec_stash_record_read(fdt, node, &rec, &fault) ||
		    strcmp(rec.label, slot->name))
			continue;
		for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
			const struct kexec_stash_file *file = &rec.file[id];

			if (file->hash != KEXEC_STASH_HASH_NONE && file->size &&
			    file->size == slot->file_size[id])
				sigs[id].recorded = kexec_stash_hash_name(file->hash);
		}
	}
out:
	free(fdt);
}

void signatures_read(int root, int stash, const struct slot *slot, struct signatures *sigs)
{
	char *keys = xmalloc(KEYS_MAX);
	ssize_t n = read_at(root, "proc/keys", keys, KEYS_MAX - 1);
	int id, fd;

	keys[n < 0 ? 0 : n] = '\0';
	memset(sigs, 0, KEXEC_STASH_NR_FILES * sizeof(*sigs));
	read_record(root, slot, sigs);
	for (id = 0; id < KEXEC_STASH_NR_FILES; id++) {
		struct slot_path path = slot_path(slot->name, kexec_stash_file_name(id));

		if (!slot->file_size[id])
			continue;
		fd = sys_open(stash, path.str, O_RDONLY);
		if (fd >= 0)
			read_file(fd, slot->file_size[id], &sigs[id]);
		sigs[id].key_known = key_is_known(keys, sigs[id].key);
		close_fd(fd);
	}
	free(keys);
}
