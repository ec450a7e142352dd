#pragma once

#include "daemon/core/executor.h"
#include "daemon/http/http-client.h"

/* The kind http-operation: a long operation on a backend, started with one request and followed
 * with others until it has ended. Runs on the loop; whatever a next daemon needs to go on is saved
 * before the step that needs it. */

typedef struct HttpOperationSpec {
    uint64_t id;
    uint32_t attempt;
    const char *params;          /* JSON, checked */
    const char *saved;           /* what the daemon before has saved, JSON; NULL: it is a new one */
    HttpClient *client;          /* not owned, outlives the job */
    const char *log_dir;         /* not owned, outlives the job */
    const char *journal, *label; /* as for threads */
    uint64_t log_max, result_max, stop_timeout_usec;
    const char *runtime_dir; /* of this task, copied: where a result goes */
    /* Keeps json for a next daemon, and calls func when it is on disk. Copied. 0 or -errno. */
    int (*save)(void *userdata, const char *json, void (*func)(void *arg, int error), void *arg);
    void (*drop_save)(void *userdata, void *arg); /* func is not to be called any more */
} HttpOperationSpec;

/* 0 and the job, or -errno. */
int http_operation_start(sd_event *event, const HttpOperationSpec *spec, const ExecEvents *events,
                         void *userdata, ExecJob **ret);
