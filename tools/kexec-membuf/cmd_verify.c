// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The "verify" command
 */

#include "command.h"
#include "slot.h"
#include "verify_print.h"

#include <openssl/crypto.h>

#include <stdlib.h>
#include <string.h>

static const struct option longopts[] = {
	{ "cert",	required_argument, NULL, OPT_CERT },
	{ "json",	no_argument, NULL, OPT_JSON },
	{ "help",	no_argument, NULL, OPT_HELP },
	{ "version",	no_argument, NULL, OPT_VERSION },
	{}
};

static int verify(int root, const char *name, struct facts *facts, bool json)
{
	int stash = stash_open(root), status = STATUS_FAILED;
	struct verdict verdict;

	if (stash < 0 || !facts_read(root, stash, name, facts))
		goto out;
	judge_payload(facts, &verdict);
	if (json)
		verify_print_json(facts, &verdict);
	else
		verify_print_text(facts, &verdict);
	if (verdict.opinion.ok == ANSWER_YES)
		status = STATUS_DONE;
out:
	close_fd(stash);
	return status;
}

int cmd_verify(const struct command *cmd, int root, int argc, char *argv[])
{
	struct facts *facts = xmalloc(sizeof(*facts));
	int status = STATUS_FAILED;
	bool json = false;
	int c;

	memset(facts, 0, sizeof(*facts));
	/* A configuration of the user's could load other code */
	OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	while ((c = getopt_long(argc, argv, SHORT_OPTIONS, longopts, NULL)) != -1) {
		switch (c) {
		case OPT_CERT:
			if (!certs_load(&facts->certs, optarg))
				goto out;
			break;
		case OPT_JSON:
			json = true;
			break;
		default:
			status = common_option(cmd, c, argv);
			goto out;
		}
	}
	if (check_operands(cmd, argc, argv, 1))
		status = STATUS_MISUSE;
	else
		status = verify(root, argv[optind], facts, json);
out:
	facts_free(facts);
	free(facts);
	return status;
}
