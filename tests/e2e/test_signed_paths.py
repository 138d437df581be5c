# SPDX-License-Identifier: GPL-2.0-or-later
"""Ways of a signature: from U-Boot's record, from evmctl in the guest; and IMA's entry of a command line."""

import hashlib

import signing
import stash
from signed_slots import FIRST, KINDS, OK, POLICIES, SLOT, Slot, load_base, load_ext4, load_slot, set_up, stage, start
from signing import IMASIG

DENIED = "EACCES"


def test_command_line_is_measured_as_mainline_does():
    """KEXEC_CMDLINE: mainline's entry and an adoption's are the same, so the list has it once."""
    def lines(m):
        return [entry for entry in signing.measurements(m) if entry.name == "kexec-cmdline"]

    def entry(text):
        return signing.Entry("ima-buf", f"sha256:{hashlib.sha256(text.encode()).hexdigest()}", "kexec-cmdline",
                             (text.encode().hex(),))

    base = Slot("base", FIRST, "initrd imasig", "firmware")
    with start("measured-cmdline", "measure", [base]) as m:
        # The slot's own, from its record
        want = [entry(base.cmdline)]
        assert lines(m) == want
        assert load_ext4(m, KINDS[base.kind][1], base.cmdline)[0] == OK
        assert lines(m) == want
        for text in ("mainline", "ours"):
            want.append(entry(text))
            ways = [lambda: load_ext4(m, KINDS[base.kind][1], text),
                    lambda: load_slot(m, base, "-c", text)]
            for way in ways if text == "mainline" else reversed(ways):
                assert way()[0] == OK
                assert lines(m) == want


def test_signed_in_the_guest_after_the_policy_changed():
    """A slot that was adopted before there was a policy is appraised again. evmctl signs it in place."""
    base, slot = Slot("base", FIRST, "imasig", "firmware"), Slot("r1", FIRST + SLOT, None, "runtime")
    with start("evmctl", "none", [base, slot]) as m:
        stage(m, slot, KINDS["unsigned"][1])
        assert load_slot(m, slot) == (OK, "")
        # The kernel refuses a certificate that nobody it trusts has signed
        output, status = signing.add_key(m, "stranger")
        assert status != 0 and "Required key not available" in output, output
        signing.write_policy(m, [IMASIG])
        assert load_slot(m, slot) == (DENIED, "IMA-signature-required")
        assert stash.state(m, slot.label) == "loaded" and m.read("/sys/kernel/kexec/loaded") == "1"
        load_base(m, [base])
        assert stash.state(m, slot.label) == "staged"
        m.run(f"evmctl ima_sign -a sha256 --key /signed/signer.key {slot.path('kernel')}")
        print(m.run(f"evmctl ima_verify --key /signed/signer.der {slot.path('kernel')} 2>&1"))
        assert load_slot(m, slot) == (OK, "") and stash.state(m, slot.label) == "loaded"
        load_base(m, [base])
        m.run(f"evmctl ima_sign -a sha256 --key /signed/stranger.key {slot.path('kernel')}")
        assert load_slot(m, slot) == (DENIED, "invalid-signature")
        assert stash.state(m, base.label) == "loaded"


def test_signatures_that_uboot_recorded():
    """kstash load <slot> kernel.sig: nobody sets an xattr, and the policy is satisfied."""
    want = {"full imasig": (OK, ""), "initrd, unknown key": (DENIED, "invalid-signature"),
            "initrd imasig, kernel unknown": (DENIED, "invalid-signature"),
            "initrd unsigned": (DENIED, "IMA-signature-required"),
            "initrd, sig. of another file": (DENIED, "invalid-signature")}
    slots = [Slot(f"u{i}", FIRST + i * SLOT, kind, "firmware") for i, kind in enumerate(want)]
    with stash.uboot_machine("signed-uboot", extra=signing.disk_options()) as m:
        for slot in slots:
            uboot_stage(m, slot)
        m.uboot(f'setenv bootargs "{stash.BOOTARGS}"')
        m.uboot("load virtio 0 ${kernel_addr_r} own.linux")
        m.uboot("load virtio 1 ${ramdisk_addr_r} signing.initrd")
        m.send("booti ${kernel_addr_r} ${ramdisk_addr_r}:${filesize} ${fdtcontroladdr}\r")
        m.wait_for("Starting kernel", fatal=r"(?i)\berror\b[^\r\n]*|Bad Linux[^\r\n]*")
        m.shell()
        signing.prepare(m)
        set_up(m, POLICIES["imasig+initrd"])
        for slot in slots:
            assert m.read(slot.path("origin")) == "firmware"
            assert load_slot(m, slot) == want[slot.kind], slot
            assert stash.state(m, slots[0].label) == "loaded"
        m.jump("kexec-membuf exec")
        m.shell()
        first, last = stash.kernel_code(m)
        assert FIRST <= first and last < FIRST + SLOT, (hex(first), hex(last))
        assert stash.state(m, slots[0].label) == "running"
        # The next kernel gets all other slots with their signatures
        for slot in slots[1:]:
            assert stash.state(m, slot.label) == "staged"
            if signature := KINDS[slot.kind][1].kernel_sig:
                path = f"/proc/device-tree/reserved-memory/kexec-stash@{slot.base:x}/kernel/ima-signature"
                assert stash.guest_sha256(m, path) == stash.sha256(signing.SIGNED / signature), slot


def uboot_stage(m, slot):
    """A slot's payload, from the second disk."""
    m.uboot(f"kstash reserve {slot.label} {SLOT:#x} {slot.base:#x}")
    for file in ("kernel", "initrd"):
        name, signature = (getattr(KINDS[slot.kind][1], field) for field in (file, f"{file}_sig"))
        m.uboot(f"kstash load {slot.label} {file} virtio 1 {name}")
        if signature:
            m.uboot(f"kstash load {slot.label} {file}.sig virtio 1 {signature}")
    m.uboot(f'kstash bootargs {slot.label} "{stash.BOOTARGS}"')
