#!/usr/bin/python3
"""Operations on servers: started, followed, their ends and results. What outlives what: test_operation_restart.py."""

import re
import unittest

from daemon_testing import main
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
        with self.assertError("InvalidOption", "secrets belong into the settings of the backend"):
            self.operation(headers={"Authorization": "Bearer x"})

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


class PollTest(OperationTestCase):
    def test_progress_never_runs_backwards(self):
        self.begins(*[Answer(200, {"status": "running", "progress": p, "phase": "copy"})
                      for p in (10, 40, 30, 100, 20, 60)], DONE)
        task = self.operation()
        self.assertEnds(task, "succeeded", 0)
        fractions = [s.args[0] for s in task.signals("Progress")]
        self.assertEqual(fractions, sorted(fractions))
        self.assertLess(fractions[-2], 1)
        self.assertEqual((fractions[-1], task.get("Phase")), (1, "copy"))

    def test_status_and_counts(self):
        self.begins(Answer(200, {"state": "busy", "done": 3, "total": 12, "message": "page 3"}))
        task = self.operation()
        self.session.wait_until(lambda: "busy: page 3" in self.statuses(task), "the status")
        self.assertEqual((task.get("Done"), task.get("Total"), task.get("Progress")), (3, 12, 0.25))
        self.peer.on("GET /jobs/1", Answer(200, {"state": "completed", "message": "12 pages"}))
        self.assertEnds(task, "succeeded", 0, "^12 pages$")
        self.assertIn("busy: page 3", self.lines(task))

    def test_named_fields(self):
        self.begins(Answer(200, {"a": {"s": "x"}, "n": 1, "m": 4, "status": "failed"}),
                    Answer(200, {"a": {"s": "Good"}, "r": [1, 2], "status": "failed"}))
        task = self.operation(state_field="/a/s", progress_field="/n", total_field="/m", result_field="/r",
                              succeeded_states=["good"])
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.take_result(), [1, 2])
        self.assertIn(0.25, [s.args[0] for s in task.signals("Progress")])

    def test_retry_after(self):
        self.begins(Answer(200, {"status": "running"}, {"Retry-After": "1"}), DONE)
        self.assertEnds(self.operation(), "succeeded", 0)
        polls = self.peer.of("GET /jobs/1")
        self.assertGreaterEqual(polls[1].time - polls[0].time, 1)
        self.assertLess(polls[1].time - polls[0].time, 3)

    def test_retry_after_of_the_start(self):
        self.begins(DONE, **{"Retry-After": "1"})
        self.assertEnds(self.operation(), "succeeded", 0)
        self.assertGreaterEqual(self.peer.of("GET /jobs/1")[0].time - self.peer.of("POST /jobs")[0].time, 1)

    def test_location_until_it_is_there(self):
        """202 as long as there is nothing, as many services do it, without a word about a state."""
        self.begins(Answer(202), Answer(202, {}, {"Location": "/jobs/2"}))
        self.peer.on("GET /jobs/2", Answer(202), Answer(200, {"picture": 7}))
        task = self.operation()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.take_result(), {"picture": 7})

    def test_see_other(self):
        self.begins(RUNNING, Answer(303, headers={"Location": "../pictures/7"}))
        self.peer.on("GET /pictures/7", Answer(503), Answer(200, {"n": 7}))
        task = self.operation()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.take_result(), {"n": 7})

    def test_redirects(self):
        self.begins(Answer(302, headers={"Location": "/moved"}), Answer(307, headers={"Location": "/moved"}))
        self.peer.on("GET /moved", RUNNING, DONE)
        self.assertEnds(self.operation(), "succeeded", 0)
        self.begins(Answer(302, headers={"Location": "/jobs/1"}))
        self.assertEnds(self.operation(), "failed", 1, "redirects in a circle .5 such answers in a row")

    def test_result_elsewhere(self):
        self.begins(Answer(200, {"status": "Succeeded", "resourceLocation": "/vm/7"}))
        self.peer.on("GET /vm/7", Answer(200, {"vm": 7}))
        task = self.operation()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.take_result(), {"vm": 7})
        self.peer.on("GET /vm/7", Answer(403, {"error": "not yours"}))
        self.assertEnds(self.operation(), "succeeded", 0,
                        "^its result could not be read from http://.*/vm/7: HTTP 403 Forbidden: not yours$")

    def test_result_of_a_state_with_a_location(self):
        self.begins(path="/vm/7", **{"Operation-Location": "/o/1"})
        self.peer.on("GET /o/1", RUNNING, Answer(200, {"status": "succeeded"}))
        self.peer.on("GET /vm/7", Answer(200, {"vm": 7}))
        task = self.operation()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(task.take_result(), {"vm": 7})

    def test_result_max(self):
        self.begins(Answer(200, {"status": "done", "result": "x" * 1000}))
        task = self.operation(options={"result_max": 1000})
        self.assertEnds(task, "succeeded", 0, r"^its result was not kept: it has 1002 bytes, more than 1000 \(result-max\)$")
        self.assertFalse(task.get("HasResult"))

    def test_another_server_is_not_asked(self):
        for url in ("http://127.0.0.1:1/x?token=1", "https://evil.example/"):
            self.begins(path=url)
            self.assertEnds(self.operation(), "failed", 1, "another server than the backend, and would get its credentials")
        self.begins(Answer(302, headers={"Location": "http://127.0.0.1:1/x"}))
        self.assertEnds(self.operation(), "failed", 1, "another server than the backend")

    def test_answers_that_make_no_sense(self):
        for answer, message in ((Answer(200, "{", {"Content-Type": "application/json"}), "is no JSON"),
                                (Answer(200, {"error": "try later"}), "answers with an error: try later"),
                                (Answer(403, {"error": "no"}), "HTTP 403 Forbidden: no")):
            with self.subTest(message=message):
                self.begins(RUNNING, answer)
                task = self.operation()
                self.assertEnds(task, "failed", 1, rf"{message} \(5 such answers in a row\). It may be running still: http")
                self.assertEqual(len(self.peer.of("GET /jobs/1")), 6)
                self.assertTrue(any("(answer 4 of 5 that is of no use)" in s for s in self.statuses(task)))
                self.peer.requests.clear()

    def test_some_of_them_are_no_end(self):
        self.begins(RUNNING, *[Answer(200, "garbage")] * 4, RUNNING, *[Answer(200, ["x"])] * 4, DONE)
        self.assertEnds(self.operation(), "succeeded", 0)

    def test_not_known_yet(self):
        self.begins(Answer(404), Answer(404), RUNNING, DONE)
        self.assertEnds(self.operation(), "succeeded", 0)
        self.begins(Answer(404))
        self.assertEnds(self.operation(), "failed", 1, "does not know the operation any more .HTTP 404.")
        self.begins(RUNNING, Answer(404))
        self.assertEnds(self.operation(), "failed", 1, "HTTP 404")
        self.begins(Answer(410))
        self.assertEnds(self.operation(), "failed", 1, "HTTP 410")

    def test_a_server_that_goes_and_comes_back(self):
        self.begins(Answer(200, {"status": "running", "progress": 0.3}))
        task = self.operation()
        self.session.wait_until(lambda: task.signals("Progress"), "progress")
        self.peer.stop()
        self.session.wait_until(lambda: any(re.search(r'^No answer from "peer" since \d\d:\d\d:\d\d: ', s)
                                            for s in self.statuses(task)), "the status")
        self.assertEqual(task.get("State"), "running")
        self.peer.on("GET /jobs/1", Answer(503), Answer(drop=True), DONE)
        self.peer.start()
        self.assertEnds(task, "succeeded", 0)
        self.assertEqual(len(self.peer.of("POST /jobs")), 1)
        self.assertIn("It can be asked for again", self.lines(task))

    def test_cancelled_on_the_server(self):
        self.begins(RUNNING, Answer(200, {"status": "canceled", "error": "by the admin"}))
        self.assertEnds(self.operation(), "cancelled", -1, "^it was cancelled on the server: by the admin$")

    def test_timeouts(self):
        self.begins(RUNNING)
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", Answer(404)), Answer(204))[1])
        task = self.operation(options={"timeout": 300000})
        self.assertEnds(task, "timed-out", -1, "^timeout: it has run for 300ms, the limit is 300ms; cancelled: ")
        self.begins(Answer(200, {"status": "running", "progress": 5}))
        task = self.operation(options={"idle_timeout": 500000})
        self.assertEnds(task, "timed-out", -1, "^idle-timeout: ")

    def test_children_and_log_max(self):
        """What it says is bounded like all else."""
        self.begins(*[Answer(200, {"status": "running", "message": f"{i}" * 500}) for i in range(20)], DONE)
        task = self.operation(options={"log_max": 4096})
        self.assertEnds(task, "succeeded", 0)


class CancelTest(OperationTestCase):
    def running(self, *polls, **params):
        self.begins(*(polls or [RUNNING]))
        task = self.operation(**params)
        self.session.wait_until(lambda: "running" in self.statuses(task), "it to run")
        return task

    def test_accepted(self):
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on(
            "GET /jobs/1", RUNNING, Answer(200, {"status": "cancelling"}), Answer(200, {"status": "cancelled"})), Answer(202))[1])
        task = self.running()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled$")
        self.assertIn("The server has taken the cancel (HTTP 202)", self.lines(task))
        self.assertEqual(len(self.peer.of("DELETE /jobs/1")), 1)

    def test_gone_after_it(self):
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", Answer(410)), Answer(204))[1])
        task = self.running()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, r"^cancelled: the server does not know it any more; it was asked to cancel it \(HTTP 204\)$")

    def test_configured(self):
        self.peer.on("POST /jobs/1:cancel", lambda r: (self.peer.on("GET /jobs/1", Answer(200, {"status": "aborted"})), Answer(200, {}))[1])
        task = self.running(cancel_path=":cancel", cancel_body={"why": "enough"})
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled$")
        self.assertEqual(self.peer.of("POST /jobs/1:cancel")[0].body, b'{"why": "enough"}')

    def test_too_late(self):
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", DONE), Answer(409, {"error": "it has ended"}))[1])
        task = self.running()
        task.cancel()
        self.assertEnds(task, "succeeded", 0, "^the cancel came too late$")
        self.assertEqual(task.take_result(), {"answer": 42})

    def test_refused(self):
        self.peer.on("DELETE /jobs/1", Answer(405, {"error": "not here"}))
        task = self.running(options={"stop_timeout": 400000})
        task.cancel()
        self.session.wait_until(lambda: any("refuses to cancel it (HTTP 405 Method Not Allowed: not here)" in s
                                            for s in self.statuses(task)), "the status")
        self.assertEqual(task.get("State"), "cancelling")
        self.assertEnds(task, "cancelled", -1, r"^cancelled here, but it may be running on: the server refuses to cancel it "
                                               r"\(HTTP 405 Method Not Allowed: not here\). It is at http://.*/jobs/1$")

    def test_not_confirmed(self):
        self.peer.on("DELETE /jobs/1", Answer(200, {"status": "success"}))
        task = self.running(options={"stop_timeout": 400000})
        task.cancel()
        self.assertEnds(task, "cancelled", -1, r"^cancelled here, but not there as far as is known: the server was asked to cancel "
                                               r"it \(HTTP 200\), and after 400ms it says \"running\". It is at http://")

    def test_no_such_route(self):
        self.peer.on("DELETE /jobs/1", Answer(404))
        task = self.running(options={"stop_timeout": 400000})
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "refuses to cancel it .HTTP 404 Not Found")

    def test_asked_again_when_it_is_busy(self):
        self.peer.on("DELETE /jobs/1", Answer(503), Answer(drop=True), lambda r: (
            self.peer.on("GET /jobs/1", Answer(404)), Answer(204))[1])
        task = self.running()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled")
        self.assertEqual(len(self.peer.of("DELETE /jobs/1")), 3)

    def test_server_gone(self):
        task = self.running(options={"stop_timeout": 400000})
        self.peer.stop()
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "it may be running on: the server could not be asked to cancel it .*Connection refused|refused")
        self.peer.start()

    def test_before_the_start_is_answered(self):
        """The answer is waited for: it says what is to be cancelled."""
        import threading
        hold = threading.Event()
        self.begins(RUNNING)
        self.peer.on("POST /jobs", Answer(202, headers={"Location": "/jobs/1"}, hold=hold))
        self.peer.on("DELETE /jobs/1", lambda r: (self.peer.on("GET /jobs/1", Answer(404)), Answer(204))[1])
        task = self.operation()
        self.peer.wait("POST /jobs")
        task.cancel()
        self.session.wait_until(lambda: any("as soon as the server has answered" in s for s in self.statuses(task)), "it")
        hold.set()
        self.assertEnds(task, "cancelled", -1, "^cancelled: the server does not know it any more")

    def test_a_start_that_is_never_answered(self):
        import threading
        hold = threading.Event()
        self.addCleanup(hold.set)
        self.peer.on("POST /jobs", Answer(202, hold=hold))
        task = self.operation(options={"stop_timeout": 300000})
        key = self.peer.wait("POST /jobs")[0].key
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled, but the server never answered the start: it may be running there "
                                               rf"\(Idempotency-Key {key}\)$")

    def test_between_two_tries(self):
        self.peer.on("POST /jobs", Answer(503, headers={"Retry-After": "60"}))
        task = self.operation()
        self.session.wait_until(lambda: any("try 1 of 10" in s for s in self.statuses(task)), "the status")
        task.cancel()
        self.assertEnds(task, "cancelled", -1, "^cancelled before it was started$")


if __name__ == "__main__":
    main()
