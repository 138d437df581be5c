// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Keys and signatures, made by the programs that people make them with
 */

#include "signing.h"
#include "fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER_TEMPLATE	"/tmp/kexec-membuf-sign-XXXXXX"

static char folder[sizeof(FOLDER_TEMPLATE)];

void sh(const char *format, ...)
{
	char *command, *line;
	va_list va;
	int ret;

	va_start(va, format);
	ret = vasprintf(&command, format, va);
	va_end(va);
	assert_true(ret > 0);
	line = xasprintf("cd %s && { %s; } > log 2>&1 || { cat log; exit 1; }", folder, command);
	ret = system(line);
	if (ret)
		fail_msg("%s: failed", command);
	free(line);
	free(command);
}

const char *signing_path(const char *file)
{
	static char path[4][128];
	static int next;

	next = (next + 1) % 4;
	snprintf(path[next], sizeof(path[next]), "%s/%s", folder, file);
	return path[next];
}

void signing_put(const char *file, const void *data, size_t size)
{
	FILE *fp = fopen(signing_path(file), "w");

	assert_non_null(fp);
	assert_int_equal(fwrite(data, 1, size, fp), size);
	assert_int_equal(fclose(fp), 0);
}

void *signing_get(const char *file, size_t *size)
{
	struct stat st;
	void *data;

	assert_int_equal(stat(signing_path(file), &st), 0);
	*size = st.st_size;
	data = xmalloc(*size + 1);
	assert_int_equal(read_at(AT_FDCWD, signing_path(file), data, *size), *size);
	return data;
}

#define REQ	"openssl req -x509 -new -newkey rsa:2048 -noenc -days 30"
#define SECTIONS "[req]\ndistinguished_name=n\nprompt=no\nx509_extensions=e\n[n]\nCN=test %s\n[e]\n%s\n"

void signing_make_key(const char *name, const char *extensions, const char *options)
{
	char *config = xasprintf(SECTIONS, name, extensions);
	char *file = xasprintf("%s.cnf", name);

	signing_put(file, config, strlen(config));
	sh(REQ " -config %s.cnf -keyout %s.key -out %s.pem %s", name, name, name, options);
	sh("openssl x509 -in %s.pem -outform der -out %s.der", name, name);
	free(file);
	free(config);
}

#define KEY_IDS	"subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"

int signing_setup(void **state)
{
	(void)state;
	memcpy(folder, FOLDER_TEMPLATE, sizeof(folder));
	if (!mkdtemp(folder))
		return -1;
	signing_make_key("ca", KEY_IDS "basicConstraints=critical,CA:TRUE\n", "");
	signing_make_key("signer", KEY_IDS "basicConstraints=critical,CA:FALSE\n",
			 "-CA ca.pem -CAkey ca.key");
	signing_make_key("stranger", KEY_IDS, "");
	signing_make_image();
	return 0;
}

int signing_teardown(void **state)
{
	(void)state;
	sh("rm -rf *");
	return rmdir(folder);
}

static void put_le(u8 *p, u64 val, int len)
{
	int i;

	for (i = 0; i < len; i++)
		p[i] = val >> 8 * i;
}

static void put_section(u8 *p, const char *name, u32 addr, u32 size)
{
	memcpy(p, name, strlen(name));
	put_le(p + 8, size, 4);
	put_le(p + 12, addr, 4);
	put_le(p + 16, size, 4);
	put_le(p + 20, addr, 4);
}

void signing_make_image(void)
{
	const u32 pe = 64, opt = pe + 24, dirents = opt + 112, sections = dirents + 6 * 8;
	u8 image[IMAGE_SIZE];
	size_t i;

	for (i = 0; i < sizeof(image); i++)
		image[i] = i * 7 + (i >> 8);
	memset(image, 0, 0x1000);
	make_image(image, 0, 0x900000);
	put_le(image + 60, pe, 4);
	memcpy(image + pe, "PE\0", 4);
	put_le(image + pe + 4, 0xaa64, 2);
	put_le(image + pe + 6, 2, 2);
	put_le(image + pe + 20, 112 + 6 * 8, 2);
	put_le(image + pe + 22, 0x0206, 2);
	put_le(image + opt, 0x20b, 2);
	put_le(image + opt + 32, 0x1000, 4);
	put_le(image + opt + 36, 0x200, 4);
	put_le(image + opt + 56, sizeof(image), 4);
	put_le(image + opt + 60, 0x1000, 4);
	put_le(image + opt + 68, 10, 2);
	put_le(image + opt + 108, 6, 4);
	put_section(image + sections, ".text", 0x1000, 0x2000);
	put_section(image + sections + 40, ".data", 0x3000, 0x2000);
	signing_put("image", image, sizeof(image));
}

void signing_append(const char *file, const char *message)
{
	static const char marker[] = "~Module signature appended~\n";
	u8 trailer[12] = { 0, 0, 2 };
	size_t size, len;
	u8 *data = signing_get(file, &size), *msg = signing_get(message, &len);
	u8 *all = xmalloc(size + len + sizeof(trailer) + sizeof(marker));

	trailer[10] = len >> 8;
	trailer[11] = len;
	memcpy(all, data, size);
	memcpy(all + size, msg, len);
	memcpy(all + size + len, trailer, sizeof(trailer));
	memcpy(all + size + len + sizeof(trailer), marker, sizeof(marker));
	signing_put(file, all, size + len + sizeof(trailer) + sizeof(marker) - 1);
	free(all);
	free(msg);
	free(data);
}

char *signing_skid(const char *pem)
{
	size_t size, i, n = 0;
	char *text;

	sh("openssl x509 -in %s -noout -ext subjectKeyIdentifier > skid.text", pem);
	sh("tail -n 1 skid.text | tr -cd 0-9A-F | tr A-F a-f > skid");
	text = signing_get("skid", &size);
	for (i = 0; i < size; i++)
		text[n++] = text[i];
	text[n] = '\0';
	assert_int_equal(n, 40);
	return text;
}
