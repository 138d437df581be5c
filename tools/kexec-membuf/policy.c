// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * IMA's policy: which rule decides over a file of the stash
 *
 * As ima_match_policy() and ima_match_rules() in the kernel: of the rules that appraise or exempt
 * from it, the first one that fits decides.
 */

#include "policy.h"
#include "slot.h"
#include "uapi.h"


#include <stdlib.h>
#include <string.h>

/**
 * struct rule - a rule, taken apart
 * @appraise: it appraises
 * @exempt: it exempts from appraisal
 * @digsig: it asks for a signature
 * @other_func: it is for another hook than the file's
 * @fits: the conditions that are known hold
 * @result: what is told of it
 */
struct rule {
	bool appraise;
	bool exempt;
	bool digsig;
	bool other_func;
	bool fits;
	struct ima_rule result;
};

static bool compare(const char *cond, u64 val)
{
	u64 want = strtoull(cond + 1, NULL, 10);

	switch (*cond) {
	case '=':
		return val == want;
	case '<':
		return val < want;
	default:
		return val > want;
	}
}

/* "uid=0", "fowner>100": is it a condition on the number @name, and does it hold? */
static bool on_number(const char *cond, const char *name, u64 val, bool *holds)
{
	size_t len = strlen(name);

	if (strncmp(cond, name, len) || !strchr("=<>", cond[len]) || !cond[len])
		return false;
	*holds = compare(cond + len, val);
	return true;
}

static const char *value_of(const char *cond, const char *name)
{
	size_t len = strlen(name);

	return strncmp(cond, name, len) || cond[len] != '=' ? NULL : cond + len + 1;
}

/* Bytes are read: MAY_READ, or with a '^' a set that it is in; the kernel shows one name each */
static bool mask_holds(const char *val)
{
	return !strcmp(val, "MAY_READ") || !strcmp(val, "^MAY_READ");
}

static bool known_condition(const char *cond, const struct ima_file *file, struct rule *rule,
			    bool *holds)
{
	const char *val;

	*holds = true;
	val = value_of(cond, "func");
	if (val) {
		*holds = !strcmp(val, file->func);
		rule->other_func = !*holds;
		rule->result.by_func = true;
		return true;
	}
	val = value_of(cond, "mask");
	if (val) {
		*holds = mask_holds(val);
		return true;
	}
	val = value_of(cond, "fsmagic");
	if (val) {
		*holds = strtoull(val, NULL, 16) == KEXEC_STASH_MAGIC;
		return true;
	}
	val = value_of(cond, "fsname");
	if (val) {
		*holds = !strcmp(val, STASH_FSTYPE);
		return true;
	}
	return on_number(cond, "uid", file->uid, holds) ||
	       on_number(cond, "euid", file->uid, holds) ||
	       on_number(cond, "gid", file->gid, holds) ||
	       on_number(cond, "egid", file->gid, holds) ||
	       on_number(cond, "fowner", file->fowner, holds) ||
	       on_number(cond, "fgroup", file->fgroup, holds);
}

static void read_type(const char *val, struct rule *rule)
{
	rule->digsig = true;
	/* Before digest_type=, which then says more */
	if (!strcmp(val, "imasig"))
		rule->result.type = APPRAISE_IMASIG;
	else if (!strcmp(val, "imasig|modsig"))
		rule->result.type = APPRAISE_MODSIG;
	else if (!strcmp(val, "sigv3"))
		rule->result.type = APPRAISE_SIGV3;
	else
		snprintf(rule->result.condition, CONDITION_LEN, "appraise_type=%s", val);
}

/* What says how to appraise, or has no say in that */
static bool no_condition(const char *word, struct rule *rule)
{
	const char *val;

	val = value_of(word, "appraise_type");
	if (val) {
		read_type(val, rule);
		return true;
	}
	val = value_of(word, "appraise_algos");
	if (val) {
		snprintf(rule->result.algos, RULE_LEN, "%s", val);
		return true;
	}
	if (!strcmp(word, "digest_type=verity")) {
		if (rule->appraise)
			rule->result.type = APPRAISE_VERITY;
		return true;
	}
	return value_of(word, "pcr") || value_of(word, "template") ||
	       !strcmp(word, "permit_directio") || !strcmp(word, "appraise_flag=check_blacklist");
}

static void read_rule(const char *line, size_t len, const struct ima_file *file, struct rule *rule)
{
	char *copy = xasprintf("%.*s", (int)len, line), *rest = copy, *word;
	bool holds;

	memset(rule, 0, sizeof(*rule));
	rule->fits = true;
	snprintf(rule->result.text, RULE_LEN, "%.*s", (int)len, line);
	word = strsep(&rest, " ");
	rule->appraise = !strcmp(word, "appraise");
	rule->exempt = !strcmp(word, "dont_appraise");
	if (rule->appraise)
		rule->result.type = APPRAISE_HASH;
	while ((word = strsep(&rest, " "))) {
		if (!*word || no_condition(word, rule))
			continue;
		if (known_condition(word, file, rule, &holds))
			rule->fits = rule->fits && holds;
		else
			snprintf(rule->result.condition, CONDITION_LEN, "%s", word);
	}
	make_printable(rule->result.text);
	make_printable(rule->result.condition);
	free(copy);
}

static const char *next_line(const char *line, size_t *len)
{
	*len = strcspn(line, "\n");
	return line[*len] ? line + *len + 1 : line + *len;
}

void policy_find_rule(const char *policy, const struct ima_file *file, struct ima_rule *rule)
{
	char condition[CONDITION_LEN] = "";
	const char *next;
	struct rule cur;
	size_t len;

	memset(rule, 0, sizeof(*rule));
	for (; *policy; policy = next) {
		next = next_line(policy, &len);
		while (len && policy[len - 1] == ' ')
			len--;
		read_rule(policy, len, file, &cur);
		if ((!cur.appraise && !cur.exempt) || !cur.fits)
			continue;
		*rule = cur.result;
		if (!cur.result.condition[0])
			break;
		/* Perhaps this one, perhaps a later one */
		if (!condition[0])
			memcpy(condition, cur.result.condition, CONDITION_LEN);
	}
	if (condition[0])
		memcpy(rule->condition, condition, CONDITION_LEN);
}

bool policy_asks_kernel_signature(const char *policy)
{
	static const struct ima_file kernel = { .func = "KEXEC_KERNEL_CHECK" };
	const char *next;
	struct rule cur;
	size_t len;

	for (; *policy; policy = next) {
		next = next_line(policy, &len);
		read_rule(policy, len, &kernel, &cur);
		if (cur.appraise && !cur.other_func)
			return cur.digsig;
	}
	return false;
}

bool policy_allows_hash(const struct ima_rule *rule, const char *name)
{
	size_t len = strlen(name);
	const char *p;

	if (!rule->algos[0])
		return true;
	for (p = strstr(rule->algos, name); p; p = strstr(p + 1, name)) {
		if ((p == rule->algos || p[-1] == ',') && (!p[len] || p[len] == ','))
			return true;
	}
	return false;
}
