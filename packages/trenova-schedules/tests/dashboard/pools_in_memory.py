"""Worker pools as the page is told of them, in memory: what it orders is done at once, and it can be out of reach."""

from datetime import UTC, datetime, timedelta

from trenova_errors import ResourceNotFoundError, UnavailableError
from trenova_schedules.worker_pools import (
    ManagerSeen,
    PoolDecision,
    PoolDecisions,
    PoolDetail,
    PoolOverride,
    PoolPause,
    PoolPoint,
    PoolSeen,
    PoolsSeen,
    SlotsInUse,
    WorkerSeen,
)

LAST = 500
SECOND = timedelta(seconds=1)
SLOTS = {"workflows": SlotsInUse(used=3, total=20), "activities": SlotsInUse(used=5)}
HOSTILE = '<img src=x onerror="alert(1)">'
AWAY = "The pool manager cannot be reached: nothing answers at its address."


class PoolsInMemory:
    """Three pools; ``away`` is why they cannot be asked, ``orders`` what was ordered, and in whose name."""

    def __init__(self):
        self.away, self.refuses, self.orders, self.asked = None, None, [], 0
        self.manager = ManagerSeen(scope="yard-1", holder="pool-manager@yard-1:4242#a1b2c3d4", fence=7, acting=True)
        now = datetime.now(UTC)
        self.known = {
            "shipments": PoolSeen(
                name="shipments",
                phase="changing",
                why="Starting workers. 140 tasks wait and the oldest has waited for 21 s, so 3 more workers start.",
                desired=6,
                running=3,
                starting=3,
                min_workers=1,
                max_workers=8,
                wait_target_s=20,
                build="2026.11.27",
                managed=True,
                seen_at=now,
            ),
            "notifications": PoolSeen(
                name="notifications",
                phase="contended",
                why="2 workers that this manager did not start poll its queues; it is left alone for 60 s.",
                desired=1,
                running=1,
                foreign=2,
                min_workers=0,
                max_workers=3,
                wait_target_s=60,
                managed=True,
                seen_at=now,
            ),
            HOSTILE: PoolSeen(
                name=HOSTILE,
                phase="crashing",
                why=f"Its workers crash again and again: {HOSTILE}",
                desired=2,
                lost=1,
                managed=True,
                seen_at=now,
            ),
        }

    def change(self, name, **fields):
        """Have something else be so."""
        self.known[name] = self.known[name].model_copy(update=fields)

    async def pools(self):
        self._ask()
        pools = tuple(one.model_copy(update={"latest": self._decided(one, 500)}) for one in self.known.values())
        return PoolsSeen(manager=self.manager, pools=pools)

    async def pool(self, name, *, hours, parts):
        seen = self._found(name).model_copy(update={"latest": self._decided(self._found(name), 500)})
        now = datetime.now(UTC)
        step = timedelta(hours=hours) / parts
        points = [
            PoolPoint(
                at=now - step * (parts - at), workers=1 + at % 5, desired=1 + (at + 1) % 5, backlog=(at * 7) % 160
            )
            for at in range(parts)
            if at % 11 or parts < 12
        ]
        workers = [self._worker(name, at, now) for at in range(seen.running + seen.starting)]
        return PoolDetail(
            manager=self.manager,
            pool=seen,
            workers=tuple(workers),
            points=tuple(points),
            part_s=step.total_seconds(),
        )

    async def decisions(self, name, *, cursor, limit, changes):
        pool, last = self._found(name), 500 if cursor is None else cursor - 1
        step = 10 if changes else 1
        told = [self._decided(pool, last - at * step) for at in range(limit)]
        return PoolDecisions(decisions=tuple(told), next_cursor=told[-1].number if last > 440 else None)

    async def override(self, name, count, until, reason, *, by):
        self._order("override", name, by, reason, count=count, until=until)
        self.change(name, override=PoolOverride(count=count, until=until, by=by, reason=reason))

    async def pause(self, name, reason, *, by):
        self._order("pause", name, by, reason)
        self.change(name, phase="paused", pause=PoolPause(by=by, reason=reason, since=datetime.now(UTC)))

    async def resume(self, name, reason, *, by):
        self._order("resume", name, by, reason)
        self.change(name, phase="steady", pause=None, override=None)

    def _order(self, what, name, by, reason, **more):
        self._found(name)
        if self.refuses:
            raise self.refuses
        self.orders.append({"what": what, "pool": name, "by": by, "reason": reason, **more})

    def _found(self, name):
        self._ask()
        if name not in self.known:
            raise ResourceNotFoundError.of("pool", name)
        return self.known[name]

    def _ask(self):
        self.asked += 1
        if self.away:
            raise UnavailableError(self.away)

    @staticmethod
    def _decided(pool, number):
        more = number % 10 == 0
        rises = pool.desired > 3
        backlog, age = (140, 21.0) if more and rises else (0, 0.0)
        return PoolDecision(
            number=number,
            at=datetime.now(UTC) - (501 - number) * 10 * SECOND,
            action=("up" if rises else "down") if more else "hold",
            before=3 if more else pool.desired,
            desired=pool.desired,
            why=pool.why if number == LAST else f"Decision {number} of {pool.name}.",
            trigger="override" if pool.override else "age" if more else "load",
            held_because="" if more else "cool-down",
            clamp="step-up" if more and rises else "",
            backlog=backlog,
            backlog_age_s=age,
            arrival_rate=12.4,
            dispatch_rate=9.06,
            slots_used=24,
            slots=30,
            inputs={
                "trigger": "age",
                "rho": 5.2,
                "observation": {"backlog": backlog, "workers": {"running": 3}, "upcoming": [{"tasks": 3.5}]},
                "note": HOSTILE,
                "clamp": None,
            },
        )

    @staticmethod
    def _worker(pool, at, now):
        starting = at >= 3
        return WorkerSeen(
            id=f"w{at}",
            phase="starting" if starting else "running",
            started_at=now - timedelta(minutes=5 * (9 - at)),
            build="2026.11.27",
            version="temporal-python 1.35.0",
            identity=None if starting else f"{pool}-worker@yard-1:{4300 + at}#0a0b0c0{at}",
            host="yard-1",
            pid=4300 + at,
            heard_at=None if starting else now - (200 if at == 2 else 3) * SECOND,
            heartbeat_s=5,
            memory_mib=212.4 + at,
            slots_used=8,
            slots=10,
            slots_by_kind={} if starting else SLOTS,
            ordered="Ada: it leaks" if at == 2 else "",
        )
