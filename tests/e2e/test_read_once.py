# SPDX-License-Identifier: GPL-2.0-or-later
"""A load reads each byte once: not again while the slot stays sealed, and not for IMA and the recorded digest apart.

Told by instruction counts of the load, which -icount makes the same in each run.
"""

import json

import pytest

import stash

MEASURE = ["measure func=KEXEC_KERNEL_CHECK", "measure func=KEXEC_INITRAMFS_CHECK"]


@pytest.fixture(scope="module")
def counted():
    """Instructions of loads: with and without a policy that measures, the first, the next, and one after an unload."""
    files, load = stash.staged(stash.BASE_A)
    counts = {}
    for name, rules in (("none", []), ("measured", MEASURE)):
        nodes = [stash.node("a", stash.BASE_A, files=files, bootargs=stash.BOOTARGS)]
        with stash.direct_machine(f"once-{name}", nodes, load, smp=1, extra=["-icount", "shift=0"],
                                  append=stash.NOT_AHEAD) as m:
            for rule in rules:
                m.run(f"echo '{rule}' > /sys/kernel/security/ima/policy")
            for when in ("first", "next", "unloaded"):
                if when == "unloaded":
                    m.run("kexec-membuf unload")
                counts[name, when] = json.loads(m.run("kexec-membuf load a --json"))["load_ns"]
    print("".join(f"\n{name:<10} {when:<10} {count:>12} instructions" for (name, when), count in counts.items()))
    return counts


@pytest.mark.parametrize("policy", ["none", "measured"])
def test_not_again_while_sealed(counted, policy):
    """A second load of a loaded slot hashes nothing; one after an unload does."""
    assert counted[policy, "next"] * 5 < counted[policy, "first"]
    assert counted[policy, "unloaded"] * 10 > counted[policy, "first"] * 9


def test_digest_of_ima_is_the_recorded_one(counted):
    """IMA measures with the recorded algorithm. Its digest is compared, and no other is computed."""
    assert counted["measured", "first"] * 10 < counted["none", "first"] * 11
