#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "common/clock.h"
#include "daemon/http/http-operation-private.h"

/* An operation that has been started is asked for until it is over. */

#define DOUBT_FACTOR 8

/* ---- what goes wrong ---- */

static void format_time(char *buf, size_t size, uint64_t usec) {
    time_t sec = (time_t)(usec / USEC_PER_SEC);
    struct tm tm;

    if (!localtime_r(&sec, &tm) || strftime(buf, size, "%T", &tm) == 0)
        snprintf(buf, size, "now");
}

/* It goes on there, as far as anybody knows. asked: the server has been, or at least tried. */
static void lose(HttpOperation *o, bool asked, const char *text, uint64_t retry_after) {
    char since[32];

    if (o->lost_since == 0)
        o->lost_since = clock_usec(CLOCK_REALTIME);
    format_time(since, sizeof(since), o->lost_since);
    operation_log_failure(o, "Cannot be asked for: %s", text);
    if (asked)
        operation_status(o, "No answer from \"%s\" since %s: %s", o->p.backend, since, text);
    else
        operation_status(o, "Cannot be asked for since %s: %s", since, text);
    operation_later(o, operation_pace_bad(&o->pace, retry_after, operation_random()));
}

/* It answers, but not as anybody could understand. */
static void doubt(HttpOperation *o, const char *text, unsigned max) {
    _cleanup_free_ char *shown = operation_url_shown(o->saved.url);

    o->bad++;
    operation_log_failure(o, "%s", text);
    if (o->bad >= max) {
        operation_end(o, TASK_FAILED, "%s (%u such answers in a row). It may be running still: %s",
                      text, o->bad, strempty(shown));
        return;
    }
    operation_status(o, "%s (answer %u of %u that is of no use)", text, o->bad, max);
    /* About half a minute in all: what lies in between may be at fault, and is put right. */
    operation_later(o, operation_pace_bad(&o->pace, 0, operation_random()) *
                           (o->pace.fixed_usec > 0 ? 1 : DOUBT_FACTOR));
}

static void doubt_error(HttpOperation *o, const Error *error) {
    doubt(o, error->message ?: "out of memory", OPERATION_BAD_MAX);
}

/* ---- gone ---- */

static void on_gone(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *shown = operation_url_shown(o->saved.url);

    if (operation_is_cancelling(o)) {
        operation_end(o, TASK_CANCELLED, "cancelled: the server does not know it any more%s%s",
                      o->cancel_said ? "; it " : "", strempty(o->cancel_said));
        return;
    }
    if (a->status == 404 && !o->seen && o->bad + 1 < OPERATION_UNKNOWN_MAX) {
        doubt(o, "the server does not know it yet (HTTP 404)", OPERATION_UNKNOWN_MAX);
        return;
    }
    operation_end(o, TASK_FAILED,
                  "the server does not know the operation any more (HTTP %u): how it ended is not "
                  "known. It was at %s",
                  a->status, strempty(shown));
}

/* ---- redirects ---- */

static void on_redirect(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_error_ Error error = {};
    char *url = NULL;
    int r = a->location
                ? operation_resolve(a, a->location, &url, &error)
                : error_set(&error, ERROR_BACKEND_FAILED,
                            "the server redirects (HTTP %u), but does not say where to", a->status);

    if (r < 0) {
        doubt_error(o, &error);
        return;
    }
    if (a->status == 303) {
        operation_log(o, false, "HTTP 303: it has ended, and its result is elsewhere");
        operation_fetch_from(o, url);
        return;
    }
    if (++o->hops > OPERATION_HOPS_MAX) {
        free(url);
        o->hops = 0;
        doubt(o, "the server redirects in a circle", OPERATION_BAD_MAX);
        return;
    }
    free(o->hop);
    o->hop = url;
    operation_poll(o);
}

/* ---- answers ---- */

static void say_failed(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *text = operation_error_text(a->root, a->body, &o->p);

    if (text)
        operation_end(o, TASK_FAILED, "%s", text);
    else
        operation_end(o, TASK_FAILED, "the server says \"%s\", and not why",
                      isempty(o->word) ? "failed" : o->word);
}

static void say_cancelled(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *text = operation_error_text(a->root, NULL, &o->p);

    if (operation_is_cancelling(o))
        operation_end(o, TASK_CANCELLED, "cancelled");
    else
        operation_end(o, TASK_CANCELLED, "it was cancelled on the server%s%s", text ? ": " : "",
                      strempty(text));
}

void operation_conclude(HttpOperation *o, const OperationAnswer *a, OperationState state) {
    if (state == OPERATION_FAILED)
        say_failed(o, a);
    else if (state == OPERATION_CANCELLED)
        say_cancelled(o, a);
    else
        operation_take_result(o, a);
}

/* What an answer without a word about it means; UNSAID: nothing. */
static OperationState guess(const HttpOperation *o, const OperationAnswer *a,
                            const OperationReading *r) {
    if (a->status == 202)
        return OPERATION_RUNNING;
    if (a->status == 204)
        return OPERATION_SUCCEEDED;
    if (o->p.state_field || o->had_state || operation_has_error(a->root) ||
        operation_answer_is_garbage(a))
        return OPERATION_UNSAID;
    if (r->fraction >= 0)
        return r->fraction >= 1 ? OPERATION_SUCCEEDED : OPERATION_RUNNING;
    /* It is there, which it was not before. */
    return o->saved.track == OPERATION_TRACK_RESOURCE ? OPERATION_SUCCEEDED : OPERATION_UNSAID;
}

static void on_unsaid(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *said =
        operation_has_error(a->root) ? operation_error_text(a->root, NULL, &o->p) : NULL;
    char text[800];

    if (said)
        snprintf(text, sizeof(text), "the server answers with an error: %s", said);
    else if (!a->root)
        snprintf(text, sizeof(text), "the server's answer is no JSON");
    else if (o->p.state_field)
        snprintf(text, sizeof(text), "the server's answer has no state at \"%.200s\" (state_field)",
                 o->p.state_field);
    else
        snprintf(text, sizeof(text),
                 "the server's answer does not say how far the operation is: give state_field");
    doubt(o, text, OPERATION_BAD_MAX);
}

/* The answer names where the next one is to be had: Azure does so. What is on disk leads there. */
static void follow_location(HttpOperation *o, const OperationAnswer *a) {
    Error error = {};
    char *url;

    if (a->status != 202 || !a->location || o->saved.track != OPERATION_TRACK_RESOURCE)
        return;
    if (operation_resolve(a, a->location, &url, &error) >= 0) {
        free(o->saved.url);
        o->saved.url = url;
    }
    error_done(&error);
}

static void on_good(HttpOperation *o, const OperationAnswer *a) {
    OperationReading r;

    operation_read(a->root, &o->p, &o->scale, &r);
    OperationState state = r.state == OPERATION_UNSAID ? guess(o, a, &r) : r.state;
    if (state == OPERATION_UNSAID) {
        on_unsaid(o, a);
        return;
    }
    if (o->lost_since > 0)
        operation_log(o, false, "It can be asked for again");
    free(TAKE_PTR(o->failure));
    o->lost_since = 0;
    o->bad = 0;
    o->seen = true;
    o->had_state |= r.state != OPERATION_UNSAID;
    follow_location(o, a);
    bool changed = operation_tell(o, &r);
    if (operation_state_is_final(state))
        operation_conclude(o, a, state);
    else
        operation_later(o, operation_pace_good(&o->pace, changed, operation_retry_after(a),
                                               operation_random()));
}

static bool is_redirect(unsigned status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static void on_answer(HttpOperation *o, const OperationAnswer *a) {
    if (is_redirect(a->status)) {
        on_redirect(o, a);
        return;
    }
    o->hops = 0;
    free(TAKE_PTR(o->hop));
    if (a->status >= 200 && a->status < 300) {
        on_good(o, a);
        return;
    }
    if (a->status == 404 || a->status == 410) {
        on_gone(o, a);
        return;
    }
    _cleanup_free_ char *text = operation_describe_answer(o, a);
    if (operation_is_busy_status(a->status) || a->status >= 500)
        lose(o, true, strempty(text), operation_retry_after(a));
    else
        doubt(o, strempty(text), OPERATION_BAD_MAX);
}

static void on_failure(HttpOperation *o, int error, const char *text) {
    free(TAKE_PTR(o->hop));
    o->hops = 0;
    if (error == -EMSGSIZE || error == -EPROTO || error == -EINVAL)
        doubt(o, text, OPERATION_BAD_MAX);
    else
        lose(o, error != -EHOSTDOWN, text, 0); /* see operation_call() */
}

void operation_poll(HttpOperation *o) {
    operation_call(o, "GET", o->hop ?: o->saved.url, NULL, on_answer, on_failure);
}
