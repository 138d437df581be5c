// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the running kernel asks of a kexec image
 */

#include "security.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#define SECURITYFS	"sys/kernel/security"
#define TEXT_MAX	0x100000

/* A file of unknown size as a string, to be freed; NULL, and @err, if it cannot be read */
static char *read_text(int root, const char *path, int *err)
{
	char *text = xmalloc(TEXT_MAX);
	ssize_t n = read_at(root, path, text, TEXT_MAX - 1);

	if (n < 0) {
		*err = -n;
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

/* A text file that may be compressed by gzip, to be freed; NULL if it cannot be read */
static char *read_gzip(int root, const char *path)
{
	int fd = openat(root, path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	gzFile file;
	int n;

	if (fd < 0)
		return NULL;
	file = gzdopen(fd, "rb");
	if (!file) {
		close(fd);
		return NULL;
	}
	text = xmalloc(TEXT_MAX);
	n = gzread(file, text, TEXT_MAX - 1);
	gzclose(file);
	if (n <= 0) {
		free(text);
		return NULL;
	}
	text[n] = '\0';
	return text;
}

static bool config_has(const char *config, const char *option)
{
	char *line = xasprintf("\nCONFIG_%s=y\n", option);
	bool found = strstr(config, line);

	free(line);
	return found;
}

/* The running kernel's own, or what a distribution has put beside its image */
static char *read_config(int root, char **from)
{
	char *config = read_gzip(root, "proc/config.gz");
	struct utsname uts;
	char *path;

	if (config) {
		*from = xasprintf("/proc/config.gz");
		return config;
	}
	if (uname(&uts))
		return NULL;
	path = xasprintf("/boot/config-%s", uts.release);
	config = read_gzip(root, path + 1);
	if (config)
		*from = path;
	else
		free(path);
	return config;
}

static enum answer to_answer(bool val)
{
	return val ? ANSWER_YES : ANSWER_NO;
}

static void apply_config(int root, struct security *security)
{
	char *config = read_config(root, &security->config_from);

	security->kexec_sig = ANSWER_UNKNOWN;
	security->kexec_sig_forced = ANSWER_UNKNOWN;
	security->pe_signatures = ANSWER_UNKNOWN;
	security->ima = ANSWER_UNKNOWN;
	if (!config)
		return;
	security->kexec_sig = to_answer(config_has(config, "KEXEC_SIG"));
	security->kexec_sig_forced = to_answer(config_has(config, "KEXEC_SIG_FORCE"));
	security->pe_signatures = to_answer(config_has(config, "KEXEC_IMAGE_VERIFY_SIG"));
	security->ima = to_answer(config_has(config, "IMA_APPRAISE"));
	/* Then secure boot forces it, too, where there is firmware that has such a thing */
	if (security->kexec_sig == ANSWER_YES && security->kexec_sig_forced == ANSWER_NO &&
	    config_has(config, "IMA_ARCH_POLICY") && !faccessat(root, "sys/firmware/efi", F_OK, 0))
		security->kexec_sig_forced = ANSWER_UNKNOWN;
	if (!config_has(config, "IMA_APPRAISE_BOOTPARAM"))
		security->ima_mode = IMA_MODE_ENFORCE;
	free(config);
}

/* "none [integrity] confidentiality" */
static void read_lockdown(int root, struct security *security)
{
	char line[64], *start, *end;

	security->lockdown = ANSWER_UNKNOWN;
	snprintf(security->lockdown_mode, sizeof(security->lockdown_mode), "%s",
		 "cannot tell: there is no /sys/kernel/security/lockdown");
	if (read_line_at(root, SECURITYFS "/lockdown", line, sizeof(line))) {
		/* There without the lockdown LSM: so there is none */
		if (!faccessat(root, SECURITYFS "/lsm", F_OK, 0)) {
			security->lockdown = ANSWER_NO;
			snprintf(security->lockdown_mode, sizeof(security->lockdown_mode), "none");
		}
		return;
	}
	start = strchr(line, '[');
	end = start ? strchr(start, ']') : NULL;
	if (!end)
		return;
	*end = '\0';
	snprintf(security->lockdown_mode, sizeof(security->lockdown_mode), "%s", start + 1);
	security->lockdown = to_answer(strcmp(start + 1, "none"));
}

/* The last "ima_appraise=" of the command line counts */
static enum ima_mode read_ima_mode(int root)
{
	enum ima_mode mode = IMA_MODE_ENFORCE;
	int err = 0;
	char *cmdline = read_text(root, "proc/cmdline", &err), *word, *rest = cmdline;

	while ((word = strsep(&rest, "\n "))) {
		if (strncmp(word, "ima_appraise=", 13))
			continue;
		word += 13;
		if (!strncmp(word, "off", 3))
			mode = IMA_MODE_OFF;
		else if (!strncmp(word, "log", 3))
			mode = IMA_MODE_LOG;
		else if (!strncmp(word, "fix", 3))
			mode = IMA_MODE_FIX;
		else if (!strncmp(word, "enforce", 7))
			mode = IMA_MODE_ENFORCE;
	}
	free(cmdline);
	return mode;
}

static void read_policy(int root, struct security *security)
{
	int err = 0;

	if (faccessat(root, SECURITYFS "/lsm", F_OK, 0) &&
	    faccessat(root, SECURITYFS "/ima", F_OK, 0)) {
		security->policy_why = "/sys/kernel/security is not there; mount securityfs";
		return;
	}
	if (faccessat(root, SECURITYFS "/ima", F_OK, 0)) {
		if (security->ima != ANSWER_YES)
			security->ima = ANSWER_NO;
		security->policy_why = "this kernel has no IMA";
		return;
	}
	if (security->ima == ANSWER_UNKNOWN)
		security->ima = ANSWER_YES;
	security->policy = read_text(root, SECURITYFS "/ima/policy", &err);
	if (!security->policy)
		security->policy_why = err == EACCES ?
			"IMA's policy may not be read; run this as root" :
			"IMA's policy is not shown by this kernel";
}

void security_read(int root, struct security *security)
{
	u64 val;

	memset(security, 0, sizeof(*security));
	security->load_disabled = !read_number_at(root, "proc/sys/kernel/kexec_load_disabled",
						  &val) && val;
	read_lockdown(root, security);
	security->ima_mode = read_ima_mode(root);
	apply_config(root, security);
	read_policy(root, security);
	security->evm = ANSWER_NO;
	if (!read_number_at(root, SECURITYFS "/evm", &val) && val)
		security->evm = ANSWER_YES;
}

void security_free(struct security *security)
{
	free(security->config_from);
	free(security->policy);
	memset(security, 0, sizeof(*security));
}
