#include <errno.h>
#include <stdio.h>

#include "common/parse.h"
#include "daemon/http/http-operation-private.h"

/* A cancel: the server is asked, and then asked for the operation until that is over. What it said
 * is told, whatever that was; after stop-timeout the task ends and says what is known. */

static void say(HttpOperation *o, const char *what, const char *text) {
    free(o->cancel_said);
    if (asprintf(&o->cancel_said, "%s%s%s%s", what, *text ? " (" : "", text, *text ? ")" : "") < 0)
        o->cancel_said = NULL;
}

/* ---- asking ---- */

static void on_failure(HttpOperation *o, int error, const char *text) {
    o->poll_between = true;
    say(o, "could not be asked to cancel it", text);
    operation_log_failure(o, "The server could not be asked to cancel it: %s", text);
    operation_status(o, "Cancelling: the server could not be asked yet: %s", text);
    operation_later(o, operation_pace_bad(&o->pace, 0, operation_random()));
}

static void go_on(HttpOperation *o, OperationCancel cancel) {
    o->cancel = cancel;
    o->pace = (OperationPace){.hurry = true, .fixed_usec = o->p.poll_interval_usec};
    operation_later(o, 0);
}

static void on_accepted(HttpOperation *o, const OperationAnswer *a) {
    char text[32];

    snprintf(text, sizeof(text), "HTTP %u", a->status);
    say(o, "was asked to cancel it", text);
    operation_log(o, false, "The server has taken the cancel (%s)", text);
    go_on(o, OPERATION_CANCEL_ASKED);
}

/* Perhaps it is over: that is what the next poll tells. */
static void on_refused(HttpOperation *o, const OperationAnswer *a) {
    _cleanup_free_ char *text = operation_describe_answer(o, a);

    say(o, "refuses to cancel it", strempty(text));
    operation_log(o, true, "The server refuses to cancel it: %s", strempty(text));
    _cleanup_free_ char *reason = NULL;
    if (asprintf(&reason, "the server %s", strempty(o->cancel_said)) < 0)
        reason = NULL;
    o->job.events->reason(o->job.userdata, strempty(reason));
    go_on(o, OPERATION_CANCEL_REFUSED);
}

static void on_answer(HttpOperation *o, const OperationAnswer *a) {
    if (a->status >= 200 && a->status < 300) {
        on_accepted(o, a);
        return;
    }
    if (operation_is_busy_status(a->status) || a->status == 500) {
        _cleanup_free_ char *text = operation_describe_answer(o, a);
        o->poll_between = true;
        say(o, "could not be asked to cancel it", strempty(text));
        operation_log_failure(o, "The server does not take the cancel now: %s", strempty(text));
        operation_later(o,
                        operation_pace_bad(&o->pace, operation_retry_after(a), operation_random()));
        return;
    }
    on_refused(o, a);
}

void operation_ask_cancel(HttpOperation *o) {
    _cleanup_free_ char *url = operation_cancel_url(o->saved.url, o->p.cancel_path);
    _cleanup_free_ char *shown = url ? operation_url_shown(url) : NULL;

    if (!url) {
        on_failure(o, -ENOMEM, "out of memory");
        return;
    }
    if (!o->cancel_said) {
        operation_log(o, false, "%s %s, to cancel it", o->p.cancel_method, strempty(shown));
        operation_status(o, "Asking the server to cancel it");
    }
    operation_call(o, o->p.cancel_method, url, o->cancel_body, on_answer, on_failure);
}

/* ---- given up ---- */

static void end_unconfirmed(HttpOperation *o) {
    _cleanup_free_ char *shown = operation_url_shown(o->saved.url);
    char span[FORMAT_MAX];

    format_span(span, o->spec.stop_timeout_usec);
    if (o->cancel == OPERATION_CANCEL_ASKED)
        operation_end(o, TASK_CANCELLED,
                      "cancelled here, but not there as far as is known: the server %s, and after "
                      "%s %s%s%s. It is at %s",
                      strempty(o->cancel_said), span,
                      o->lost_since > 0 ? "does not answer" : "it says \"",
                      o->lost_since > 0 ? "" : operation_shown_word(o),
                      o->lost_since > 0 ? "" : "\"", strempty(shown));
    else
        operation_end(o, TASK_CANCELLED,
                      "cancelled here, but it may be running on: the server %s. It is at %s",
                      o->cancel_said ?: "has not answered the cancel", strempty(shown));
}

static int on_stop_timeout(sd_event_source *s, uint64_t usec, void *userdata) {
    HttpOperation *o = userdata;

    if (o->step == OPERATION_STEP_RESULT)
        operation_succeed(o, "its result was not read");
    else if (o->saved.url)
        end_unconfirmed(o);
    else {
        o->maybe_started |= o->call != NULL;
        operation_end_unstarted(o);
    }
    return 0;
}

void operation_begin_cancel(HttpOperation *o) {
    if (operation_is_cancelling(o) || o->step == OPERATION_STEP_ENDED)
        return;
    o->cancel = OPERATION_CANCEL_ASK;
    o->pace = (OperationPace){.hurry = true};
    int r = sd_event_add_time_relative(o->event, &o->stop_timer, CLOCK_MONOTONIC,
                                       o->spec.stop_timeout_usec, 0, on_stop_timeout, o);
    if (r < 0)
        operation_log(o, true, "The time of the cancel cannot be watched over: %s", strerror(-r));
    /* An answer to the start is worth waiting for: it says what is to be cancelled. */
    if (o->step == OPERATION_STEP_START && o->call) {
        operation_status(o, "Cancelling, as soon as the server has answered the start");
        return;
    }
    if (o->step == OPERATION_STEP_RESULT)
        return; /* too late */
    operation_drop_call(o);
    operation_later(o, 0);
}
