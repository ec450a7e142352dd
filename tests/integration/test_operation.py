#!/usr/bin/python3
"""Operations on servers: how different services do it, and the start. How they are followed and cancelled, and what outlives
what: test_operation_polls.py, _cancel.py, _restart.py."""

from daemon_testing import Task, main
from operation_testing import DONE, RUNNING, Answer, OperationTestCase


class StyleTest(OperationTestCase):
    """As different services do it, by the server of tests/backend."""

    STYLES = {
        "location": {}, "operation-location": {}, "body": {}, "azure": {}, "redirect": {},
        "google": {"url_template": "/{/name}"},
    }

    def test_success_of_each(self):
        self.start_server()
        for style, params in self.STYLES.items():
            with self.subTest(style=style):
                task = self.operation("/operations", "server", body={"style": style, "steps": 4, "step_ms": 0}, **params)
                self.assertEnds(task, "succeeded", 0)
                self.assertEqual(task.take_result(), {"answer": 42})
                fractions = [s.args[0] for s in task.signals("Progress")]
                self.assertEqual(fractions, sorted(fractions))
                self.assertIn(fractions[0], (0.25, 0.5, 0.75), fractions)

    def test_failure_of_each(self):
        self.start_server()
        for style, params in self.STYLES.items():
            with self.subTest(style=style):
                task = self.operation("/operations", "server", **params,
                                      body={"style": style, "steps": 2, "step_ms": 0, "fail": 1, "error": "no room"})
                self.assertEnds(task, "failed", 1, "no room$")
                self.assertFalse(task.get("HasResult"))

    def test_cancel_of_each(self):
        server = self.start_server()
        for style, params in self.STYLES.items():
            with self.subTest(style=style):
                task = self.operation("/operations", "server", body={"style": style, "steps": 1000, "cancel": "slow"},
                                      **params)
                task.wait_state("running")
                task.cancel()
                self.assertEnds(task, "cancelled", -1, "^cancelled$")
                self.assertEqual(server.operations()["operations"][-1]["state"], "cancelled")

    def test_one_that_is_forgotten(self):
        self.start_server()
        task = self.operation("/operations", "server", body={"style": "gone", "steps": 1, "step_ms": 150})
        self.assertEnds(task, "failed", 1, r"does not know the operation any more \(HTTP 404\): how it ended is not known")


class StartTest(OperationTestCase):
    def test_the_request(self):
        self.begins(DONE)
        task = self.operation(body={"n": 12345678901234567890, "t": "ä"}, headers={"X-Version": "7"})
        self.assertEnds(task, "succeeded", 0)
        post, get = self.peer.of("POST /jobs")[0], self.peer.of("GET /jobs/1")[0]
        self.assertRegex(post.key, r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
        self.assertIn(b'"n":12345678901234567890', post.body.replace(b" ", b""))
        self.assertEqual(post.headers["Content-Type"], "application/json")
        self.assertEqual((post.headers["X-Version"], get.headers["X-Version"]), ("7", "7"))
        self.assertIsNone(get.key)
        log = self.lines(task)
        self.assertRegex(log[0], f"^POST /jobs, Idempotency-Key {post.key}$")
        self.assertRegex(log[1], "^HTTP 202: it is followed at http://127.0.0.1:[0-9]+/jobs/1$")
        self.assertEqual(log[-1], "succeeded")

    def test_the_end_is_said_once(self):
        self.begins(RUNNING, Answer(200, {"status": "succeeded", "message": "all done"}))
        task = self.operation()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual([n for n in self.lines(task) if "all done" in n], ["succeeded: all done"])
        self.begins(RUNNING)
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", Answer(200, {"status": "cancelled"})), Answer(204))[1])
        task = self.operation()
        task.wait_state("running")
        task.cancel()
        self.assertEnds(task, "cancelled", -1)
        self.assertEqual([n for n in self.lines(task) if n.startswith("cancelled")], ["cancelled"])

    def test_given_key_and_method(self):
        self.peer.on("PUT /jobs/x", Answer(200, {"status": "done", "n": 1}))
        task = self.operation("/jobs/x", method="PUT", idempotency_key="mine")
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(self.peer.of("PUT /jobs/x")[0].key, "mine")
        self.assertEqual(task.take_result(), {"status": "done", "n": 1})

    def test_an_end_at_once(self):
        for answer, state, code, message in (
                (Answer(200, {"id": 7, "url": "/x"}), "succeeded", 0, "^$"),
                (Answer(204), "succeeded", 0, "^$"),
                (Answer(201, {"status": "failed", "error": "no"}), "failed", 1, "^no$"),
                (Answer(200, {"error": {"message": "quota"}}), "failed", 1, "^quota$"),
                (Answer(200, "welcome"), "failed", 1, "is no JSON, and names nothing to follow"),
                (Answer(202, {}), "failed", 1, "does not say where the operation can be asked for.*url_template"),
                (Answer(400, {"error": "bad colour"}), "failed", 1,
                 "^the server has not started it: HTTP 400 Bad Request: bad colour$"),
                (Answer(401, "<html>no</html>"), "failed", 1, "HTTP 401 Unauthorized$"),
                (Answer(307, headers={"Location": "/jobs/"}), "failed", 1, "give that as path"),
                (Answer(500), "failed", 1, "HTTP 500 Internal Server Error$")):
            with self.subTest(status=answer.status, message=message):
                self.peer.on("POST /jobs", answer)
                before = len(self.peer.of("POST /jobs"))
                self.assertEnds(self.operation(), state, code, message)
                self.assertEqual(len(self.peer.of("POST /jobs")), before + 1)

    def test_tried_again_with_the_same_key(self):
        self.begins(DONE)
        began = self.peer.answers["POST /jobs"][0]
        self.peer.on("POST /jobs", Answer(drop=True), Answer(503, {"error": "full"}), Answer(429, headers={"Retry-After": "1"}),
                     Answer(409, {"error": "at work"}), began)
        task = self.operation()
        self.assertEnds(task, "succeeded", 0)
        posts = self.peer.of("POST /jobs")
        self.assertEqual(len(posts), 5)
        self.assertEqual(len({p.key for p in posts}), 1)
        self.assertGreaterEqual(posts[3].time - posts[2].time, 1)
        self.assertTrue(any("of 10 failed: HTTP 503 Service Unavailable: full" in s for s in self.statuses(task)),
                        self.statuses(task))

    def test_tries_end(self):
        self.peer.on("POST /jobs", Answer(503, {"error": "full"}))
        self.assertEnds(self.operation(start_tries=3), "failed", 1,
                        "^it could not be started in 3 tries: HTTP 503 Service Unavailable: full$")
        self.assertEqual(len(self.peer.of("POST /jobs")), 3)
        self.peer.on("POST /jobs", Answer(drop=True))
        self.assertEnds(self.operation(start_tries=1), "failed", 1, r"it may be running there \(Idempotency-Key [0-9a-f-]+\)$")

    def test_each_attempt_has_a_key_of_its_own(self):
        self.begins(Answer(200, {"status": "failed"}), DONE)
        for key in (None, "mine"):
            self.peer.requests.clear()
            self.peer.on("GET /jobs/1", Answer(200, {"status": "failed"}), DONE)
            task = self.operation(idempotency_key=key, options={"retries": 1, "retry_delay": 1000})
            self.assertEnds(task, "succeeded", 0)
            keys = [p.key for p in self.peer.of("POST /jobs")]
            self.assertEqual(len(set(keys)), 2)
            if key:
                self.assertEqual(keys, ["mine", "mine-2"])

    def test_refused_requests(self):
        with self.assertError("NoSuchBackend", 'There is no backend "none": add it first'):
            self.operation(backend="none")
        with self.assertError("InvalidOption", "isolate is not for kind http-operation"):
            self.operation(options={"isolate": True})
        with self.assertError("InvalidOption", "memory-max is not for kind http-operation"):
            self.operation(options={"memory_max": 1 << 20})
        with self.assertError("InvalidOption", "secrets belong into the settings of the backend"):
            self.operation(headers={"Authorization": "Bearer x"})
        for name in ("path", "cancel_path"):
            with self.assertError("InvalidOption", f"'{name}' names another server than that of backend peer"):
                self.operation(**{"path": "/jobs", name: "http://127.0.0.1:1/x"})
        with self.assertError("InvalidOption", "all runs of a series would be one operation"):
            self.operation(idempotency_key="mine", options={"every": 1000000})

    def test_retry_is_another_one(self):
        self.begins(Answer(200, {"status": "failed"}), DONE)
        task = self.operation(self.peer.url + "/jobs", idempotency_key="mine")
        self.assertEnds(task, "failed", 1)
        again = Task(self.session, task.call("Retry")[0])
        self.assertEnds(again, "succeeded", 0)
        self.assertEqual([p.key for p in self.peer.of("POST /jobs")], ["mine", f"mine-task{again.id}"])

    def test_what_cannot_be_done_to_it(self):
        self.begins(RUNNING)
        task = self.operation()
        task.wait_state("running")
        with self.assertError("NotRunning", "at work on a server, which cannot be paused"):
            task.call("Pause")
        with self.assertError("NotRunning", "has no process to signal"):
            task.call("Kill", "(i)", 15)
        with self.assertError("StillActive", "1 task is at work on backend peer"):
            self.session.call("RemoveBackend", "(s)", "peer")
        self.peer.on("GET /jobs/1", DONE)
        self.assertEnds(task, "succeeded", 0)
        self.session.call("RemoveBackend", "(s)", "peer")
        with self.assertError("NoSuchBackend"):
            task.call("Retry")

    def test_backend_removed_while_it_waits(self):
        self.session.set_max_parallel(1)
        first = self.session.shell("sleep 600")
        task = self.operation()
        self.session.call("RemoveBackend", "(s)", "peer")
        first.cancel()
        self.assertEnds(task, "failed", -1, "its backend is not there any more")

    def test_slots(self):
        """It counts as any other task."""
        self.session.set_max_parallel(1)
        self.begins(RUNNING)
        tasks = [self.operation(), self.session.start("noop")]
        tasks[0].wait_state("running")
        self.assertEqual(tasks[1].get("State"), "queued")
        self.peer.on("GET /jobs/1", DONE)
        self.assertEnds(tasks[1], "succeeded", 0)


if __name__ == "__main__":
    main()
