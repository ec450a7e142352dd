#include "daemon/kinds/task-context.h"

#include <errno.h>
#include <stdarg.h>

#include "common/cleanup.h"
#include "common/message-queue.h"
#include "common/shim-protocol.h"
#include "common/text.h"

/* Status and closing words end up in D-Bus strings and labels. Those of a process of its own come
 * through its shim: as much as fits there, with the "…" of a cut, is what a thread may say, too. */
#define WORDS_MAX ((size_t)NOTIFY_VALUE_MAX - 4)

/* NULL when memory is short: words are lost then, the work goes on. */
static char *format_line(const char *format, va_list ap) {
    char *line;

    if (vasprintf(&line, format, ap) < 0)
        return NULL;
    for (char *p = strchr(line, '\n'); p; p = strchr(p, '\n'))
        *p = ' ';
    return line;
}

static char *format_clean(const char *format, va_list ap) {
    _cleanup_free_ char *line = format_line(format, ap);

    return line ? text_clean(line, strlen(line), WORDS_MAX) : NULL;
}

void task_context_progress(TaskContext *c, uint64_t done, uint64_t total) {
    c->vtable->progress(c, done, total, false);
}

void task_context_progress_bytes(TaskContext *c, uint64_t done, uint64_t total) {
    c->vtable->progress(c, done, total, true);
}

void task_context_phase(TaskContext *c, const char *phase) {
    c->vtable->phase(c, phase);
}

void task_context_status(TaskContext *c, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    _cleanup_free_ char *text = format_clean(format, ap);
    va_end(ap);
    if (text)
        c->vtable->status(c, text);
}

void task_context_log(TaskContext *c, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    _cleanup_free_ char *line = format_line(format, ap);
    va_end(ap);
    if (line)
        c->vtable->log(c, false, line);
}

void task_context_log_error(TaskContext *c, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    _cleanup_free_ char *line = format_line(format, ap);
    va_end(ap);
    if (line)
        c->vtable->log(c, true, line);
}

void task_context_message(TaskContext *c, const char *format, ...) {
    va_list ap;

    va_start(ap, format);
    _cleanup_free_ char *text = format_clean(format, ap);
    va_end(ap);
    if (text)
        c->vtable->message(c, text);
}

int task_context_set_result(TaskContext *c, const char *json) {
    return c->vtable->set_result(c, json);
}

bool task_context_cancelled(TaskContext *c) {
    return c->vtable->cancelled(c);
}

int task_context_sleep(TaskContext *c, uint64_t usec) {
    return c->vtable->sleep(c, usec);
}

int task_context_receive(TaskContext *c, uint64_t timeout_usec, char **ret) {
    return c->vtable->receive(c, timeout_usec, ret);
}

int task_context_send(TaskContext *c, const char *text) {
    int r = utf8_is_valid(text) ? message_check(text) : -EINVAL;

    return r < 0 ? r : c->vtable->send(c, text);
}
