# SPDX-License-Identifier: GPL-2.0-or-later
"""Policies and signatures: what is adopted and what is refused, beside mainline's verdict on the same file on ext4.

One table (TABLE) for all of it. A policy cannot be taken back, so each is a boot of its own, or some, since a machine
has no more than eight slots. Our column is kexec_file_load() of the slot, mainline's is kexec_file_load() of the same
bytes with the same security.ima on ext4, by the same kernel, right after it.
"""

import collections
import hashlib
import re

import pytest

import signing
import stash
from signed_slots import (ALL_SLOTS, AUTHENTICATED, FIRST, FLIPPED_LATER, KINDS, OK, POLICIES, SLOT, Slot, check_slot, load_base,
                          load_ext4, load_slot, stage, start)

INITRD_BAD = ["initrd unsigned", "initrd, unknown key", "initrd, sig. of another file", "initrd flipped",
              "initrd, sig. flipped", "initrd, sig. truncated"]
MODSIG_BAD = ["modsig, unknown key", "modsig of another file", "modsig, kernel flipped", "modsig flipped",
              "modsig truncated"]

# Policies by which kernel and initrd are measured
MEASURES = re.compile("measure|tcb|all three")

# "firmware" and "early" have signature and digest from the record. "set": firmware's, security.ima is set in the guest;
# "touched": firmware's, but its kernel is staged again in the guest.
ALL = ["firmware", "early", "runtime"]
DENIED = "EACCES"

# policy, kinds, origins, verdict of both columns, or of ours alone if it must differ (only a dtb may)
Rows = collections.namedtuple("Rows", "policy kinds origins verdict differs", defaults=(False,))
TABLE = [
    Rows("none", ["unsigned", "imasig, unknown key", "imasig, kernel flipped"], ALL, OK),
    Rows("none", ["modsig", "PE, kernel flipped", "dtb unsigned"], ["runtime"], OK),

    Rows("imasig", ["imasig"], ALL, OK),
    Rows("imasig", ["unsigned", "imasig, unknown key", "imasig of another file", "imasig flipped", "imasig truncated"],
         ALL, DENIED),
    # The slot that was refused because it is unsigned
    Rows("imasig", ["imasig"], ["set"], OK),
    Rows("imasig", ["imasig, kernel flipped"], ["early", "runtime"], DENIED),
    Rows("imasig", ["imasig, kernel flipped later"], ["firmware"], DENIED),
    Rows("imasig", ["modsig", "PE"], ["runtime"], DENIED),

    Rows("imasig+initrd", ["initrd imasig"], ALL, OK),
    Rows("imasig+initrd", INITRD_BAD, ALL, DENIED),
    Rows("imasig+initrd", ["initrd imasig, kernel unknown"], ["runtime"], DENIED),

    Rows("imasig|modsig", ["modsig"], ALL, OK),
    # As in mainline, a bad security.ima does not count beside an appended signature
    Rows("imasig|modsig", ["imasig", "modsig, imasig unknown key", "modsig, imasig of another file"], ["runtime"], OK),
    Rows("imasig|modsig", MODSIG_BAD, ALL, DENIED),
    Rows("imasig|modsig", ["unsigned", "imasig, unknown key"], ["runtime"], DENIED),
    Rows("imasig|modsig", ["modsig, dtb unsigned"], ["runtime"], DENIED, True),
    Rows("imasig|modsig", ["modsig, dtb modsig"], ["runtime"], OK),

    # Being placed by firmware is no verdict
    Rows("imasig+critical", ["dtb authenticated"], ["firmware"], OK),
    Rows("imasig+critical", ["dtb authenticated, flipped"], ["firmware"], "EBADMSG", True),
    Rows("imasig+critical", ["dtb imasig"], ALL, OK),
    Rows("imasig+critical", ["dtb unsigned"], ALL + ["touched"], DENIED, True),
    Rows("imasig+critical", ["dtb, unknown key", "dtb, sig. of another file"], ALL, DENIED, True),

    Rows("measure", ["unsigned", "imasig", "imasig, unknown key"], ["runtime"], OK),
    Rows("measure", ["initrd imasig", "initrd flipped"], ALL, OK),
    Rows("measure ima-sig", ["unsigned", "imasig", "imasig, unknown key", "initrd unsigned"], ["runtime"], OK),
    Rows("measure ima-sig", ["initrd imasig", "initrd, unknown key"], ALL, OK),
    Rows("measure ima-modsig", ["modsig"], ALL, OK),
    Rows("measure ima-modsig", ["imasig"], ["runtime"], OK),
    Rows("measure ima-modsig", ["unsigned"], ["runtime"], DENIED),

    Rows("tcb", ["imasig"], ALL, OK),
    Rows("tcb", ["unsigned", "imasig flipped"], ["runtime"], OK),
    Rows("critical_data", ["imasig", "dtb unsigned"], ["firmware", "runtime"], OK),
    Rows("secure_boot", ["imasig"], ALL, OK),
    Rows("secure_boot", ["unsigned", "imasig, unknown key"], ALL, DENIED),
    Rows("secure_boot", ["imasig, kernel flipped", "imasig of another file", "imasig flipped", "modsig"], ["runtime"],
         DENIED),
    Rows("secure_boot", ["dtb unsigned"], ["runtime"], DENIED, True),
    Rows("secure_boot+rules", ["imasig", "modsig"], ["early", "runtime"], OK),
    Rows("secure_boot+rules", ["unsigned", "modsig, unknown key"], ["early", "runtime"], DENIED),
    Rows("all three", ["imasig"], ALL, OK),
    Rows("all three", ["unsigned"], ALL, DENIED),

    Rows("KEXEC_SIG forced", ["PE"], ALL, OK),
    Rows("KEXEC_SIG forced", ["no PE signature", "imasig without PE"], ["runtime"], "ENODATA"),
    Rows("KEXEC_SIG forced", ["no PE signature"], ["firmware", "early"], "ENODATA"),
    Rows("KEXEC_SIG forced", ["PE, unknown key"], ALL, "ENOKEY"),
    Rows("KEXEC_SIG forced", ["PE of another file", "PE, kernel flipped"], ALL, "EKEYREJECTED|EBADMSG"),
    # No key's owner can have made this one: its padding is wrong
    Rows("KEXEC_SIG forced", ["PE signature flipped"], ALL, "EINVAL"),
    Rows("KEXEC_SIG forced", ["PE signature truncated"], ["runtime"], "ELIBBAD|EBADMSG"),
    Rows("KEXEC_SIG forced", ["PE, dtb unsigned", "PE, dtb imasig"], ["runtime"], "EPERM", True),
    Rows("KEXEC_SIG forced", ["PE, dtb authenticated"], ["firmware"], OK),
    Rows("KEXEC_SIG forced", ["PE, dtb unsigned"], ["firmware"], "EPERM", True),
    Rows("lockdown", ["PE"], ALL, OK),
    Rows("lockdown", ["no PE signature"], ALL, "EPERM"),
    Rows("lockdown", ["PE, kernel flipped", "imasig without PE"], ["runtime"], "EPERM"),
    Rows("lockdown", ["PE, dtb unsigned"], ["runtime"], "EPERM", True),
    Rows("lockdown", ["PE, dtb authenticated"], ["firmware"], OK),
    Rows("lockdown", ["PE, dtb unsigned"], ["firmware"], "EPERM", True),
    Rows("lockdown+imasig", ["imasig"], ALL, OK),
    Rows("lockdown+imasig", ["unsigned"], ALL, DENIED),
    Rows("lockdown+imasig", ["imasig, unknown key", "imasig, kernel flipped"], ["runtime"], DENIED),
]
Row = collections.namedtuple("Row", "policy kind origin verdict differs")
ROWS = [Row(rows.policy, kind, origin, rows.verdict, rows.differs)
        for rows in TABLE for kind in rows.kinds for origin in rows.origins]


def held(row):
    """What must be in the row's slot from the start, and who puts it there."""
    kind = {"set": "unsigned"}.get(row.origin, row.kind)
    return kind, "early" if row.origin == "early" else "firmware"


def boots_of(name):
    """The boots that a policy needs: the slots of each, and its rows with their slot."""
    policy = POLICIES[name]
    boots = []
    for row in [row for row in ROWS if row.policy == name]:
        for slots, rows in boots or [(None, None)]:
            if not slots:
                continue
            found = [slot for slot in slots if (slot.kind, slot.origin) == held(row)] if row.origin != "runtime" else \
                [slot for slot in slots if slot.origin == "runtime"]
            if found and row.origin != "touched" or len(slots) < ALL_SLOTS:
                break
        else:
            slots, rows = [Slot("base", FIRST, policy.base, "firmware")], []
            boots.append((slots, rows))
            found = [slot for slot in slots if row.origin != "runtime" and (slot.kind, slot.origin) == held(row)]
        if not found or row.origin == "touched":
            kind, origin = (None, "runtime") if row.origin == "runtime" else held(row)
            found = [Slot(f"{row.origin[0]}{len(slots)}", FIRST + len(slots) * SLOT, kind, origin)]
            slots += found
        rows.append((row, found[-1]))
    return boots


BOOTS = [(f"{name}/{i}" if i else name, name, *boot) for name in POLICIES for i, boot in enumerate(boots_of(name))]


def put(m, row, slot):
    """Change a row's slot as the row says, before the load."""
    payload = KINDS[row.kind][1]
    if row.origin == "runtime":
        stage(m, slot, payload)
    elif row.origin == "touched":
        m.run(f"cat /signed/{payload.kernel} > {slot.path('kernel')}")
    if row.origin in ("touched", "set"):
        signing.sign(m, slot.path("kernel"), payload.kernel_sig)


def judge(m, row, slot, slots, mainline):
    """One row: our verdict and mainline's. The check's answer is the load's, and changes nothing. What was loaded stays so
    if it is refused, and all slots as they were."""
    if row.policy == "lockdown" and row.verdict != OK:
        # The kernel logs ten refusals in five seconds, and a row makes three
        m.run("sleep 2")
    put(m, row, slot)
    before = m.run("states")
    assert "loaded: 1\n" in before and f"{slots[0].path('state')}: loaded\n" in before, before
    checked = check_slot(m, slot)
    if row.kind in FLIPPED_LATER and checked[0] == "EBADMSG":
        before = before.replace(f"{slot.path('state')}: staged\n", f"{slot.path('state')}: bad\n")
    after = m.run("states")
    assert after == before, f"{row}: a check changed slots, or what is loaded:\nbefore:\n{before}\nafter:\n{after}"
    ours = load_slot(m, slot)
    # What is known to be damaged is refused for that alone
    same = checked[0] == ours[0] if row.kind in FLIPPED_LATER else checked == ours
    assert same, f"{row}: checked {checked}, loaded {ours}"
    if ours[0] == OK:
        loaded = m.run(f"cat {slot.path('state')} /sys/kernel/kexec/copy_bytes").split()
        assert loaded == ["loaded", "0"], f"{row}: {loaded}"
        load_base(m, slots)
    after = m.run("states")
    assert after == before, f"{row}: slots, or what is loaded, changed:\nbefore:\n{before}\nafter:\n{after}"
    payload = KINDS[row.kind][1]
    key = payload._replace(dtb=None, dtb_sig=None)
    if key not in mainline:
        mainline[key] = load_ext4(m, payload, slot.cmdline)
        if mainline[key][0] == OK:
            load_base(m, slots)
    return ours, mainline[key]


def faults_of(row, ours, theirs):
    """The faults of a row's verdicts, in words."""
    if not re.fullmatch(row.verdict, ours[0]):
        yield f"{row}: {ours}, not {row.verdict}"
    if (ours != theirs) != row.differs:
        yield f"{row}: {ours}, mainline {theirs}" + (", but the table says that they differ" if row.differs else "")
    if ours[0] != OK and not ours[1]:
        yield f"{row}: refused, and nothing in the log says why"


def same_entries(m, row, slot):
    """The faults of IMA's entries for a row's files: ours must equal ext4's, with the digest of the file."""
    entries, payload = signing.measurements(m), KINDS[row.kind][1]
    for file in ("kernel", "initrd"):
        name, signature = getattr(payload, file), getattr(payload, f"{file}_sig")
        if not name:
            continue
        digest = f"sha256:{stash.sha256(signing.SIGNED / name)}"
        signature = (signing.SIGNED / signature).read_bytes().hex() if signature else ""
        ours, theirs = ([entry._replace(name="") for entry in entries if entry.name == path and entry.digest == digest
                         and (not entry.more or entry.more[0] == signature)]
                        for path in (slot.path(file), f"/signed/{file}.now"))
        print(f"{row.policy:18} {row.kind:30} {row.origin:9} {file:7} adopted:   {short(ours)}")
        print(f"{'':18} {'':30} {'':9} {'':7} from ext4: {short(theirs)}")
        if len(ours) != 1 or ours != theirs:
            yield f"{row}: {file}: measured {short(ours)}, mainline {short(theirs)}"


def short(entries):
    """Entries for output: of long fields the beginning and the length."""
    return [" ".join(word if len(word) < 24 else f"{word[:20]}..({len(word)})"
                     for word in (entry.template, entry.digest, *entry.more)).rstrip() for entry in entries]


def dtb_is_measured(m, row):
    """The faults of an authenticated dtb's entry."""
    digest = stash.sha256(signing.SIGNED / "dtb")
    found = [entry for entry in signing.measurements(m) if entry.name == "dtb"]
    want = signing.Entry("ima-buf", f"sha256:{hashlib.sha256(bytes.fromhex(digest)).hexdigest()}", "dtb", (digest,))
    if found != [want]:
        yield f"{row}: its dtb: {found}, not {want}"


@pytest.fixture(scope="module")
def table():
    """The tests' verdicts, printed and kept after the last one."""
    lines = [("policy", "kind", "good", "origin", "adopted", "from ext4", "cause", "and mainline's")]
    yield lines
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    text = "\n".join("  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths)).rstrip() for line in lines)
    out = signing.BUILD / "check/signed-matrix.txt"
    out.parent.mkdir(exist_ok=True)
    out.write_text(text + "\n")
    print("\n" + text)


@pytest.mark.parametrize("title,name,slots,rows", BOOTS, ids=[boot[0] for boot in BOOTS])
def test_verdicts(title, name, slots, rows, table):
    """Each row's verdict is that of the table, and mainline's for the same bytes on ext4, with the same cause."""
    faults, mainline = [], {}
    with start(title, name, slots) as m:
        for row, slot in rows:
            ours, theirs = judge(m, row, slot, slots, mainline)
            table.append((name, row.kind, KINDS[row.kind][0], row.origin, ours[0], theirs[0], ours[1],
                          "" if theirs[1] == ours[1] else theirs[1]))
            faults += faults_of(row, ours, theirs)
            if MEASURES.search(name):
                faults += same_entries(m, row, slot)
            if name == "imasig+critical" and AUTHENTICATED.search(row.kind) and ours[0] == OK:
                faults += dtb_is_measured(m, row)
    assert not faults, "\n".join(faults)
