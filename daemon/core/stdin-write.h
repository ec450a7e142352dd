#pragma once

#include <sys/queue.h>

#include "daemon/core/error.h"

/* Somebody's wish to write to the stdin of a task, until it is fulfilled. */

#define STDIN_WRITE_MAX (1 * MIB)         /* bytes of one */
#define STDIN_WRITES_MAX 16               /* that wait for one task */
#define STDIN_WRITES_ALL_MAX 1000         /* for all tasks together */
#define STDIN_WRITES_BYTES_MAX (64 * MIB) /* the same */

typedef struct StdinWrite StdinWrite;
struct StdinWrite {
    const char *data; /* not owned */
    size_t size;
    bool close;  /* and nothing is to follow */
    size_t sent; /* bytes that the task will get, whatever becomes of the rest */
    /* It waits no longer; error: 0, or -errno as of stdin_write_error(). It is the caller's to free
     * from then on. */
    void (*done)(StdinWrite *w, int error);
    TAILQ_ENTRY(StdinWrite) link; /* of those that wait; whoever writes has it */
};

TAILQ_HEAD(StdinWriteQueue, StdinWrite);

/* Says why it cannot be: -EPIPE when the command has closed its stdin, -ESHUTDOWN when CloseStdin
 * has, -ESRCH when the task is over, -EOPNOTSUPP when its shim is too old, -ENOBUFS when too many
 * wait. Others are given back as they are. */
int stdin_write_error(uint64_t id, const StdinWrite *w, int error, Error *ret);
