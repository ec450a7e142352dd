#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/random.h>

#include "daemon/http/http-operation-private.h"

/* The start: one request, sent again with the same key until there is an answer. */

/* ---- the key ---- */

/* A UUID of version 4 (RFC 4122). */
static int random_key(char **ret) {
    uint8_t b[16];

    if (getrandom(b, sizeof(b), 0) != sizeof(b))
        return -EIO;
    b[6] = (uint8_t)((b[6] & 0x0f) | 0x40);
    b[8] = (uint8_t)((b[8] & 0x3f) | 0x80);
    return asprintf(ret, "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                    b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12],
                    b[13], b[14], b[15]) < 0
               ? -ENOMEM
               : 0;
}

/* Of each attempt its own: with that of the one before, the server would answer with what failed.
 */
int operation_make_key(HttpOperation *o) {
    const char *given = o->p.idempotency_key;
    char task[32] = "", attempt[32] = "";

    if (!given)
        return random_key(&o->saved.key);
    if (o->spec.is_repetition)
        snprintf(task, sizeof(task), "-task%" PRIu64, o->spec.id);
    if (o->spec.attempt > 1)
        snprintf(attempt, sizeof(attempt), "-%" PRIu32, o->spec.attempt);
    if (asprintf(&o->saved.key, "%s%s%s", given, task, attempt) < 0)
        o->saved.key = NULL;
    return o->saved.key ? 0 : -ENOMEM;
}

/* ---- again ---- */

static const char *maybe(const HttpOperation *o) {
    return o->maybe_started ? "; an earlier request may have come through, so it may be running "
                              "there (Idempotency-Key "
                            : "";
}

static void fail(HttpOperation *o, const char *what, const char *text) {
    operation_end(o, TASK_FAILED, "%s: %s%s%s%s", what, text, maybe(o),
                  o->maybe_started ? o->saved.key : "", o->maybe_started ? ")" : "");
}

static void try_again(HttpOperation *o, const char *text, uint64_t retry_after) {
    unsigned max = (unsigned)o->p.start_tries;

    operation_log_failure(o, "Cannot start it: %s", text);
    if (operation_is_cancelling(o)) {
        operation_end_unstarted(o);
        return;
    }
    if (o->tries >= max) {
        char what[64];
        snprintf(what, sizeof(what), "it could not be started in %u tries", o->tries);
        fail(o, o->tries == 1 ? "it could not be started" : what, text);
        return;
    }
    operation_status(o, "Not started yet, try %u of %u failed: %s", o->tries, max, text);
    operation_later(o, operation_pace_bad(&o->pace, retry_after, operation_random()));
    if (o->held)
        o->spec.rests(o->job.userdata);
}

void operation_end_unstarted(HttpOperation *o) {
    if (o->maybe_started)
        operation_end(o, TASK_CANCELLED,
                      "cancelled, but the server never answered the start: it may be running there "
                      "(Idempotency-Key %s)",
                      o->saved.key);
    else
        operation_end(o, TASK_CANCELLED, "cancelled before it was started");
}

/* Nothing has reached a server. */
static bool was_not_sent(int error) {
    switch (error) {
    case -ECONNREFUSED:
    case -ENOENT:
    case -EAGAIN:
    case -ENETUNREACH:
    case -EHOSTUNREACH:
    case -EHOSTDOWN: /* see operation_call() */
    case -EKEYREJECTED:
    case -EINVAL:
    case -ENOBUFS:
    case -ENOMEM:
        return true;
    default:
        return false;
    }
}

static bool is_hopeless(int error) {
    return error == -EINVAL || error == -EKEYREJECTED || error == -EMSGSIZE;
}

static void on_failure(HttpOperation *o, int error, const char *text) {
    o->maybe_started |= !was_not_sent(error);
    if (is_hopeless(error))
        fail(o, "it could not be started", text);
    else
        try_again(o, text, 0);
}

/* ---- the answer ---- */

/* All that there is to know is in this answer. */
static void end_at_once(HttpOperation *o, const OperationAnswer *a, const OperationReading *r) {
    OperationState state = r->state;

    if (state == OPERATION_UNSAID)
        state = operation_has_error(a->root) ? OPERATION_FAILED : OPERATION_SUCCEEDED;
    if (state == OPERATION_SUCCEEDED && !a->root && !operation_answer_is_empty(a)) {
        operation_end(o, TASK_FAILED,
                      "the answer to the start (HTTP %u) is no JSON, and names nothing to follow",
                      a->status);
        return;
    }
    operation_conclude(o, a, state);
}

/* Of the server that has answered, whatever the backend will be then. */
static void keep_whole_url(HttpOperation *o) {
    char *url = http_client_url(o->spec.client, o->saved.url);

    if (!url)
        return; /* the next request says what is wrong with it */
    free(o->saved.url);
    o->saved.url = url;
}

/* Besides the state of the operation, the server may have named where its result will be. */
static int note_result_url(HttpOperation *o, const OperationAnswer *a) {
    Error error = {};

    if (o->saved.track != OPERATION_TRACK_STATUS || !a->operation_location || !a->location ||
        a->status != 202)
        return 0;
    int r = operation_resolve(a, a->location, &o->saved.result_url, &error);
    error_done(&error);
    return r == -ENOMEM ? r : 0;
}

static void follow(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_error_ Error error = {};
    OperationReading reading;
    int r;

    operation_read(a->root, &o->p, &o->scale, &reading);
    r = operation_follow(a, &o->p, &reading, &o->saved.track, &o->saved.url, &error);
    if (r >= 0)
        r = note_result_url(o, a);
    if (r < 0) {
        operation_end(o, TASK_FAILED, "%s", error.message ?: strerror(-r));
        return;
    }
    if (o->saved.track == OPERATION_TRACK_NONE) {
        end_at_once(o, a, &reading);
        return;
    }
    keep_whole_url(o);
    _cleanup_free_ char *shown = operation_url_shown(o->saved.url);
    operation_log(o, false, "HTTP %u: it is followed at %s", a->status, strempty(shown));
    (void)operation_tell(o, &reading);
    o->pace.backoff_usec = 0;
    /* How soon it is to be asked for the first time, this answer says. */
    uint64_t first =
        operation_pace_good(&o->pace, true, operation_retry_after(a), operation_random());
    operation_save(o, OPERATION_STEP_SAVE_URL);
    o->first_poll_usec = first;
}

static bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 307 || status == 308;
}

static void refuse(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *text = operation_describe_answer(o, a);

    if (is_redirect(a->status))
        operation_end(o, TASK_FAILED,
                      "the server sends the request to %.300s (HTTP %u): give that as path",
                      strempty(a->location), a->status);
    else
        fail(o, "the server has not started it", strempty(text));
}

static void on_answer(HttpOperation *o, const OperationAnswer *a) {
    if ((a->status >= 200 && a->status <= 204) || a->status == 303) {
        follow(o, a);
        return;
    }
    /* Conflict: it is still at work on the request before, which had the same key. */
    bool at_work = a->status == 409 && (o->maybe_started || o->tries > 1);
    if (operation_is_busy_status(a->status) || at_work) {
        _cleanup_free_ char *text = operation_describe_answer(o, a);
        o->maybe_started |= a->status == 502 || a->status == 504;
        try_again(o, strempty(text), operation_retry_after(a));
        return;
    }
    refuse(o, a);
}

/* No try: nobody is there to be asked. Until it is, see http_operation_set_client(). */
static void wait_for_backend(HttpOperation *o) {
    _cleanup_error_ Error error = {};

    (void)operation_check_client(o, &error);
    operation_log_failure(o, "Cannot be started: %s", strempty(error.message));
    operation_status(o, "Not started yet: %s", strempty(error.message));
}

void operation_send_start(HttpOperation *o) {
    if (!o->spec.client) {
        wait_for_backend(o);
        return;
    }
    _cleanup_free_ char *shown = operation_url_shown(o->p.path);

    o->tries++;
    operation_log(o, false, "%s %s, Idempotency-Key %s%s", o->p.method, strempty(shown),
                  o->saved.key, o->tries > 1 || o->maybe_started ? ", again" : "");
    if (o->tries == 1)
        operation_status(o, "Starting: %s %s", o->p.method, strempty(shown));
    operation_call(o, o->p.method, o->p.path, o->body, on_answer, on_failure);
}
