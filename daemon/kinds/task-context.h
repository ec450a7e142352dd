#pragma once

#include "common/macro.h"

/* What a built-in kind sees of the world while it runs, on the daemon's thread pool or in a
 * longrun-worker process: it need not know which. All functions may be called from the kind's own
 * thread only. None of them blocks on anyone who listens. */

typedef struct TaskContext TaskContext;

/* How far the work is, of a total of steps, bytes, ...; total 0 = not known. done == total says
 * that nothing can fail any more: a kind reports it only right before it succeeds. */
void task_context_progress(TaskContext *c, uint64_t done, uint64_t total);
/* The same, where they are bytes. */
void task_context_progress_bytes(TaskContext *c, uint64_t done, uint64_t total);
/* The work's progress begins again in a part of its own, with a name. */
void task_context_phase(TaskContext *c, const char *phase);
/* What the task is at, one line. */
void task_context_status(TaskContext *c, const char *format, ...) _printf_(2, 3);
/* One line of the log; error lines go to the stream "stderr". */
void task_context_log(TaskContext *c, const char *format, ...) _printf_(2, 3);
void task_context_log_error(TaskContext *c, const char *format, ...) _printf_(2, 3);
/* The closing words: property Message and argument of Finished. The last call counts. */
void task_context_message(TaskContext *c, const char *format, ...) _printf_(2, 3);
/* The result, a JSON text. Copied. 0, or -EFBIG above the task's result-max, or what the disk says.
 */
int task_context_set_result(TaskContext *c, const char *json);

/* True from the moment at which somebody has asked for the end. */
bool task_context_cancelled(TaskContext *c);
/* 0 after the time, -ECANCELED at once when the task is cancelled, also when it was before. */
int task_context_sleep(TaskContext *c, uint64_t usec);

/* A message that somebody sent to the task: one line, owned by the caller. Waits for one: 0,
 * -ETIMEDOUT after that many microseconds, or -ECANCELED as task_context_sleep(). Only a kind that
 * says so (takes_messages) gets any. */
int task_context_receive(TaskContext *c, uint64_t timeout_usec, char **ret);
/* A message to the task's parent: one line of up to MESSAGE_MAX bytes. 0 when it is on its way: the
 * parent may not take it; -EINVAL when it is no line of UTF-8, -EMSGSIZE, -ENOBUFS when too many
 * were sent in a moment. */
int task_context_send(TaskContext *c, const char *text);

/* Implementations fill this in and put it first in a struct of their own. */
typedef struct TaskContextVTable {
    void (*progress)(TaskContext *c, uint64_t done, uint64_t total, bool bytes);
    void (*phase)(TaskContext *c, const char *phase);
    void (*status)(TaskContext *c, const char *text);
    void (*log)(TaskContext *c, bool error, const char *line);
    void (*message)(TaskContext *c, const char *text);
    int (*set_result)(TaskContext *c, const char *json);
    bool (*cancelled)(TaskContext *c);
    int (*sleep)(TaskContext *c, uint64_t usec);
    int (*receive)(TaskContext *c, uint64_t timeout_usec, char **ret);
    int (*send)(TaskContext *c, const char *text);
} TaskContextVTable;

struct TaskContext {
    const TaskContextVTable *vtable;
};
