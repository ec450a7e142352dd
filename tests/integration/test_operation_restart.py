#!/usr/bin/python3
"""Operations outlive the daemon: they are taken up where they were, and nothing is started twice."""

import json
import signal
import sqlite3
import threading
import time

from daemon_testing import main
from operation_testing import DONE, RUNNING, Answer, OperationTestCase, Peer


class RestartTest(OperationTestCase):
    def setUp(self):
        super().setUp()
        self.jobs = {}  # by key, as a server that looks at it keeps them

    def start_job(self, request):
        """The same key once more starts none."""
        number = self.jobs.setdefault(request.key, len(self.jobs) + 1)
        return Answer(202, {"id": number}, {"Location": f"/jobs/{number}"})

    def saved(self):
        with sqlite3.connect(self.session.state / "longrun.db") as db:
            return [json.loads(row[0]) for row in db.execute("SELECT json FROM operation")]

    def test_while_it_is_followed(self):
        for signum in (signal.SIGKILL, signal.SIGTERM):
            with self.subTest(signal=signum):
                self.begins(Answer(200, {"status": "running", "progress": 0.5}))
                task = self.operation()
                self.session.wait_until(lambda t=task: t.signals("Progress"), "progress")
                self.session.restart(signum)
                polls = len(self.peer.of("GET /jobs/1"))
                self.peer.wait("GET /jobs/1", polls + 2)
                self.assertEqual((task.get("State"), task.get("Attempt")), ("running", 1))
                self.assertEqual(self.session.get("Running"), 1)
                self.peer.on("GET /jobs/1", DONE)
                self.assertEqual(task.wait(), ("succeeded", 0))
                self.assertEqual(task.take_result(), {"answer": 42})
                self.assertEqual(len(self.peer.of("POST /jobs")), 1)
                self.assertEqual(self.saved(), [])
                self.peer.requests.clear()

    def test_killed_before_the_answer(self):
        hold = threading.Event()

        def slowly(request):
            answer = self.start_job(request)
            answer.hold = hold
            return answer

        self.peer.on("POST /jobs", slowly, self.start_job)
        self.peer.on("GET /jobs/1", DONE)
        task = self.operation()
        self.peer.wait("POST /jobs")
        self.session.restart()
        hold.set()
        self.assertEqual(task.wait(), ("succeeded", 0))
        posts = self.peer.of("POST /jobs")
        self.assertEqual(len(posts), 2)
        self.assertEqual(len(self.jobs), 1)
        self.assertIn(f"POST /jobs, Idempotency-Key {posts[0].key}, again", self.lines(task))

    def test_a_stop_waits_for_the_answer(self):
        """Not all servers look at the key."""
        hold = threading.Event()
        self.peer.on("POST /jobs", Answer(202, headers={"Location": "/jobs/1"}, hold=hold))
        self.peer.on("GET /jobs/1", DONE)
        task = self.operation()
        self.peer.wait("POST /jobs")
        threading.Timer(0.3, hold.set).start()
        self.session.restart(signal.SIGTERM)
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(len(self.peer.of("POST /jobs")), 1)

    def test_a_stop_does_not_wait_for_the_next_try(self):
        hold = threading.Event()
        self.peer.on("POST /jobs", Answer(503, headers={"Retry-After": "1"}, hold=hold),
                     Answer(202, headers={"Location": "/jobs/1"}))
        self.peer.on("GET /jobs/1", DONE)
        task = self.operation()
        self.peer.wait("POST /jobs")
        threading.Timer(0.3, hold.set).start()
        before = time.monotonic()
        self.session.end_daemon(signal.SIGTERM)
        self.assertLess(time.monotonic() - before, 4)
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(len(self.peer.of("POST /jobs")), 2)

    def test_killed_at_any_moment(self):
        """Whatever the moment: each task has one operation, and its own."""
        self.peer.on("POST /jobs", self.start_job)
        for n in range(1, 40):
            self.peer.on(f"GET /jobs/{n}", RUNNING, Answer(200, {"status": "done", "result": n}))
        tasks = []
        for round_ in range(6):
            tasks += [self.operation() for _ in range(4)]
            if round_ > 0:
                self.peer.wait("POST /jobs", len(tasks) - 4 + round_ % 4)
            self.session.restart()
        for task in tasks:
            self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(len(self.jobs), len(tasks))
        self.assertEqual(sorted(t.take_result() for t in tasks), list(range(1, len(tasks) + 1)))
        self.assertEqual({t.get("Attempt") for t in tasks}, {1})
        self.assertEqual(self.saved(), [])

    def test_cancel_goes_on(self):
        self.begins(RUNNING)
        self.peer.on("DELETE /jobs/1", Answer(503))
        task = self.operation()
        task.wait_state("running")
        task.cancel()
        self.peer.wait("DELETE /jobs/1")
        self.session.restart()
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", Answer(404)), Answer(204))[1])
        self.assertEqual(task.wait(), ("cancelled", -1))

    def test_timeout_goes_on(self):
        """Its time runs while no daemon is there."""
        self.begins(RUNNING)
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", Answer(404)), Answer(204))[1])
        task = self.operation(options={"timeout": 3600000000})
        task.wait_state("running")
        self.peer.wait("GET /jobs/1")
        self.session.crash()
        with sqlite3.connect(self.session.state / "longrun.db") as db:
            db.execute("UPDATE task SET started_at = started_at - 3500000000")
        self.session.start_daemon()
        self.assertEqual(task.get("State"), "running")
        self.session.crash()
        with sqlite3.connect(self.session.state / "longrun.db") as db:
            db.execute("UPDATE task SET started_at = started_at - 200000000")
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("timed-out", -1))

    def test_the_end_came_meanwhile(self):
        self.begins(RUNNING)
        task = self.operation(options={"retries": 3})
        task.wait_state("running")
        self.session.crash()
        self.peer.on("GET /jobs/1", DONE)
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_after_a_reboot(self):
        """The work is on a server: what became of this machine does not matter to it."""
        self.begins(RUNNING)
        task = self.operation()
        task.wait_state("running")
        self.peer.wait("GET /jobs/1")
        self.session.crash()
        with sqlite3.connect(self.session.state / "longrun.db") as db:
            db.execute("UPDATE meta SET value = 'another' WHERE key = 'session'")
        self.session.start_daemon()
        self.peer.on("GET /jobs/1", DONE)
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_what_is_needed_is_lost(self):
        """It is not started again: it may be running."""
        self.begins(RUNNING)
        task = self.operation()
        task.wait_state("running")
        self.peer.wait("GET /jobs/1")
        self.session.restart()  # the state is on disk
        self.session.crash()
        with sqlite3.connect(self.session.state / "longrun.db") as db:
            db.execute("DELETE FROM operation")
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("interrupted", -1))
        self.assertRegex(task.get("Message"), "what is needed to follow it was lost: it may be running on the server")
        self.assertEqual(len(self.peer.of("POST /jobs")), 1)

    def test_what_was_saved_is_no_good(self):
        """Nor then, when the disk does not know yet that it has begun."""
        self.begins(RUNNING)
        task = self.operation()
        task.wait_state("running")
        self.peer.wait("GET /jobs/1")
        self.session.crash()
        with sqlite3.connect(self.session.state / "longrun.db") as db:
            db.execute("UPDATE operation SET json = '{}'")
            db.execute("UPDATE task SET state = 'starting'")
        self.session.start_daemon()
        self.assertEqual(task.wait(), ("interrupted", -1))
        self.assertEqual(len(self.peer.of("POST /jobs")), 1)

    def drop_in(self, url):
        """Backend "other" by the configuration."""
        path = self.session.config_path.parent / "backend.d/other.conf"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"[Backend]\nUrl={url}\nPolling=no\n")
        self.session.call("Reload")
        return path

    def test_without_its_backend(self):
        """One of the configuration is not there any more: the task waits for it."""
        drop_in = self.drop_in(self.peer.url)
        self.begins(RUNNING)
        task = self.operation(backend="other")
        task.wait_state("running")
        self.peer.wait("GET /jobs/1")
        drop_in.rename(drop_in.with_suffix(".away"))
        self.session.restart()
        self.session.settles(lambda: 'there is no backend "other" any more: add it again' in task.get("Status"),
                             lambda: task.get("Status"))
        self.assertEqual(task.get("State"), "running")
        drop_in.with_suffix(".away").rename(drop_in)
        self.session.call("Reload")
        self.peer.on("GET /jobs/1", DONE)
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_the_start_waits_for_its_backend(self):
        """One that nobody has answered yet: there is nobody to be asked, so no try is used up."""
        drop_in = self.drop_in(self.peer.url)
        hold = threading.Event()
        self.peer.on("POST /jobs", Answer(202, headers={"Location": "/jobs/1"}, hold=hold))
        self.peer.on("GET /jobs/1", DONE)
        task, cancelled = (self.operation(backend="other", start_tries=1) for _ in range(2))
        self.peer.wait("POST /jobs", 2)
        drop_in.rename(drop_in.with_suffix(".away"))
        self.session.restart()
        hold.set()
        for t in (task, cancelled):
            self.session.settles(lambda t=t: t.get("Status").startswith(
                'Not started yet: there is no backend "other" any more: add it again'), lambda t=t: t.get("Status"))
        cancelled.cancel()
        self.assertEqual(cancelled.wait(), ("cancelled", -1))
        self.assertRegex(cancelled.get("Message"), "it may be running there")
        drop_in.with_suffix(".away").rename(drop_in)
        self.session.call("Reload")
        self.assertEqual(task.wait(), ("succeeded", 0))
        self.assertEqual(len(self.peer.of("POST /jobs")), 3)

    def test_its_backend_is_another_server(self):
        """That one is asked for nothing, and its work is not cancelled."""
        other = Peer()
        self.addCleanup(other.stop)
        self.drop_in(self.peer.url)
        self.peer.on("POST /jobs", Answer(202, {"id": 1}))
        self.peer.on("GET /jobs/1", RUNNING)
        other.on("GET /jobs/1", DONE)
        task, cancelled = (self.operation(backend="other", url_template="/jobs/{/id}", cancel_path="/stop",
                                          options={"stop_timeout": 300000}) for _ in range(2))
        self.peer.wait("GET /jobs/1", 2)
        self.drop_in(other.url)
        self.session.call("Reload")
        words = f'it is at {self.peer.url}/jobs/1, and backend "other" is another server now: let that have its old url'
        for t in (task, cancelled):
            self.session.settles(lambda t=t: words in t.get("Status"), lambda t=t: t.get("Status"))
        self.assertRegex(task.get("Status"), "^Cannot be asked for since ")
        cancelled.cancel()
        self.assertEqual(cancelled.wait(), ("cancelled", -1))
        self.assertRegex(cancelled.get("Message"), "it may be running on: the server could not be asked to cancel it")
        self.assertEqual(other.requests, [])
        self.drop_in(self.peer.url)
        self.peer.on("GET /jobs/1", DONE)
        self.session.call("Reload")
        self.assertEqual(task.wait(), ("succeeded", 0))

    def test_in_the_queue(self):
        """What has not begun is as any other task."""
        self.session.configure_group("one", max_parallel=1)
        self.begins(RUNNING)
        first, second = (self.operation(options={"group": "one"}) for _ in range(2))
        self.peer.wait("GET /jobs/1")
        self.session.restart()
        self.assertEqual((first.get("State"), second.get("State")), ("running", "queued"))
        self.peer.on("GET /jobs/1", DONE)
        self.assertEqual([t.wait() for t in (first, second)], [("succeeded", 0)] * 2)


if __name__ == "__main__":
    main()
