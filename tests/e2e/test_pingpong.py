# SPDX-License-Identifier: GPL-2.0-or-later
"""Twenty kexecs in a row between two slots, two of them by way of Debian's 6.1, beside a rescue that U-Boot staged."""

import copy

import pytest

import pingpong

ROUNDS = 20
# These rounds go to 6.1; the next round comes back
DEBIAN = (6, 14)


@pytest.mark.steps
class TestPingPong:
    """One machine. PingPong.go() has the checks before and after each kexec."""

    @pytest.fixture(scope="class")
    def p(self):
        with pingpong.machine("pingpong", seed=4) as machine:
            machine.rounds = pingpong.plan(machine.payloads, ROUNDS + 1, DEBIAN)
            print(pingpong.HEAD)
            yield machine

    def go(self, p, first, last):
        for round_ in p.rounds[first - 1:last]:
            print(pingpong.line(p.payloads, p.go(round_)), flush=True)

    def test_ten_rounds(self, p):
        self.go(p, 1, 10)

    def test_rescue_after_ten_rounds_is_what_uboot_staged(self, p):
        p.adopt_rescue()

    def test_ten_more(self, p):
        self.go(p, 11, ROUNDS)

    def test_nothing_is_lost_from_kernel_to_kernel(self, p):
        print(pingpong.losses(p.rows))
        assert not pingpong.leaks(p.rows)

    @pytest.mark.parametrize("figure", ["MemTotal", "MemAvailable", "Slab", "VmallocUsed", "dtb", "memreserve"])
    def test_a_leak_would_be_seen(self, p, figure):
        """Finds two pages too many in each round, and a tree that grows once."""
        rows = copy.deepcopy([row for row in p.rows if figure in row])
        if figure in pingpong.SIGN:
            lost, limit = pingpong.losses(rows)[figure]
            for row in rows:
                row[figure] += pingpong.SIGN[figure] * (limit - lost + 8) * row["round"].number
        else:
            last = [row for row in rows if row["round"].kind == pingpong.OWN][-1]
            last[figure] += 1
        found = pingpong.leaks(rows)
        assert len(found) == 1 and found[0].startswith(figure), found

    def test_rescue_boots_and_goes_on(self, p):
        p.boot_rescue()
        self.go(p, ROUNDS + 1, ROUNDS + 1)
