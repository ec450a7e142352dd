#pragma once

#include "common/fields.h"
#include "common/message-queue.h"

/* The command's stdin where it stays open: a pipe into which messages are written, each a line.
 * What has no room in it waits here, so that nobody ever waits for the command. */
typedef struct ShimStdin {
    int fd;     /* our end of the pipe, non-blocking; negative: closed, or there never was one */
    char *data; /* comes first; NULL: it has been written */
    size_t size;
    MessageQueue waiting;
    size_t done;              /* bytes written of what comes first */
    uint64_t received, taken; /* messages so far, taken: written to the pipe, or of no use */
    bool is_open;             /* there is such a pipe, or was */
    bool tell;                /* something of it has changed */
} ShimStdin;

/* Makes the pipe and gives its other end, owned by the caller; data is copied, and the first that
 * the command reads. 0 or -errno. */
int shim_stdin_open(ShimStdin *in, const char *data, size_t size, int *ret_read_fd);

/* The same with a terminal in place of the pipe: fd is our side of it, non-blocking, and becomes
 * ours in any case. */
int shim_stdin_open_terminal(ShimStdin *in, const char *data, size_t size, int fd);
void shim_stdin_close(ShimStdin *in); /* what waits is of no use any more */

/* A message for the command. One too many, or one that comes too late, is dropped. */
void shim_stdin_put(ShimStdin *in, const char *text);

/* Writes as much as there is room for; at the end of the reader closes the pipe. */
void shim_stdin_write(ShimStdin *in);

/* What poll(2) is to look for; it tells of the end of the reader in any case. */
short shim_stdin_events(const ShimStdin *in);

void shim_stdin_add_fields(const ShimStdin *in, Fields *fields);
