# SPDX-License-Identifier: GPL-2.0-or-later
"""Slots with signed payloads, good and bad, in machines with a policy: the tests of signatures share this."""

import collections
import re

import signing
import stash
from qemu import closed_on_failure
from signing import IMASIG, INITRD_IMASIG, MODSIG
from stash import MIB

NO_INITRAMFS, NO_CMA, MEMBUF, CHECK = 0x4, 0x10, 0x100, 0x200
SLOT, FIRST, ALL_SLOTS = 40 * MIB, 0x50000000, 8
OK = "OK"

# A payload's files in /signed, and the files with their security.ima
Payload = collections.namedtuple("Payload", "kernel kernel_sig initrd initrd_sig dtb dtb_sig", defaults=[None] * 5)

# The record says of these that the boot stage has checked a signature over the dtb
AUTHENTICATED = re.compile("dtb authenticated")

# The record of these has the digest of a file before one of its bits was flipped
FLIPPED_LATER = {"imasig, kernel flipped later": {"kernel": "plain"}, "dtb authenticated, flipped": {"dtb": "dtb"}}

# kind: (good or bad, payload). The table says which are good for which policy
SIGNED = Payload("plain", "plain.sig")
KINDS = {
    "unsigned": ("bad", Payload("plain")),
    "imasig": ("good", SIGNED),
    "imasig, unknown key": ("bad", Payload("plain", "plain.sig-stranger")),
    "imasig of another file": ("bad", Payload("plain", "initrd.sig")),
    "imasig, kernel flipped": ("bad", Payload("plain.flipped", "plain.sig")),
    "imasig, kernel flipped later": ("bad", Payload("plain.flipped", "plain.sig")),
    "imasig flipped": ("bad", Payload("plain", "plain.sig-flipped")),
    "imasig truncated": ("bad", Payload("plain", "plain.sig-truncated")),

    "initrd unsigned": ("bad", SIGNED._replace(initrd="initrd")),
    "initrd imasig": ("good", SIGNED._replace(initrd="initrd", initrd_sig="initrd.sig")),
    "initrd, unknown key": ("bad", SIGNED._replace(initrd="initrd", initrd_sig="initrd.sig-stranger")),
    "initrd, sig. of another file": ("bad", SIGNED._replace(initrd="initrd", initrd_sig="plain.sig")),
    "initrd flipped": ("bad", SIGNED._replace(initrd="initrd.flipped", initrd_sig="initrd.sig")),
    "initrd, sig. flipped": ("bad", SIGNED._replace(initrd="initrd", initrd_sig="initrd.sig-flipped")),
    "initrd, sig. truncated": ("bad", SIGNED._replace(initrd="initrd", initrd_sig="initrd.sig-truncated")),
    "initrd imasig, kernel unknown": ("bad", Payload("plain", "plain.sig-stranger", "initrd", "initrd.sig")),

    "modsig": ("good", Payload("modsig")),
    "modsig, unknown key": ("bad", Payload("modsig.stranger")),
    "modsig of another file": ("bad", Payload("modsig.other")),
    "modsig, kernel flipped": ("bad", Payload("modsig.flipped")),
    "modsig flipped": ("bad", Payload("modsig.sig-flipped")),
    "modsig truncated": ("bad", Payload("modsig.sig-truncated")),
    "modsig, imasig unknown key": ("good", Payload("modsig", "plain.sig-stranger")),
    "modsig, imasig of another file": ("good", Payload("modsig", "plain.sig")),

    "PE": ("good", Payload("pe")),
    "no PE signature": ("bad", Payload("full")),
    "PE, unknown key": ("bad", Payload("pe.stranger")),
    "PE of another file": ("bad", Payload("pe.other")),
    "PE, kernel flipped": ("bad", Payload("pe.flipped")),
    "PE signature flipped": ("bad", Payload("pe.sig-flipped")),
    "PE signature truncated": ("bad", Payload("pe.sig-truncated")),
    "imasig without PE": ("bad", Payload("full", "full.sig")),

    "full imasig": ("good", Payload("full", "full.sig", "full.initrd", "full.initrd.sig")),

    "dtb unsigned": ("bad", SIGNED._replace(dtb="dtb")),
    "dtb imasig": ("good", SIGNED._replace(dtb="dtb", dtb_sig="dtb.sig")),
    "dtb, unknown key": ("bad", SIGNED._replace(dtb="dtb", dtb_sig="dtb.sig-stranger")),
    "dtb, sig. of another file": ("bad", SIGNED._replace(dtb="dtb", dtb_sig="plain.sig")),
    "dtb authenticated": ("good", SIGNED._replace(dtb="dtb")),
    "dtb authenticated, flipped": ("bad", SIGNED._replace(dtb="dtb.flipped")),
    "modsig, dtb unsigned": ("bad", Payload("modsig", dtb="dtb")),
    "modsig, dtb modsig": ("good", Payload("modsig", dtb="dtb.modsig")),
    "PE, dtb unsigned": ("bad", Payload("pe", dtb="dtb")),
    "PE, dtb authenticated": ("good", Payload("pe", dtb="dtb")),
    "PE, dtb imasig": ("bad", Payload("pe", dtb="dtb", dtb_sig="dtb.sig")),
}


# name: rules to write (or a signed file of them), kernel parameters, the image loaded before, other kernel
Policy = collections.namedtuple("Policy", "rules append base image", defaults=("", "imasig", None))
MEASURE = [f"measure func={func}" for func in ("KEXEC_KERNEL_CHECK", "KEXEC_INITRAMFS_CHECK")]
POLICIES = {
    "none": Policy([]),
    "imasig": Policy([IMASIG]),
    "imasig+initrd": Policy([IMASIG, INITRD_IMASIG], base="initrd imasig"),
    "imasig+critical": Policy([IMASIG, "measure func=CRITICAL_DATA label=kexec_stash"]),
    "imasig|modsig": Policy([MODSIG], base="modsig"),
    "measure": Policy([*MEASURE, "measure func=KEXEC_CMDLINE"]),
    "measure ima-sig": Policy([f"{rule} template=ima-sig" for rule in MEASURE] + ["measure func=KEXEC_CMDLINE"]),
    "measure ima-modsig": Policy([f"{rule} template=ima-modsig" for rule in MEASURE] + [MODSIG], base="modsig"),
    "tcb": Policy([], "ima_policy=tcb"),
    "critical_data": Policy([], "ima_policy=critical_data"),
    "secure_boot": Policy([], "ima_policy=secure_boot"),
    "secure_boot+rules": Policy("policy.modsig", "ima_policy=secure_boot"),
    "all three": Policy([], 'ima_policy="tcb|critical_data|secure_boot"'),
    "KEXEC_SIG forced": Policy([], base="PE", image=signing.SIG_FORCE_IMAGE),
    "lockdown": Policy([], "lockdown=integrity", base="PE"),
    "lockdown+imasig": Policy([IMASIG], "lockdown=integrity"),
}


class Slot(collections.namedtuple("Slot", "label base kind origin")):
    """A slot of one boot. kind: the payload that firmware or early code left there, None for nothing."""

    def path(self, file):
        return stash.slot_path(self.label, file)

    @property
    def cmdline(self):
        return f"slot={self.label}"

    def record(self):
        """Source text of its record, and the files that QEMU loads into it."""
        if not self.kind:
            return stash.node(self.label, self.base, SLOT), []
        payload = KINDS[self.kind][1]
        paths = {file: signing.SIGNED / name for file in ("kernel", "initrd", "dtb")
                 if (name := getattr(payload, file))}
        files, load = stash.staged(self.base, **{"initrd": None, **paths}, size=SLOT)
        for file, good in FLIPPED_LATER.get(self.kind, {}).items():
            files[file] = (*files[file][:2], stash.sha256(signing.SIGNED / good))
        node = stash.node(self.label, self.base, SLOT, files, bootargs=self.cmdline,
                          body='origin = "early";' if self.origin == "early" else "")
        for file in files:
            if signature := getattr(payload, f"{file}_sig"):
                value = (signing.SIGNED / signature).read_bytes().hex()
                node = node.replace(f"\n{file} {{ ", f"\n{file} {{ ima-signature = [{value}]; ", 1)
        if AUTHENTICATED.search(self.kind):
            node = node.replace("\ndtb { ", "\ndtb { authenticated; ", 1)
        return node, load


def start(title, name, slots):
    """The machine of a boot: slots filled, key and policy in place, the first slot loaded."""
    policy = POLICIES[name]
    signing.files()
    records = [slot.record() for slot in slots]
    append = policy.append
    if any(slot.kind in FLIPPED_LATER for slot in slots):
        # The load must find the faults, not the thread that verifies ahead
        append += " kexec_stash.verify_ahead=0"
    m = signing.machine(f"signed-{re.sub('[^A-Za-z0-9_]', '-', title)}", [node for node, _ in records],
                        [file for _, load in records for file in load], append,
                        **({"kernel": policy.image} if policy.image else {}))
    with closed_on_failure(m):
        set_up(m, policy)
        load_base(m, slots)
    return m


def set_up(m, policy):
    """Set key and rules."""
    output, status = signing.add_key(m)
    assert status == 0, output
    if isinstance(policy.rules, str):
        # The kernel refuses unsigned rules
        path = f"/signed/{policy.rules}"
        m.fails(f"cat {path} > {signing.POLICY}")
        m.fails(f"echo {path} > {signing.POLICY}")
        signing.sign(m, path, f"{policy.rules}.sig")
        m.run(f"echo {path} > {signing.POLICY}")
    elif policy.rules:
        signing.write_policy(m, policy.rules)


def stage(m, slot, payload):
    """Stage a payload into a slot, from the running system. Files that are in place stay."""
    staged = m.__dict__.setdefault("staged", {})
    for file in ("kernel", "initrd", "dtb"):
        name, signature = getattr(payload, file), getattr(payload, f"{file}_sig")
        there = staged.get((slot, file), (None, None))
        if name != there[0]:
            m.run(f"cat /signed/{name} > {slot.path(file)}" if name else f": > {slot.path(file)}", timeout=120)
        if signature or there[1]:
            signing.sign(m, slot.path(file), signature)
        staged[slot, file] = name, signature
    if not staged.get(slot):
        m.run(f"printf %s {slot.cmdline} > {slot.path('cmdline')}")
        staged[slot] = True


def load_slot(m, slot, *options):
    """Adopt a whole slot: verdict and cause."""
    return signing.load(m, "-f", hex(MEMBUF), *options, slot.path("kernel"))


def check_slot(m, slot):
    """Ask whether a slot would be adopted: verdict and cause, as load_slot() has them. Nothing is loaded."""
    return signing.load(m, "-f", hex(MEMBUF | CHECK), slot.path("kernel"))


def load_base(m, slots):
    """Load the image that each refusal must leave loaded."""
    verdict = load_slot(m, slots[0])
    assert verdict == (OK, ""), verdict


def load_ext4(m, payload, cmdline):
    """Mainline's verdict on the same bytes on ext4, in new files that IMA does not know. It takes no dtb."""
    for file in ("kernel", "initrd"):
        if name := getattr(payload, file):
            m.run(f"rm -f /signed/{file}.now; cp /signed/{name} /signed/{file}.now", timeout=120)
            if signature := getattr(payload, f"{file}_sig"):
                signing.sign(m, f"/signed/{file}.now", signature)
    # Without CMA: if only the kernel fits there, the initrd finds no place (EADDRNOTAVAIL)
    initrd = ("-f", hex(NO_CMA), "-i", "/signed/initrd.now") if payload.initrd else ("-f", hex(NO_CMA | NO_INITRAMFS))
    return signing.load(m, *initrd, "-c", cmdline, "/signed/kernel.now")
