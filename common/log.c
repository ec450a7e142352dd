#include "common/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static LogSink log_sink;
static int log_max_level = LOG_INFO;

void log_set_sink(LogSink sink) {
    log_sink = sink;
}

void log_set_max_level(int level) {
    log_max_level = level;
}

void log_full(int level, uint64_t task_id, const char *format, ...) {
    char text[2048];
    va_list ap;

    if (level > log_max_level)
        return;

    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);

    if (log_sink)
        log_sink(level, task_id, text);
    else if (task_id > 0)
        fprintf(stderr, "task %" PRIu64 ": %s\n", task_id, text);
    else
        fprintf(stderr, "%s\n", text);
}
