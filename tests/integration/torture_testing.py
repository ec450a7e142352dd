"""Torture: many tasks of all sorts are started by several clients while the daemon, or supervisors of tasks, are killed
again and again. Afterwards every task must have had one true ending.

What is killed, and how it comes back, is a rig's affair: see PrivateBusRig.
"""

import contextlib
import fcntl
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import typing

from longrun_testing import DEADLINE_SEC, MANAGER, NAME, ROOT, TASK, Gio, GLib, Session
from process_testing import (command_line, is_gone, keepers_of, kill, processes_of, shims_of, until)

FINAL = {"succeeded", "failed", "cancelled", "timed-out", "interrupted"}
FIELDS = ["id", "label", "kind", "state", "exit-code", "exit-signal", "message", "attempt", "started-at", "finished-at",
          "created-at", "has-result", "log-size", "on-interrupt"]

# Of one attempt: that it is the only one, that it has begun, its lines, its end. Whatever it starts has the lock, too.
SCRIPT = r"""
exec 9>>"$1.lock"
flock -n 9 || echo overlap >>"$1"
echo start >>"$1"
i=1
while [ "$i" -le "$2" ]; do
    echo "line $i"
    %(each)s
    [ "$3" = 0 ] || sleep "$3"
    i=$((i + 1))
done
%(end)s
"""

# By sort of command: what is done for each line, what at the end, lines more than the loop's, exit status or signal.
SORTS = {
    "plain": ("", 'exit "$4"', []),
    "signal": ("", 'kill -s "$4" $$', []),
    "setsid": ("", 'setsid sh -c \'sleep "$1"; echo late\' sh "$3" & exit "$4"', ["late"]),
    "result": ("", 'echo "{\\"of\\": \\"$5\\"}" >"$LONGRUN_RESULT"; exit "$4"', []),
    "notify": ('systemd-notify X_LONGRUN_DONE="$i" X_LONGRUN_TOTAL="$2"', 'exit "$4"', []),
    "flood": ("", 'seq -f "more %g" 5000; exit "$4"', [f"more {i}" for i in range(1, 5001)]),
    "cancelled": ("", "sleep 1000", []),
}


class Plan(typing.NamedTuple):
    """A task, and what is to become of it."""
    label: str
    kind: str
    options: dict
    sort: str  # of the command, or the kind
    state: str
    code: int
    lines: list  # of one attempt; None: not looked at
    side: str  # path of the file in which a command writes what it did, or None
    result: object  # or None
    restarts: bool
    cancel_after: float  # seconds, or None


def plan_command(random_, label, side, length):
    sort = random_.choices(list(SORTS), weights=(8, 2, 3, 3, 2, 2, 2))[0]
    count = max(1, min(12, int(length / 0.04)))
    if sort == "notify":
        count = min(count, 4)
    each, end, more = SORTS[sort]
    code = random_.choice([0, 0, 0, 1, 3, 100, 255])
    state = "failed" if code else "succeeded"
    word = str(code)
    if sort == "signal":
        signum = random_.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGUSR1])
        state, code, word = "failed", 128 + signum, signum.name.removeprefix("SIG")
    if sort == "cancelled":
        state, code = "cancelled", None
    path = f"{side}/{label}"
    restarts = random_.random() < 0.5
    options = {
        "argv": GLib.Variant("as", ["sh", "-c", SCRIPT % {"each": each, "end": end}, "sh", path, str(count),
                                    f"{length / count:.3f}", word, label]),
        "cwd": GLib.Variant("s", side),
    }
    return Plan(label, "command", options, sort, state, code, [f"line {i + 1}" for i in range(count)] + more, path,
                {"of": label} if sort == "result" else None, restarts,
                random_.uniform(0, 2) if sort == "cancelled" else None)


def plan_kind(random_, label, length):
    isolate = random_.random() < 0.5
    restarts = random_.random() < 0.5
    length = min(length, 2)
    if random_.random() < 0.5:
        steps = random_.randint(1, 10)
        params = {"steps": steps, "step_ms": int(1000 * length / steps)}
        lines = ["Task started...", *(f"Completed step {i + 1}" for i in range(steps)), "Task finished successfully"]
        kind, result = "countdown", None
    else:
        items = [f"item {i} of {label}" for i in range(random_.randint(1, 10))]
        params = {"items": items, "op": "uppercase", "item_ms": int(1000 * length / len(items))}
        kind, lines, result = "map", None, [item.upper() for item in items]
    options = {"params": GLib.Variant("s", json.dumps(params)), "isolate": GLib.Variant("b", isolate)}
    return Plan(label, kind, options, f"{kind}, {'isolated' if isolate else 'thread'}", "succeeded", 0, lines, None,
                result, restarts, None)


def make_plans(random_, number, side):
    plans = []
    for i in range(number):
        length = 10 ** random_.uniform(-2, 0.7)  # 10 ms to 5 s
        label = f"t{i:04}"
        plan = plan_command(random_, label, side, length) if random_.random() < 0.65 else plan_kind(random_, label, length)
        plan.options["label"] = GLib.Variant("s", label)
        plan.options["on-interrupt"] = GLib.Variant("s", "restart" if plan.restarts else "fail")
        plan.options["stop-timeout"] = GLib.Variant("t", 2000000)
        plans.append(plan)
    return plans


class PrivateBusRig:
    """A bus of its own that starts longrund at the first call."""

    def __init__(self, max_parallel=16):
        self.session = Session(activatable=True, arguments=[f"--max-parallel={max_parallel}"])
        self.session.ends_tasks = False
        self.env = self.session.env
        self.runtime = self.env["XDG_RUNTIME_DIR"]
        self.folder = f"{self.runtime}/longrun"
        self.state = f"{self.env['XDG_STATE_HOME']}/longrun"
        self.side = str(self.session.directory / "work")
        self.longrun = self.session.longrun

    def __enter__(self):
        self.session.start()
        return self

    def __exit__(self, *_):
        for pid in (p for p in processes_of(self.runtime) if p != self.session.bus.pid):
            kill(pid)
        self.session.stop()

    def connect(self):
        return Gio.DBusConnection.new_for_address_sync(
            self.env["DBUS_SESSION_BUS_ADDRESS"],
            Gio.DBusConnectionFlags.AUTHENTICATION_CLIENT | Gio.DBusConnectionFlags.MESSAGE_BUS_CONNECTION, None, None)

    def daemon(self):
        """Its pid, also of one that is only about to come onto the bus; None when there is none."""
        for pid in processes_of(self.runtime):
            with contextlib.suppress(OSError):
                if os.path.samefile(f"/proc/{pid}/exe", self.session.longrund):
                    return pid
        return None

    @staticmethod
    def kill_daemon(pid):
        kill(pid)

    def end_daemon(self):
        pid = self.daemon()
        kill(pid, signal.SIGTERM)
        until(lambda: is_gone(pid), "longrund has not ended after SIGTERM")

    def strays(self):
        return {pid: command_line(pid) for pid in processes_of(self.runtime) if pid != self.session.bus.pid}

    def check_end(self):
        """What else must be gone when the daemon is."""
        until(lambda: not self.strays(), lambda: f"processes that are left: {self.strays()}", 10)

    def said(self):
        return self.session.report()


class Client(threading.Thread):
    """Starts tasks, one after the other. What got no answer may have been done or not: it looks."""

    def __init__(self, torture, plans, seed, use_cli):
        super().__init__(name=f"client-{seed}", daemon=True)
        self.torture, self.plans, self.use_cli = torture, plans, use_cli
        self.random = random.Random(seed)
        self.connection = torture.rig.connect()
        self.error = None

    def run(self):
        try:
            plans = list(self.plans)
            while plans:
                n = min(self.random.choice([1, 1, 1, 1, 5]), len(plans))
                time.sleep(self.random.uniform(0, 2 * self.torture.pause * n))
                self.start_all(plans[:n])
                del plans[:n]
        except BaseException as error:  # pylint: disable=broad-except
            self.error = error
        finally:
            self.connection.close_sync(None)

    def start_all(self, plans):
        while True:
            self.torture.calling.set()
            ids = self.try_start(plans)
            if ids is None:
                found = self.find(plans)
                if found and len(found) != len(plans):
                    raise AssertionError(f"of {[p.label for p in plans]} just {found} were started")
                ids = [found[plan.label] for plan in plans] if found else None
            if ids is not None:
                break
            self.torture.count("starts that were lost")
        for plan, number in zip(plans, ids):
            self.torture.started(plan, number)
        for plan, number in zip(plans, ids):
            if plan.cancel_after is not None:
                self.cancel(plan, number)

    def try_start(self, plans):
        """Ids, or None when there was no answer."""
        if self.use_cli and len(plans) == 1 and plans[0].kind == "command":
            return self.start_by_cli(plans[0])
        if len(plans) == 1:
            plan = plans[0]
            reply = self.call("Start", "(sa{sv})", plan.kind, plan.options)
            return reply and [reply[0]]
        reply = self.call("StartMany", "(a(sa{sv}))", [(plan.kind, plan.options) for plan in plans])
        return reply and [number for number, _ in reply[0]]

    def start_by_cli(self, plan):
        argv = [word for key in ("label", "on-interrupt") for word in (f"--{key}", plan.options[key].unpack())]
        r = subprocess.run([self.torture.rig.longrun, "start", "--quiet", *argv, "--stop-timeout", "2s", "--",
                            *plan.options["argv"].unpack()], env=self.torture.rig.env, cwd=self.torture.rig.side,
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           timeout=DEADLINE_SEC, check=False)
        return [int(r.stdout)] if r.returncode == 0 else None

    def find(self, plans):
        """Ids by label, once somebody answers."""
        found = {}
        for plan in plans:
            rows = self.call_until_answered("ListTasks", "(a{sv})", {"label": GLib.Variant("s", plan.label)})[0]
            if len(rows) > 1:
                raise AssertionError(f"{plan.label} was started {len(rows)} times")
            if rows:
                found[plan.label] = rows[0]["id"]
        return found

    def cancel(self, plan, number):
        time.sleep(plan.cancel_after)
        while True:
            try:
                self.call_or_raise("Cancel", "(at)", [number])
                return
            except GLib.Error as error:
                if Gio.DBusError.get_remote_error(error) == f"{NAME}.Error.NotRunning":
                    return
                check_lost(error)

    def call_or_raise(self, method, signature, *args):
        return self.connection.call_sync(NAME, ROOT, MANAGER, method, GLib.Variant(signature, args), None,
                                         Gio.DBusCallFlags.NONE, DEADLINE_SEC * 1000, None).unpack()

    def call(self, method, signature, *args):
        """None when the daemon died over it."""
        try:
            return self.call_or_raise(method, signature, *args)
        except GLib.Error as error:
            check_lost(error)
            return None

    def call_until_answered(self, method, signature, *args):
        deadline = time.monotonic() + DEADLINE_SEC
        while True:
            reply = self.call(method, signature, *args)
            if reply is not None:
                return reply
            if time.monotonic() > deadline:
                raise AssertionError(f"no answer to {method}")


def check_lost(error):
    """Raises the error, unless it means that the daemon was killed."""
    name = Gio.DBusError.get_remote_error(error) or str(error)
    if not re.search(r"DBus\.Error\.(NoReply|ServiceUnknown|NameHasNoOwner|Spawn\.)", name):
        raise error


class Torture:
    """kills: how many; of: "daemon" or "shim"; seconds: about how long it shall take to start the tasks."""

    def __init__(self, rig, test, seed, tasks, kills, seconds, of="daemon", clients=4):
        self.rig, self.test, self.seed, self.kills, self.of = rig, test, seed, kills, of
        self.random = random.Random(seed)
        self.pause = seconds * clients / tasks
        self.interval = seconds / kills
        os.makedirs(f"{rig.side}/side", exist_ok=True)
        self.plans = make_plans(self.random, tasks, f"{rig.side}/side")
        self.ids, self.by_id = {}, {}
        self.final, self.finished, self.batched = {}, {}, {}
        self.killed_shims = {}
        self.counts = {}
        self.lock = threading.Lock()
        self.calling, self.begun = threading.Event(), threading.Event()
        self.connection = rig.connect()
        self.subscribe()
        self.clients = [Client(self, self.plans[i::clients], f"{seed}-{i}", i == 0) for i in range(clients)]

    # --- what the clients tell

    def count(self, what, n=1):
        with self.lock:
            self.counts[what] = self.counts.get(what, 0) + n

    def started(self, plan, number):
        with self.lock:
            if plan.label in self.ids or number in self.by_id:
                raise AssertionError(f"{plan.label} is task {number}, but {self.ids.get(plan.label)}")
            self.ids[plan.label] = number
            self.by_id[number] = plan
        self.begun.set()

    # --- what the daemons tell

    def subscribe(self):
        def on_finished(_connection, _sender, path, _interface, _member, parameters):
            number = int(path.rpartition("/")[2])
            self.finished.setdefault(number, []).append(parameters.unpack())
            self.on_end(number, parameters.unpack()[0])

        def on_batch(_connection, _sender, _path, _interface, _member, parameters):
            for number, state, code in parameters.unpack()[0]:
                self.batched.setdefault(number, []).append((state, code))

        for interface, member, func in ((TASK, "Finished", on_finished), (MANAGER, "TasksFinished", on_batch)):
            self.connection.signal_subscribe(None, interface, member, None, None, Gio.DBusSignalFlags.NONE, func)

    def on_end(self, number, state):
        """Finished is not told before the last process is gone: none holds the lock."""
        plan = self.by_id.get(number)
        if not plan or not plan.side or not os.path.exists(f"{plan.side}.lock"):
            return
        with open(f"{plan.side}.lock", "ab") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self.test.fail(f"{plan.label} ({number}, {plan.sort}) is {state}, and processes of it live")

    def dispatch(self):
        context = GLib.MainContext.default()
        while context.pending():
            context.iteration(False)

    def call(self, method, signature, *args, path=ROOT, interface=MANAGER):
        """Starts a daemon if there is none, and asks until there is an answer."""
        deadline = time.monotonic() + DEADLINE_SEC
        while True:
            try:
                return self.connection.call_sync(NAME, path, interface, method, GLib.Variant(signature, args), None,
                                                 Gio.DBusCallFlags.NONE, DEADLINE_SEC * 1000, None).unpack()
            except GLib.Error as error:
                check_lost(error)
                if time.monotonic() > deadline:
                    raise

    def list_tasks(self):
        rows, cursor = [], 0
        while True:
            page, cursor = self.call("ListTasks", "(a{sv})", {
                "limit": GLib.Variant("u", 1000), "cursor": GLib.Variant("t", cursor), "fields": GLib.Variant("as", FIELDS)})
            rows += page
            if cursor == 0:
                return {row["id"]: row for row in rows}

    def observe(self):
        """Holds what was started to being there, and what has ended to staying as it is."""
        with self.lock:
            known = set(self.by_id)
        rows = self.list_tasks()
        missing = known - set(rows)
        self.test.assertFalse(missing, f"tasks that were started are gone: {missing}")
        for number, row in rows.items():
            before = self.final.get(number)
            if before:
                self.test.assertEqual({**row, "has-result": before["has-result"]}, before, "an end has changed")
            elif row["state"] in FINAL:
                self.final[number] = row
        self.dispatch()

    # --- killing

    def run(self):
        began = time.monotonic()
        self.call("CountTasks", "(a{sv})", {})
        for client in self.clients:
            client.start()
        for i in range(self.kills):
            due = began + self.interval * (i + self.random.random())
            time.sleep(max(0, due - time.monotonic()))
            if self.of == "daemon":
                self.kill_daemon()
            elif not self.kill_shim():
                break
            self.raise_errors()
            self.observe()
        for client in self.clients:
            client.join(DEADLINE_SEC * 2)
            self.test.assertFalse(client.is_alive(), "a client hangs")
        self.raise_errors()
        self.test.assertGreaterEqual(self.counts.get("kills", 0), self.kills if self.of == "daemon" else 1)
        self.test.assertEqual(len(self.ids), len(self.plans))
        self.call("Wait", "(at)", list(self.by_id))
        self.seconds = time.monotonic() - began

    def raise_errors(self):
        for client in self.clients:
            if client.error:
                raise client.error

    def kill_daemon(self):
        """At any instant; while a start is asked for or was just answered; or while it is about to come up."""
        how = self.random.choices(["any", "call", "start", "boot"], weights=(3, 4, 3, 2))[0]
        pid = until(self.rig.daemon, "there is no daemon")
        event = {"call": self.calling, "start": self.begun}.get(how)
        if event:
            event.clear()
            event.wait(0.5)
            time.sleep(self.random.uniform(0, 0.004))
        self.rig.kill_daemon(pid)
        self.count("kills")
        if how == "boot":
            self.kill_while_it_starts(pid)

    def kill_while_it_starts(self, old):
        self.connection.call(NAME, ROOT, MANAGER, "CountTasks", GLib.Variant("(a{sv})", ({},)), None,
                             Gio.DBusCallFlags.NONE, DEADLINE_SEC * 1000, None, lambda *_: None)
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            pid = self.rig.daemon()
            if pid is not None and pid != old:
                time.sleep(self.random.uniform(0, 0.05))
                self.rig.kill_daemon(pid)
                self.count("kills")
                return

    def has_ended(self):
        """Everything: on a machine that is busy all may be over before as much was killed as should be."""
        if any(client.is_alive() for client in self.clients):
            return False
        counts = self.call("CountTasks", "(a{sv})", {})[0]
        return not set(counts) - FINAL

    def kill_shim(self):
        """False when there is none any more."""
        def victims():
            shims.update(shims_of(self.rig.folder))
            found.extend(number for number in shims if number not in self.killed_shims and number in self.by_id)
            return found or self.has_ended()

        shims, found = {}, []
        until(victims, "no task runs")
        if not found:
            return False
        number = self.random.choice(found)
        pid = shims[number]
        kill(pid)
        self.killed_shims[number] = pid
        self.count("kills")
        return True

    # --- what must be true then

    def check(self):
        self.observe()
        rows = self.list_tasks()
        until(lambda: self.dispatch() or not [n for n in self.folders()], lambda: f"left in the runtime folder: {self.folders()}", 10)
        self.test.assertEqual(sorted(rows), sorted(self.by_id))
        self.test.assertEqual(len({row["label"] for row in rows.values()}), len(rows))
        for number, row in sorted(rows.items()):
            with self.test.subTest(task=number, label=row["label"], sort=self.by_id[number].sort):
                self.check_task(self.by_id[number], row)
        self.check_results(rows)
        self.check_history(rows)

    def folders(self):
        return sorted(name for name in os.listdir(self.rig.folder) if name.startswith("task-"))

    def check_task(self, plan, row):
        test = self.test
        ends = self.finished.get(row["id"], [])
        test.assertLessEqual(len(ends), 1, "more than one Finished")
        test.assertLessEqual(len(self.batched.get(row["id"], [])), 1, "more than once in TasksFinished")
        if ends:
            test.assertEqual(ends[0], (row["state"], row["exit-code"], row["message"]))
        test.assertGreaterEqual(row["finished-at"], max(row["started-at"], row["created-at"]))
        test.assertIn(row["state"], FINAL, row)
        if row["state"] == "interrupted":
            self.count("interrupted")
            self.check_interrupted(plan, row)
        else:
            test.assertEqual(row["state"], plan.state, row)
            if plan.code is not None:
                test.assertEqual(row["exit-code"], plan.code, row)
            self.check_log(plan, row, whole=plan.sort != "cancelled")
        self.count("restarts", max(0, row["attempt"] - 1))
        if row["attempt"] > 1:
            test.assertTrue(plan.restarts, row)
        self.check_side(plan, row)

    def is_in_daemon(self, plan):
        return plan.sort.endswith("thread")

    def check_interrupted(self, plan, row):
        self.test.assertFalse(plan.restarts, row)
        self.test.assertEqual(row["attempt"], 1, row)
        if self.of == "daemon":
            self.test.assertTrue(self.is_in_daemon(plan), f"a command was lost: {row}")
        else:
            self.test.assertIn(row["id"], self.killed_shims, row)
        self.test.assertNotEqual(row["message"], "")

    def check_side(self, plan, row):
        if not plan.side:
            return
        words = []
        with contextlib.suppress(FileNotFoundError), open(plan.side, encoding="ascii") as side:
            words = side.read().split()
        self.test.assertNotIn("overlap", words, row)
        if plan.sort == "cancelled" or row["id"] in self.killed_shims:
            # It may have been stopped before its first word.
            self.test.assertLessEqual(words.count("start"), row["attempt"], row)
        else:
            self.test.assertEqual(words.count("start"), row["attempt"], row)
        if self.of == "daemon":
            self.test.assertLessEqual(row["attempt"], 1, f"a command was started twice: {row}")

    def check_log(self, plan, row, whole):
        if plan.lines is None:
            return
        try:
            with open(f"{self.rig.state}/logs/{row['id']}.log", "rb") as log:
                data = log.read()
        except FileNotFoundError:
            data = b""
        self.test.assertEqual(row["log-size"], len(data), row)
        lines = data.decode().splitlines()
        if plan.restarts:
            # What the attempts before have left comes first, and a word about each. The next one need not have begun.
            notes = [i for i, line in enumerate(lines) if line.startswith("[longrun] attempt ")]
            lines = lines[notes[-1] + 1:] if notes else lines
        expected = plan.lines if whole else plan.lines[:len(lines)]
        if lines != expected:
            self.test.fail(f"the log of {row} has {len(lines)} lines, expected {len(expected)}: {lines[:20]}")

    def check_results(self, rows):
        for number, row in rows.items():
            plan = self.by_id[number]
            if plan.result is None or row["state"] not in ("succeeded", "failed"):
                continue
            self.test.assertTrue(row["has-result"], row)
            if number % 3 == 0:
                continue  # those are taken by another daemon
            self.check_result(plan, number)

    def check_result(self, plan, number):
        path = f"{ROOT}/task/{number}"
        result = json.loads(self.call("TakeResult", "()", path=path, interface=TASK)[0])
        if plan.kind == "map":
            result = [item["processed"] for item in result]
        self.test.assertEqual(result, plan.result)
        with self.test.assertRaises(GLib.Error):
            self.call("TakeResult", "()", path=path, interface=TASK)

    def check_history(self, rows):
        """Over one more end of the daemon."""
        self.rig.kill_daemon(until(self.rig.daemon, "there is no daemon"))
        again = self.list_tasks()
        for number, row in rows.items():
            plan = self.by_id[number]
            # One that was interrupted may have left its result before.
            ended = row["state"] in ("succeeded", "failed")
            left = row["has-result"] and (number % 3 == 0 or not ended)
            self.test.assertEqual(again[number], {**row, "has-result": left})
            if left and ended and plan.result is not None:
                self.check_result(plan, number)
        self.dispatch()
        self.test.assertTrue(all(len(ends) == 1 for ends in self.finished.values()))

    def end(self):
        self.rig.end_daemon()
        self.connection.close_sync(None)
        self.rig.check_end()
        self.test.assertEqual(keepers_of(self.rig.folder), [])

    def summary(self):
        words = {"kills": 0, "interrupted": 0, "restarts": 0, **self.counts}
        text = ", ".join(f"{n} {what}" for what, n in words.items())
        print(f"torture of the {self.of}: {len(self.plans)} tasks, {text}, {len(self.finished)} ends told, "
              f"{self.seconds:.1f} s, seed {self.seed}", file=sys.stderr)

    def all(self):
        """Runs, checks, ends."""
        try:
            self.run()
            self.check()
            self.end()
        except BaseException:
            print(f"torture: the seed was {self.seed}; to repeat it, set LONGRUN_TORTURE_SEED", file=sys.stderr)
            raise
        self.summary()


def seed():
    return int(os.environ.get("LONGRUN_TORTURE_SEED") or random.SystemRandom().randrange(1 << 32))


def seconds(default):
    return float(os.environ.get("LONGRUN_TORTURE_SEC") or default)
