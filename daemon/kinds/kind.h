#pragma once

#include <cjson/cJSON.h>

#include "daemon/kinds/task-context.h"

typedef enum KindPlace {
    KIND_PLACE_ANY,     /* on a thread of the pool, or, with isolate, in a longrun-worker */
    KIND_PLACE_PROCESS, /* always in a process of its own, as with isolate: it outlives the daemon
                         */
    KIND_PLACE_LOOP, /* on the daemon's event loop, by an executor of its own; isolate is refused */
} KindPlace;

/* A kind of work that is built in. */
typedef struct Kind {
    const char *name;
    const char *description; /* one line, for people */
    bool takes_messages;     /* it looks for them, see task_context_receive() */
    /* Where it runs when that is not for the task to choose; `run` is NULL where it is not a
     * function of this library. */
    KindPlace place;
    const char *program; /* where it runs then, beside longrun-worker; NULL = longrun-worker */
    /* What a lost attempt has left is gone on with: such a task goes back into the queue unless
     * the request or its group says otherwise (on-interrupt). */
    bool goes_on;

    /* Checks the params (a JSON object) when the task is started. 0, or -EINVAL and in *ret_error
     * what is wrong with which parameter (owned by the caller). Runs on the loop: no I/O. */
    int (*check)(const cJSON *params, char **ret_error);

    /* Does the work. 0 = succeeded, -ECANCELED = cancelled, any other negative value = failed; the
     * closing words go through task_context_message(), else they are those of the error. A cancel
     * that comes when all the work is done is too late: return 0. */
    int (*run)(TaskContext *c, const cJSON *params);
} Kind;

const Kind *kind_by_name(const char *name); /* NULL for an unknown one */
bool kind_takes_messages(const char *name);
const Kind *const *kind_all(void); /* NULL-terminated, sorted by name */
/* The program that runs it in a process of its own. */
const char *kind_program(const char *name);

#define KIND_PROGRAM_WORKER "longrun-worker"

/* How longrun-worker KIND ends, the program that runs a kind in a process of its own. A SIGTERM
 * that comes before the kind has begun ends it as any other program, by the signal. */
#define WORKER_EXIT_SUCCEEDED 0
#define WORKER_EXIT_FAILED 1
#define WORKER_EXIT_USAGE 2     /* unknown kind, bad params, bad environment: nothing was done */
#define WORKER_EXIT_CANCELLED 3 /* SIGTERM or SIGINT came before the end of the work */

/* Its first argument when messages to the task follow the params on stdin, which is one for a kind
 * that takes them; all of it in lines. */
#define WORKER_MESSAGES "--messages"

/* What longrun-worker reads besides stdin (the params) and NOTIFY_SOCKET. */
#define WORKER_ENV_RESULT "LONGRUN_RESULT"         /* path of the file that takes the result */
#define WORKER_ENV_RESULT_MAX "LONGRUN_RESULT_MAX" /* bytes it may have; default 1 MiB */
