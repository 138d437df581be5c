# SPDX-License-Identifier: GPL-2.0-or-later
"""Verified ahead: a payload is checked, sealed and cleaned before the load, and the load repeats none of it."""

import json

import pytest

import stash
from scribble import assert_read_only, assert_writable, may_scribble, scribble_module
from stash import BASE_A, BASE_B, MIB, verified, wait_until_verified

VERIFY_AHEAD = "/sys/module/kexec_stash/parameters/verify_ahead"
# A load that reads no payload stays below a millisecond, on a machine that does one instruction a nanosecond
LOAD_NS = 1_000_000
LARGE = 64 * MIB


def load_ns(m, slot):
    result = json.loads(m.run(f"kexec-membuf load {slot} --json", timeout=120))
    assert result["copy_bytes"] == 0
    return result["verified"], result["load_ns"]


def damaged(tmp_path_factory):
    """A kernel with one bit changed."""
    path = tmp_path_factory.mktemp("verified") / "damaged"
    content = bytearray(stash.IMAGE.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    return path


@pytest.mark.steps
class TestVerified:
    """Slot a is firmware's. b has a damaged kernel, and is staged again at run time."""

    @pytest.fixture(scope="class")
    def m(self, tmp_path_factory):
        files, load = stash.staged(BASE_A)
        bad, bad_load = stash.staged(BASE_B, kernel=damaged(tmp_path_factory), initrd=None)
        bad["kernel"] = bad["kernel"][:2] + (stash.sha256(stash.IMAGE),)
        nodes = [stash.node("a", BASE_A, files=files, bootargs=stash.BOOTARGS), stash.node("b", BASE_B, files=bad)]
        with stash.direct_machine("verified", nodes, load + bad_load, smp=1, extra=["-icount", "shift=0"],
                                  initrd=stash.initrd_with("verified", {"scribble.ko": scribble_module()})) as m:
            may_scribble(m)
            yield m

    def test_what_is_damaged_is_known_before_a_load(self, m):
        """Nobody asked for it."""
        lines = stash.wait_for_log(m, "slot 'b'.*stage it again")
        assert stash.state(m, "b") == "bad" and not verified(m, "b")
        print(lines)
        assert len(lines) == 1 and "kernel: its sha256 is" in lines[0]
        assert_writable(m, {"first byte": BASE_B})

    def test_what_firmware_staged(self, m):
        wait_until_verified(m, "a")
        assert stash.state(m, "a") == "staged"
        assert_read_only(m, {"first byte": BASE_A, "last byte": BASE_A + stash.SLOT_SIZE - 1})
        assert "kexec_verify" in m.run("ps")

    def test_load_takes_less_than_a_millisecond(self, m):
        """The least of several, since other work in the guest is not the load's. make bench has the exact count."""
        took = []
        for _ in range(5):
            what, ns = load_ns(m, "a")
            assert what == "before"
            took.append(ns)
            m.run("kexec-membuf unload")
            assert stash.state(m, "a") == "staged" and verified(m, "a")
        print(f"loaded, verified before: {took} instructions")
        assert min(took) < LOAD_NS

    def test_turned_off_a_load_looks_at_all(self, m):
        m.run(f"echo 0 > {VERIFY_AHEAD}")
        assert not verified(m, "a")
        assert_writable(m, {"first byte": BASE_A})
        what, ns = load_ns(m, "a")
        print(f"loaded, verified {what}: {ns} instructions")
        assert what == "now" and ns > 10 * LOAD_NS
        m.run(f"kexec-membuf unload; echo 1 > {VERIFY_AHEAD}")
        wait_until_verified(m, "a")

    def test_what_is_staged_at_run_time(self, m):
        m.run(f"rm {stash.slot_path('b', 'kernel')}")
        stash.stage(m, "b")
        assert not verified(m, "b") and stash.state(m, "b") == "staged"
        wait_until_verified(m, "b")
        assert stash.state(m, "b") == "staged"
        assert_read_only(m, {"first byte": BASE_B, "last byte": BASE_B + stash.SLOT_SIZE - 1})
        assert "verified:     yes" in m.run("kexec-membuf show b")

    @pytest.mark.parametrize("how,state", [("printf ' ro' >> {0}cmdline", "staged"),
                                           ("cp /mnt/own.initrd {0}initrd", "staged"),
                                           ("rm {0}initrd", "staged"), (": > {0}kernel", "bad")],
                             ids=["append", "overwrite", "unlink", "truncate"])
    def test_who_writes_breaks_the_seal(self, m, how, state):
        wait_until_verified(m, "b")
        m.run(how.format(stash.slot_path("b")))
        assert not verified(m, "b") and stash.state(m, "b") == state
        assert_writable(m, {"first byte": BASE_B, "last byte": BASE_B + stash.SLOT_SIZE - 1})

    def test_written_again_it_is_verified_again(self, m):
        stash.stage(m, "b")
        wait_until_verified(m, "b")
        for file, source in (("kernel", "own.linux"), ("initrd", "own.initrd")):
            assert stash.guest_sha256(m, stash.slot_path("b", file)) == stash.sha256(stash.FILES[source])

    def test_digests_that_were_taken_go_on_to_the_next_kernel(self, m):
        """The digests are in its record, and it verifies with them."""
        what, _ = load_ns(m, "a")
        assert what == "before"
        m.jump("kexec -e")
        m.shell()
        assert stash.state(m, "b") == "staged"
        node = f"/sys/firmware/devicetree/base/reserved-memory/kexec-stash@{BASE_B:x}"
        for file, source in (("kernel", "own.linux"), ("initrd", "own.initrd")):
            recorded = m.run(f"od -A n -t x1 -v {node}/{file}/hash-1/value | tr -d ' \\n'")
            assert recorded.strip() == stash.sha256(stash.FILES[source]), file
        wait_until_verified(m, "b")


def test_loads_and_writes_while_it_is_verified():
    """A caller in the middle of it does not wait, and nothing is hashed twice: shown by instruction counts."""
    nodes = [stash.node("a", BASE_A, size=256 * MIB)]
    initrd = stash.initrd_with("verified-middle", {"cputime": stash.BUILD / "tests/cputime"})
    with stash.direct_machine("verified-middle", nodes, smp=1, extra=["-icount", "shift=0"], initrd=initrd) as m:
        m.run(f"echo 0 > {VERIFY_AHEAD}")
        m.run(f"cp /mnt/own.linux {stash.slot_path('a', 'kernel')}")
        m.run(f"head -c {LARGE} /dev/zero > {stash.slot_path('a', 'initrd')}", timeout=300)
        m.run(f"printf %s '{stash.BOOTARGS}' > {stash.slot_path('a', 'cmdline')}")
        m.run(f"echo 1 > {VERIFY_AHEAD}")
        wait_until_verified(m, "a")
        m.run(f"echo 0 > {VERIFY_AHEAD}")
        what, all_of_it = load_ns(m, "a")
        assert what == "now"
        m.run("kexec-membuf unload")

        thread = m.run("pidof kexec_verify").strip()
        shares = []
        for part in (0.25, 0.5, 0.75):
            begun = int(m.run(f"/cputime {thread}"))
            m.run(f"echo 1 > {VERIFY_AHEAD}; /cputime {thread} {begun + int(part * all_of_it)} > /tmp/then; "
                  "kexec-membuf load a --json > /tmp/load", timeout=120)
            shares.append(((int(m.run("cat /tmp/then")) - begun) / all_of_it,
                           json.loads(m.run("cat /tmp/load"))["load_ns"] / all_of_it))
            assert verified(m, "a")
            m.run(f"kexec-membuf unload; echo 0 > {VERIFY_AHEAD}")
        print(f"of {all_of_it} instructions: "
              f"{', '.join(f'{before:.0%} before the load and {left:.0%} in it' for before, left in shares)}")
        for part, (before, left) in zip((0.25, 0.5, 0.75), shares):
            assert part <= before < part + 0.1 and 0.9 < before + left < 1.1

        begun = int(m.run(f"/cputime {thread}"))
        m.run(f"echo 1 > {VERIFY_AHEAD}; /cputime {thread} {begun + all_of_it // 2}; "
              f"printf x >> {stash.slot_path('a', 'initrd')}")
        assert stash.state(m, "a") == "staged" and not verified(m, "a")
        wait_until_verified(m, "a")
        assert m.run(f"wc -c < {stash.slot_path('a', 'initrd')}").strip() == str(LARGE + 1)
        assert load_ns(m, "a")[0] == "before"


def test_turned_off_in_the_middle_it_ends_at_once():
    """Turning it off waits for a chunk, not for a whole verification: shown by the thread's progress."""
    nodes = [stash.node("a", BASE_A, size=256 * MIB)]
    initrd = stash.initrd_with("verified-off", {"cputime": stash.BUILD / "tests/cputime"})
    with stash.direct_machine("verified-off", nodes, smp=1, extra=["-icount", "shift=0"], initrd=initrd) as m:
        thread = m.run("pidof kexec_verify").strip()
        m.run(f"echo 0 > {VERIFY_AHEAD}")
        m.run(f"cp /mnt/own.linux {stash.slot_path('a', 'kernel')}")
        m.run(f"head -c {LARGE} /dev/zero > {stash.slot_path('a', 'initrd')}", timeout=300)
        begun = int(m.run(f"/cputime {thread}"))
        m.run(f"echo 1 > {VERIFY_AHEAD}")
        wait_until_verified(m, "a")
        all_of_it = int(m.run(f"/cputime {thread}")) - begun
        m.run(f"echo 0 > {VERIFY_AHEAD}")
        begun = int(m.run(f"/cputime {thread}"))
        m.run(f"echo 1 > {VERIFY_AHEAD}; /cputime {thread} {begun + all_of_it // 4} > /tmp/then; "
              f"echo 0 > {VERIFY_AHEAD}; /cputime {thread} > /tmp/off")
        then, off = ((int(m.read(f"/tmp/{name}")) - begun) / all_of_it for name in ("then", "off"))
        print(f"of {all_of_it} instructions: {then:.0%} when it was turned off, {off:.0%} when that was done")
        assert 0.25 <= then < 0.35 and off - then < 0.05
        assert not verified(m, "a") and stash.state(m, "a") == "staged"
        m.run(f"printf x >> {stash.slot_path('a', 'initrd')}")
