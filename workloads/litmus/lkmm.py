"""The Linux kernel memory model: which candidate executions the kernel's code may have.

Each relation has the name it has there, with ``_`` for ``-``.

Source: tools/memory-model/linux-kernel.cat, linux-kernel.bell, lock.cat and
Documentation/explanation.txt of the kernel.
"""

from workloads.litmus.executions import Execution, Skeleton
from workloads.litmus.relations import (
    Relation,
    inverse,
    is_acyclic,
    is_empty,
    is_irreflexive,
    or_same,
    plus,
    restrict,
    seq,
    star,
    union,
    within,
)
from workloads.litmus.test import ACQUIRE, FAILED, MB, NORETURN, PLAIN, RELEASE
from workloads.litmus.traces import (
    FENCE,
    LKR,
    LKW,
    READ,
    SRCU_LOCK,
    SRCU_SYNC,
    SRCU_UNLOCK,
    UL,
    WRITE,
)


class Fixed:
    """What of a candidate does not depend on who reads from whom; shared by a skeleton's."""

    __slots__ = (
        "accesses",
        "acq_po",
        "after_unlock_lock",
        "barrier",
        "everything",
        "first",
        "flags",
        "gp",
        "has_rcu",
        "has_sync",
        "identity",
        "lkr",
        "marked",
        "mb",
        "noreturn",
        "plain",
        "po",
        "po_rel",
        "r",
        "r4rmb",
        "rcu_rscs",
        "rmb",
        "rmb_any",
        "srcu_locks",
        "srcu_syncs",
        "srcu_unlocks",
        "sync_rcu",
        "ul",
        "w",
        "wmb",
    )

    def __init__(self, s: Skeleton) -> None:
        sets: dict[str, int] = {}
        for e, event in enumerate(s.events):
            bit = 1 << e
            for name in (event.kind, event.tag if event.kind == FENCE else "", event.role):
                sets[name] = sets.get(name, 0) | bit
            if event.kind != FENCE:
                sets["=" + event.tag] = sets.get("=" + event.tag, 0) | bit
        get = sets.get
        po = s.po
        self.po = po
        self.everything = everything = (1 << len(s.events)) - 1
        self.identity: Relation = [1 << e for e in range(len(s.events))]
        self.first = (1 << s.first) - 1
        self.srcu_locks = get(SRCU_LOCK, 0)
        self.srcu_unlocks = get(SRCU_UNLOCK, 0)
        self.srcu_syncs = get(SRCU_SYNC, 0)
        self.sync_rcu = get("sync-rcu", 0)
        self.r = get(READ, 0)
        self.w = get(WRITE, 0)
        self.accesses = accesses = self.r | self.w
        self.plain = get("=" + PLAIN, 0)
        self.marked = everything ^ self.plain
        self.noreturn = get("=" + NORETURN, 0)
        self.lkr, lkw, self.ul = get(LKR, 0), get(LKW, 0), get(UL, 0)
        acquire = get("=" + ACQUIRE, 0)
        release = get("=" + RELEASE, 0)
        mb_accesses = get("=" + MB, 0)
        rmw_events = get("=" + FAILED, 0)  # herd7's RMW: a read that nothing followed is one, too
        for e, row in enumerate(s.rmw):
            if row:
                rmw_events |= row | 1 << e
        self.acq_po = restrict(acquire, po, accesses)
        self.po_rel = restrict(accesses, po, release)
        self.r4rmb = self.r & ~self.noreturn
        self.rmb = self._between(self.r4rmb, get("rmb", 0), self.r4rmb)
        self.rmb_any = self._between(everything, get("rmb", 0), everything)
        self.wmb = self._between(self.w, get("wmb", 0), self.w)
        po_or_same = or_same(po)
        mb = self._between(accesses, get("mb", 0), accesses)
        if mb_accesses:
            mb = union(
                mb,
                restrict(accesses, po, mb_accesses & self.r),
                restrict(mb_accesses & self.w, po, accesses),
            )
        if get("before-atomic", 0):
            to_rmw = self._between(accesses, get("before-atomic", 0), rmw_events)
            mb = union(mb, restrict(accesses, seq(to_rmw, po_or_same), accesses))
        for name, before in (("after-atomic", rmw_events), ("after-spinlock", lkw)):
            if get(name, 0):
                after = self._between(before, get(name, 0), accesses)
                mb = union(mb, restrict(accesses, seq(po_or_same, after), accesses))
        if get("after-srcu-read-unlock", 0):
            after = self._between(self.srcu_unlocks, get("after-srcu-read-unlock", 0), accesses)
            mb = union(mb, restrict(accesses, seq(po_or_same, after), accesses))
        self.mb = mb
        self.after_unlock_lock = get("after-unlock-lock", 0)
        syncs = self.sync_rcu | self.srcu_syncs
        self.gp = seq(restrict(everything, po, syncs), po_or_same)
        self.has_sync = bool(syncs)
        self.has_rcu = self.has_sync
        fences = 0
        for name in ("barrier", "rmb", "wmb", "mb", "sync-rcu", "before-atomic", "after-atomic"):
            fences |= get(name, 0)
        for name in ("rcu-lock", "rcu-unlock"):
            fences |= get(name, 0)
        fences |= syncs | acquire | release | self.srcu_locks | self.srcu_unlocks
        self.barrier = union(
            self._between(everything, fences, everything),
            restrict(everything, po, release),
            restrict(acquire, po, everything),
        )
        locks, unlocks = get("rcu-lock", 0), get("rcu-unlock", 0)
        self.rcu_rscs = self._sections(s, locks, unlocks)
        self.flags = _unmatched(self.rcu_rscs, locks, unlocks)

    def _between(self, left: int, fences: int, right: int) -> Relation:
        """Return ``[left] ; po ; [fences] ; po ; [right]``."""
        if not fences:
            return [0] * len(self.po)
        return seq(restrict(left, self.po, fences), restrict(fences, self.po, right))

    @staticmethod
    def _sections(s: Skeleton, locks: int, unlocks: int) -> Relation:
        """Pair the outermost rcu_read_lock() with the rcu_read_unlock() that ends it.

        Source: linux-kernel.bell (rcu-rscs): pairs of any depth; inner ones add nothing.
        """
        out = [0] * len(s.events)
        open_locks: list[int] = []
        process = -1
        for e in range(s.first, len(s.events)):
            if s.process[e] != process:
                process, open_locks = s.process[e], []
            if locks >> e & 1:
                open_locks.append(e)
            elif unlocks >> e & 1 and open_locks:
                out[open_locks.pop()] = 1 << e
        return out


def _unmatched(sections: Relation, locks: int, unlocks: int) -> tuple[str, ...]:
    """Return what herd7 flags about sections of RCU.

    Source: linux-kernel.bell, the flags behind rcu-rscs.
    """
    begun = ended = 0
    for e, row in enumerate(sections):
        begun |= (1 << e) if row else 0
        ended |= row
    told = {"unmatched-rcu-lock": locks & ~begun, "unmatched-rcu-unlock": unlocks & ~ended}
    return tuple(flag for flag, found in told.items() if found)


class Lkmm:
    """One execution under the model.

    ``allowed`` tells whether the model allows it, ``flags`` what herd7 flags about it.
    """

    __slots__ = ("allowed", "flags")

    def __init__(self, execution: Execution, fixed: Fixed) -> None:
        self.flags: tuple[str, ...] = ()
        self.allowed = self._check(execution, fixed)
        if self.allowed and fixed.srcu_locks | fixed.srcu_unlocks | fixed.srcu_syncs:
            self.flags = (*_srcu_flags(execution, fixed), *self.flags)
        if self.allowed and fixed.flags:
            self.flags = (*fixed.flags, *self.flags)

    def _check(self, x: Execution, f: Fixed) -> bool:
        s = x.skeleton
        po, marked = f.po, f.marked
        rf, co, fr = x.rf, x.co, x.fr
        same, others = s.same, s.others
        rfe, rfi = within(rf, others), within(rf, same)
        internal = is_empty(rfi)

        # Release Acquire, Fences
        po_unlock_lock_po = [0] * len(po)
        if f.lkr and f.ul:
            handed = restrict(f.ul, union(po, rf), f.lkr)
            po_unlock_lock_po = seq(seq(po, handed), po)
        mb = f.mb
        if f.after_unlock_lock:
            over = seq(restrict(f.accesses, po_unlock_lock_po, f.after_unlock_lock), po)
            mb = union(mb, restrict(f.accesses, over, f.accesses))
        strong_fence = union(mb, f.gp) if f.has_sync else mb
        nonrw_fence = union(strong_fence, f.po_rel, f.acq_po)
        fence = union(nonrw_fence, f.wmb, f.rmb)

        addr, ppo = self._preserved(x, f, fence, po_unlock_lock_po, None if internal else rfi)
        overwrite = union(co, fr)

        # Propagation
        strong_or_release = union(strong_fence, f.po_rel)
        cumulative = union(
            strong_or_release,
            seq(restrict(~0, rfe, marked), strong_or_release),
            f.wmb,
            po_unlock_lock_po,
        )
        cumul_fence = restrict(marked, cumulative, marked)
        rmw_sequence = f.identity
        if any(s.rmw):
            rmw_sequence = star(seq(rf, s.rmw))
            cumul_fence = seq(cumul_fence, rmw_sequence)
        cumul_star = star(cumul_fence)
        over_ext = or_same(restrict(marked, within(overwrite, others), ~0))
        prop = seq(restrict(marked, seq(over_ext, cumul_star), marked), or_same(rfe))
        prop = restrict(marked, prop, marked)

        # Happens Before
        local = [row & same[e] for e, row in enumerate(prop)]
        hb = restrict(marked, union(ppo, rfe, local), marked)
        if not is_acyclic(hb):
            return False
        hb_star = star(hb)
        pb = restrict(~0, seq(seq(prop, strong_fence), hb_star), marked)
        if not is_acyclic(pb):
            return False

        rb: Relation | None = None
        if f.has_rcu:
            rcu_fence = self._rcu_fence(s, f, x, star(pb), prop, hb_star)
            pb_star = star(pb)
            rb = restrict(~0, seq(seq(seq(prop, rcu_fence), hb_star), pb_star), marked)
            if not is_irreflexive(rb):
                return False
            fence = union(fence, rcu_fence)
            strong_fence = union(strong_fence, rcu_fence)
            nonrw_fence = union(nonrw_fence, [0] * len(po))
        if f.plain:
            xb = union(hb, pb) if rb is None else union(hb, pb, rb)
            return self._plain(
                x,
                f,
                star(xb),
                strong_fence,
                nonrw_fence,
                fence,
                cumul_star,
                rmw_sequence,
                rfe,
                addr,
            )
        return True

    @staticmethod
    def _preserved(
        x: Execution, f: Fixed, fence: Relation, unlock_lock: Relation, rfi: Relation | None
    ) -> tuple[Relation, Relation]:
        """Return addr, dependencies carried through memory included, and ppo.

        Args:
            rfi: who reads what its own process has stored; None if nobody does.
        """
        s = x.skeleton
        same = s.same
        addr, data, ctrl = s.addr, s.data, s.ctrl
        if rfi is not None:
            carry = star(seq(restrict(~0, data, ~f.srcu_unlocks), rfi))
            addr, data, ctrl = seq(carry, addr), seq(carry, data), seq(carry, ctrl)
        dep = union(addr, data)
        ppo = union(
            restrict(~0, union(dep, ctrl), f.w),
            within(union(x.co, x.fr), same),
            restrict(~0, addr, f.r),
            within(fence, same),
            within(unlock_lock, same),
        )
        if f.plain:
            ppo = union(ppo, seq(restrict(~0, addr, f.plain), f.wmb))
        if rfi is not None:
            ppo = union(ppo, seq(restrict(~0, dep, f.marked), rfi))
        return addr, ppo

    @staticmethod
    def _rcu_fence(
        s: Skeleton, f: Fixed, x: Execution, pb_star: Relation, prop: Relation, hb_star: Relation
    ) -> Relation:
        """Return rcu-fence: at least as many grace periods as read-side critical sections."""
        po = f.po
        po_or_same = or_same(po)
        link = seq(seq(seq(seq(po_or_same, hb_star), pb_star), prop), po)
        gp: Relation = [1 << e if f.sync_rcu >> e & 1 else 0 for e in range(len(po))]
        rscsi = inverse(f.rcu_rscs)
        srcu_gp: Relation = [1 << e if f.srcu_syncs >> e & 1 else 0 for e in range(len(po))]
        srcu_rscsi = inverse(_srcu_sections(s, f, x))
        loc = _same_location(s, f.srcu_locks | f.srcu_unlocks | f.srcu_syncs)
        order = union(gp, srcu_gp)
        while True:
            middle = seq(seq(link, order), link)
            inner = union(link, middle)
            more = union(
                order,
                seq(seq(gp, inner), rscsi),
                within(seq(seq(srcu_gp, inner), srcu_rscsi), loc),
                seq(seq(rscsi, inner), gp),
                within(seq(seq(srcu_rscsi, inner), srcu_gp), loc),
                seq(seq(order, link), order),
            )
            if more == order:
                break
            order = more
        return seq(seq(po, order), po_or_same)

    def _plain(
        self,
        x: Execution,
        f: Fixed,
        xbstar: Relation,
        strong_fence: Relation,
        nonrw_fence: Relation,
        fence: Relation,
        cumul_star: Relation,
        rmw_sequence: Relation,
        rfe: Relation,
        addr: Relation,
    ) -> bool:
        """Plain accesses: plain-coherence is an axiom, and data races are flagged."""
        s = x.skeleton
        marked, plain, first = f.marked, f.plain, f.first
        same, others = s.same, s.others
        strong_then = seq(restrict(~0, strong_fence, marked), xbstar)
        reached = union(strong_then, [row & (same[e] | 1 << e) for e, row in enumerate(xbstar)])
        vis = seq(restrict(~0, seq(cumul_star, or_same(rfe)), marked), reached)

        read_fence = restrict(f.r4rmb, f.rmb_any, ~f.noreturn)
        fence_read = restrict(~f.noreturn, f.rmb_any, f.r4rmb)
        w_pre = restrict(marked, or_same(union(addr, fence)), ~0)
        r_pre = restrict(marked, or_same(union(addr, nonrw_fence, read_fence)), ~0)
        w_post = seq(restrict(~0, or_same(fence), marked), rmw_sequence)
        r_post = restrict(~0, or_same(union(nonrw_fence, fence_read)), marked)

        strong_x = seq(strong_fence, xbstar)
        ww_vis = union(fence, seq(strong_x, w_pre), seq(seq(w_post, vis), w_pre))
        wr_vis = union(fence, seq(strong_x, r_pre), seq(seq(w_post, vis), r_pre))
        rw_xbstar = union(fence, seq(seq(r_post, xbstar), w_pre))

        accesses = f.accesses
        pre_race: Relation = []
        for e in range(len(s.events)):
            row = 0
            if plain >> e & 1:
                row |= accesses
            if accesses >> e & 1 and not first >> e & 1:
                row |= plain
            pre_race.append(row & others[e])
        wr_incoh = within(within(pre_race, x.rf), inverse(rw_xbstar))
        rw_incoh = within(within(pre_race, x.fr), inverse(wr_vis))
        ww_incoh = within(within(pre_race, x.co), inverse(ww_vis))
        if not (is_empty(wr_incoh) and is_empty(rw_incoh) and is_empty(ww_incoh)):
            return False

        flags: list[str] = []
        on_location = _same_location(s, accesses)
        close = [row & on_location[e] & ~f.barrier[e] for e, row in enumerate(f.po)]
        plain_writes = plain & f.w
        if not (
            is_empty(restrict(plain_writes, close, marked))
            and is_empty(restrict(marked, close, plain_writes))
        ):
            flags.append("mixed-accesses")
        if self._races(x, f, pre_race, ww_vis, wr_vis, rw_xbstar):
            flags.append("data-race")
        self.flags = tuple(flags)
        return True

    @staticmethod
    def _races(
        x: Execution,
        f: Fixed,
        pre_race: Relation,
        ww_vis: Relation,
        wr_vis: Relation,
        rw_xbstar: Relation,
    ) -> bool:
        marked, writes = f.marked, f.w
        back_rw = inverse(rw_xbstar)
        co_then_rf = seq(or_same(x.co), x.rf)
        for e, row in enumerate(pre_race):
            left = (writes if marked >> e & 1 else 0) | rw_xbstar[e]
            right = (marked if writes >> e & 1 else 0) | wr_vis[e]
            if row & x.co[e] & ~(ww_vis[e] & left & right):
                return True
            if row & co_then_rf[e] & ~wr_vis[e] & ~back_rw[e]:
                return True
            if row & x.fr[e] & ~rw_xbstar[e]:
                return True
        return False


def _same_location(s: Skeleton, events: int) -> Relation:
    masks: dict[object, int] = {}
    for e, event in enumerate(s.events):
        if events >> e & 1:
            masks[event.location] = masks.get(event.location, 0) | 1 << e
    return [masks[event.location] if events >> e & 1 else 0 for e, event in enumerate(s.events)]


def _srcu_sections(s: Skeleton, f: Fixed, x: Execution) -> Relation:
    """Pair each srcu_read_lock() with the unlock that is given what it answered.

    Source: linux-kernel.bell (carry-srcu-data, srcu-rscs).
    """
    if not f.srcu_locks:
        return [0] * len(s.events)
    carry = star(seq(restrict(~0, s.data, ~f.srcu_unlocks), x.rf))
    pairs = restrict(f.srcu_locks, seq(carry, s.data), f.srcu_unlocks)
    return within(pairs, _same_location(s, f.srcu_locks | f.srcu_unlocks))


def _srcu_flags(x: Execution, f: Fixed) -> list[str]:
    """Return what herd7 flags about sections of SRCU.

    Source: linux-kernel.bell, the flags behind srcu-rscs.
    """
    sections = _srcu_sections(x.skeleton, f, x)
    events = x.skeleton.events
    begun = ended = 0
    other_values = False
    for e, row in enumerate(sections):
        begun |= (1 << e) if row else 0
        ended |= row
        other_values |= any(
            row >> unlock & 1 and event.value != events[e].value
            for unlock, event in enumerate(events)
        )
    twice = seq(inverse(sections), sections)
    sleeps = seq(restrict(~0, f.po, f.srcu_syncs), f.po)
    told = {
        "unmatched-srcu-lock": f.srcu_locks & ~begun,
        "unmatched-srcu-unlock": f.srcu_unlocks & ~ended,
        "multiple-srcu-matches": any(row & ~(1 << e) for e, row in enumerate(twice)),
        "invalid-sleep": not is_empty(within(f.rcu_rscs, sleeps)),
        "srcu-bad-value-match": other_values,
    }
    return [flag for flag, found in told.items() if found]


__all__ = ["Fixed", "Lkmm", "plus"]
