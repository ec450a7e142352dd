#pragma once

#include "daemon/core/executor.h"
#include "daemon/http/http-client.h"

/* The kind http-operation: a long operation on a backend, started with one request and followed
 * with others until it has ended. Runs on the loop; whatever a next daemon needs to go on is saved
 * before the step that needs it. */

typedef struct HttpOperationSpec {
    uint64_t id;
    uint32_t attempt;
    bool is_repetition;          /* of another task, which had the same params */
    const char *params;          /* JSON, checked */
    const char *saved;           /* what the daemon before has saved, JSON; NULL: it is a new one */
    HttpClient *client;          /* not owned; NULL: see below */
    const char *log_dir;         /* not owned, outlives the job */
    const char *journal, *label; /* as for threads */
    uint64_t log_max, result_max, stop_timeout_usec;
    /* Takes its result, a JSON text within result_max. 0 or -errno. */
    int (*set_result)(void *userdata, const char *json);
    /* Keeps json for a next daemon, and calls func when it is on disk. Copied. 0 or -errno. */
    int (*save)(void *userdata, const char *json, void (*func)(void *arg, int error), void *arg);
    void (*drop_save)(void *userdata, void *arg); /* func is not to be called any more */
    void (*rests)(void *userdata); /* held, and its start is not under way any more */
} HttpOperationSpec;

/* 0 and the job, or -errno. */
int http_operation_start(sd_event *event, const HttpOperationSpec *spec, const ExecEvents *events,
                         void *userdata, ExecJob **ret);

/* Another client for what follows: the backend has other settings now. A request under way is
 * dropped, and made again. NULL: there is no such backend at the moment; the job waits for one. The
 * one before may be freed then. */
void http_operation_set_client(ExecJob *job, HttpClient *client);

/* The backend has other settings: what could not be asked for is asked for at once. */
void http_operation_hurry(ExecJob *job);

/* The daemon is about to end: nothing more is asked of the server. */
void http_operation_hold(ExecJob *job);
/* The start has been sent, and has not been answered, or the answer is not on disk yet: should the
 * daemon end now, the next one would have to send it again, with the same key. */
bool http_operation_is_starting(const ExecJob *job);
