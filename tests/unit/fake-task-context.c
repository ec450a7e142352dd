#include "tests/unit/fake-task-context.h"

#include <check.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>

#include "common/cleanup.h"
#include "common/strv.h"
#include "common/text.h"

/* ck_assert() writes to a file each time, also where all is well: too slow for 100,000 events. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            ck_abort_msg("%s", #condition);                                                        \
    } while (false)

static FakeTaskContext *fake(TaskContext *c) {
    return CONTAINER_OF(c, FakeTaskContext, context);
}

static void tell(FakeTaskContext *f, const char *event) {
    if (f->hook)
        f->hook(f, event);
}

static void note(FakeTaskContext *f, const char *format, ...) _printf_(2, 3);
static void note(FakeTaskContext *f, const char *format, ...) {
    char *event;
    va_list ap;

    va_start(ap, format);
    MUST(vasprintf(&event, format, ap) >= 0);
    va_end(ap);
    MUST(strv_push(&f->events, &f->n_events, event) == 0);
    tell(f, event);
}

static void on_progress(TaskContext *c, uint64_t done, uint64_t total, bool bytes) {
    FakeTaskContext *f = fake(c);

    MUST(done >= f->done);
    MUST(!f->complete);
    if (total > 0) {
        MUST(done <= total);
        MUST(f->total == 0 || f->total == total);
        f->complete = done == total;
    }
    f->done = done;
    f->total = total;
    note(f, "progress %" PRIu64 "/%" PRIu64 "%s", done, total, bytes ? " bytes" : "");
}

static void on_phase(TaskContext *c, const char *phase) {
    FakeTaskContext *f = fake(c);

    f->done = f->total = 0;
    note(f, "phase %s", phase);
}

static void on_status(TaskContext *c, const char *text) {
    MUST(utf8_is_valid(text));
    note(fake(c), "status %s", text);
}

static void on_log(TaskContext *c, bool error, const char *line) {
    MUST(!strchr(line, '\n'));
    note(fake(c), "%s %s", error ? "log-error" : "log", line);
}

static void on_message(TaskContext *c, const char *text) {
    FakeTaskContext *f = fake(c);

    MUST(utf8_is_valid(text));
    free(f->message);
    f->message = strdup(text);
    note(f, "message %s", text);
}

static int on_set_result(TaskContext *c, const char *json) {
    FakeTaskContext *f = fake(c);

    if (strlen(json) > f->result_max)
        return -EFBIG;
    MUST(utf8_is_valid(json));
    free(f->result);
    f->result = strdup(json);
    return 0;
}

static bool on_cancelled(TaskContext *c) {
    FakeTaskContext *f = fake(c);

    if (++f->looks == f->cancel_at_look)
        f->cancelled = true;
    tell(f, "look");
    return f->cancelled;
}

static int on_sleep(TaskContext *c, uint64_t usec) {
    FakeTaskContext *f = fake(c);

    if (++f->sleeps == f->cancel_at_sleep)
        f->cancelled = true;
    note(f, "sleep %" PRIu64, usec);
    return f->cancelled ? -ECANCELED : 0;
}

static int on_receive(TaskContext *c, uint64_t timeout_usec, char **ret) {
    FakeTaskContext *f = fake(c);

    if (f->inbox && *f->inbox) {
        *ret = strdup(*f->inbox++);
        return 0;
    }
    int r = on_sleep(c, timeout_usec);
    return r < 0 ? r : -ETIMEDOUT;
}

static int on_send(TaskContext *c, const char *text) {
    note(fake(c), "send %s", text);
    return 0;
}

static const TaskContextVTable fake_vtable = {
    .progress = on_progress,
    .phase = on_phase,
    .status = on_status,
    .log = on_log,
    .message = on_message,
    .set_result = on_set_result,
    .cancelled = on_cancelled,
    .sleep = on_sleep,
    .receive = on_receive,
    .send = on_send,
};

void fake_task_context_init(FakeTaskContext *f) {
    *f = (FakeTaskContext){.context.vtable = &fake_vtable, .result_max = MIB};
}

void fake_task_context_done(FakeTaskContext *f) {
    strv_free(f->events);
    free(f->message);
    free(f->result);
}

void fake_task_context_expect(const FakeTaskContext *f, const char *const *expected) {
    size_t i = 0;

    for (; expected[i]; i++) {
        ck_assert_msg(i < f->n_events, "event %zu is missing: %s", i, expected[i]);
        ck_assert_str_eq(f->events[i], expected[i]);
    }
    ck_assert_msg(i == f->n_events, "one event too many: %s", f->events[i]);
}

bool fake_task_context_has(const FakeTaskContext *f, const char *event) {
    for (size_t i = 0; i < f->n_events; i++)
        if (streq(f->events[i], event))
            return true;
    return false;
}

const char *fake_task_context_find(const FakeTaskContext *f, const char *beginning) {
    for (size_t i = 0; i < f->n_events; i++)
        if (strncmp(f->events[i], beginning, strlen(beginning)) == 0)
            return f->events[i];
    return NULL;
}
