#pragma once

#include "common/macro.h"

/* Bytes on their way to a descriptor that may be a pipe, a terminal or a file. */

#define SINK_BUFFER (64 * KIB)

typedef struct Sink {
    int fd; /* not owned */
    size_t size;
    char *data; /* SINK_BUFFER bytes, made when they are needed */
} Sink;

/* All of these give 0 or -errno; EAGAIN is waited out, for whoever shares the descriptor may have
 * made it non-blocking. */

/* Keeps the bytes for the next flush, or writes them behind what was kept, if they are many. */
int sink_put(Sink *s, const char *data, size_t size);
int sink_flush(Sink *s);

void sink_done(Sink *s);
