#pragma once

#include <syslog.h>

#include "common/macro.h"

/* Messages to whoever looks after the program. One line each, with a level of syslog(3), and the
 * task that it is about or 0. Where they go is the program's choice: stderr, or a sink of its own.
 */

typedef void (*LogSink)(int level, uint64_t task_id, const char *text);

void log_set_sink(LogSink sink); /* NULL: stderr */
void log_set_max_level(int level);

void log_full(int level, uint64_t task_id, const char *format, ...) _printf_(3, 4);

#define log_debug(...) log_full(LOG_DEBUG, 0, __VA_ARGS__)
#define log_info(...) log_full(LOG_INFO, 0, __VA_ARGS__)
#define log_notice(...) log_full(LOG_NOTICE, 0, __VA_ARGS__)
#define log_warning(...) log_full(LOG_WARNING, 0, __VA_ARGS__)
#define log_error(...) log_full(LOG_ERR, 0, __VA_ARGS__)

/* Logs the text with the meaning of the error behind it and gives the error back. */
#define log_error_errno(error, format, ...)                                                        \
    ({                                                                                             \
        int _error = (error);                                                                      \
        log_full(LOG_ERR, 0, format ": %s", ##__VA_ARGS__, strerror(-_error));                     \
        _error;                                                                                    \
    })
#define log_warning_errno(error, format, ...)                                                      \
    ({                                                                                             \
        int _error = (error);                                                                      \
        log_full(LOG_WARNING, 0, format ": %s", ##__VA_ARGS__, strerror(-_error));                 \
        _error;                                                                                    \
    })
