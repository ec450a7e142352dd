#pragma once

#include "common/journal-lines.h"
#include "daemon/shim/shim-progress.h"

/* One of the command's output streams on its way into the log, and past the progress reader. */
typedef struct ShimOutput {
    int fd; /* our end of the pipe, non-blocking; negative once it is at its end */
    LogStream stream;
    bool is_terminal; /* instead of a pipe: it has no end while we keep the other side open */
    bool enlarged;
    uint64_t bytes;        /* that came so far */
    JournalLines *journal; /* where else they go; not owned, may be NULL */
} ShimOutput;

/* Makes the pipe and gives its other end, owned by the caller. 0 or -errno. */
int shim_output_open(ShimOutput *o, LogStream stream, int *ret_write_fd);
void shim_output_close(ShimOutput *o);

/* The same with our side of a terminal, which becomes the stream's. */
void shim_output_open_terminal(ShimOutput *o, int fd);

/* Takes over a part of what is there, so that other work gets its turn while a gigabyte pours. */
void shim_output_pump(ShimOutput *o, LogFile *log, ShimProgress *progress);

/* Takes over what is in the pipe or the terminal now and closes it. Does not wait for the end of
 * file: a process outside of the task may hold the other end, and may even write on. */
void shim_output_drain(ShimOutput *o, LogFile *log, ShimProgress *progress);
