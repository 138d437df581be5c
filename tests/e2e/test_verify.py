# SPDX-License-Identifier: GPL-2.0-or-later
"""kexec-membuf verify: what it says before a load is what the kernel says then, row by row of test_signed's table."""

import json

import pytest

import signing
import stash
from signed_slots import FIRST, SLOT, Slot, load_base, load_slot, start
from test_signed import BOOTS, put

# One boot each; together they have every kind of signature, and each way to ask for one
POLICIES = ["none", "imasig", "imasig|modsig", "imasig+initrd", "imasig+critical", "KEXEC_SIG forced", "lockdown"]
CERTS = " ".join(f"--cert /signed/{name}" for name in ("signer.der", "stranger.der", "ca.pem"))
STATUS = {"adopted": 0, "refused": 1, "unknown": 1}


def verify(m, slot, options=""):
    """What verify says of a slot. Its exit status goes with that."""
    output, status = m.run(f"kexec-membuf verify {slot} --json {options}", None)
    facts = json.loads(output)
    assert status == STATUS[facts["verdict"]], f"status {status}: {output}"
    return facts


def reason(facts):
    return f'{facts["verdict"]}: {facts["about"]}: {facts["why"]}; {facts["todo"]}'


@pytest.mark.parametrize("title,name,slots,rows", [boot for boot in BOOTS if boot[0] in POLICIES],
                         ids=[boot[0] for boot in BOOTS if boot[0] in POLICIES])
def test_verdict_is_the_kernels(title, name, slots, rows):
    """With the certificates at hand it is certain, and right, of each row; without them it is never wrong."""
    faults = []
    with start(f"verify-{title}", name, slots) as m:
        for row, slot in rows:
            put(m, row, slot)
            certain, unsure = verify(m, slot.label, CERTS), verify(m, slot.label)
            kernel = load_slot(m, slot)
            verdict = "adopted" if kernel[0] == "OK" else "refused"
            print(f"{name:<16} {row.origin:<8} {row.kind:<28} {' '.join(kernel):<32} {reason(certain)}")
            if certain["verdict"] != verdict:
                faults.append(f"{row}: {kernel}, but {reason(certain)}")
            if unsure["verdict"] not in (verdict, "unknown"):
                faults.append(f"{row}, no certificate: {kernel}, but {reason(unsure)}")
            if kernel[0] == "OK":
                load_base(m, slots)
    assert not faults, "\n".join(faults)


def one(facts, kind):
    """The kernel's one signature."""
    found = facts["kernel"]["signatures"]
    assert [signature["kind"] for signature in found] == [kind], found
    return found[0]


def key_id(m, cert):
    """Subject key identifier of a certificate of ours, as the kernel shows it beside its key."""
    line = next(line for line in m.run("cat /proc/keys").splitlines() if cert in line)
    return line.split(": X509.")[0].rsplit(": ", 1)[1]


def test_facts():
    """Digests, kinds of signature, key ids and keyrings are those of the file and of the kernel."""
    slots = [Slot("base", FIRST, "modsig", "firmware"), Slot("plain", FIRST + SLOT, "unsigned", "firmware"),
             Slot("good", FIRST + 2 * SLOT, "modsig", "firmware"), Slot("rt", FIRST + 4 * SLOT, None, "runtime"),
             Slot("bad", FIRST + 3 * SLOT, "modsig, kernel flipped", "early")]
    with start("verify-facts", "imasig|modsig", slots) as m:
        signer, ca = key_id(m, "Example appliance signer"), key_id(m, "Example appliance CA")

        facts = verify(m, "plain", CERTS)
        digest = stash.sha256(signing.SIGNED / "plain")
        assert facts["kernel"]["recorded"] == {"algo": "sha256", "value": digest, "holds": True, "matches": True}
        assert facts["kernel"]["digests"] == [{"algo": "sha256", "value": digest}]
        assert facts["kernel"]["signatures"] == []
        assert facts["kernel"]["ima_rule"] == signing.MODSIG
        assert facts["about"] == "kernel" and "there is none" in facts["why"]

        signing.sign(m, stash.slot_path("plain", "kernel"), "plain.sig")
        ima = one(verify(m, "plain", CERTS), "ima")
        assert ima["keys"] == [{"id": signer[-8:], "keyrings": [".ima"]}] and ima["matches"] is True

        # The kernel does not show the issuer and serial number that sign-file writes
        appended = one(verify(m, "good"), "modsig")
        assert appended["keys"][0]["keyrings"] is None and appended["matches"] is None
        appended = one(verify(m, "good", CERTS), "modsig")
        assert appended["keys"][0]["keyrings"] == [".ima"] and appended["matches"] is True
        assert one(verify(m, "bad", CERTS), "modsig")["matches"] is False

        m.run(f"cp /signed/pe {stash.slot_path('rt', 'kernel')}", timeout=120)
        facts = verify(m, "rt", CERTS)
        pe = one(facts, "pe")
        assert pe["keys"] == [{"id": signer, "keyrings": [".ima"]},
                              {"id": ca, "keyrings": [".builtin_trusted_keys", ".secondary_trusted_keys"]}]
        assert pe["matches"] is True and facts["kernel"]["recorded"] is None

        # A line each, the verdict last
        lines = m.run(f"kexec-membuf verify good {CERTS}").splitlines()
        assert lines[0].split() == ["slot:", "good"] and lines[-1].split(None, 1) == ["verdict:", "would be adopted"]


def test_dtb():
    """A dtb is checked as the kernel is."""
    slots = [Slot("base", FIRST, "initrd imasig", "firmware"), Slot("f1", FIRST + SLOT, "unsigned", "firmware")]
    with start("verify-dtb", "imasig+initrd", slots) as m:
        signing.sign(m, stash.slot_path("f1", "kernel"), "plain.sig")
        assert verify(m, "f1", CERTS)["verdict"] == "adopted"
        m.run(f"cp /signed/dtb {stash.slot_path('f1', 'dtb')}; cp /signed/initrd {stash.slot_path('f1', 'initrd')}")
        facts = verify(m, "f1", CERTS)
        assert facts["origin"] == "runtime" and facts["about"] == "initrd" and "there is none" in facts["why"]
        signing.sign(m, stash.slot_path("f1", "initrd"), "initrd.sig")
        facts = verify(m, "f1", CERTS)
        assert facts["about"] == "dtb" and "there is none" in facts["why"]
        m.fails("kexec-membuf load f1")
        signing.sign(m, stash.slot_path("f1", "dtb"), "dtb.sig")
        assert verify(m, "f1", CERTS)["verdict"] == "adopted"
        m.run("kexec-membuf load f1")
