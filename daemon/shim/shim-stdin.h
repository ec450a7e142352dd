#pragma once

#include "common/fields.h"
#include "common/macro.h"

/* The command's stdin where it stays open: a pipe, or our side of its terminal, into which lines
 * and bytes are written in the order in which they came. What has no room in it waits here, so that
 * nobody ever waits for the command. */

typedef struct StdinChunk StdinChunk;

typedef struct ShimStdin {
    int fd; /* where it is written, non-blocking; negative: closed, or there never was one */
    StdinChunk *first, *last; /* what waits; owned */
    size_t done;              /* bytes written of the first */
    unsigned n_lines;         /* of what waits */
    size_t n_bytes;           /* the same */
    uint64_t received, taken; /* messages so far, taken: written to the pipe, or of no use */
    uint64_t bytes_received, bytes_taken; /* the same of bytes that are no messages */
    uint64_t bytes_told;                  /* what of those taken was told */
    bool ending;                          /* it is to be closed when nothing waits any more */
    bool is_open;                         /* there is such a pipe, or was */
    bool tell;                            /* something of it has changed */
    /* Of a terminal: gives what typed there ends the input, '\0' when nothing does. NULL: a pipe */
    char (*end_of_input)(int fd);
    char last_byte; /* that was written; of a terminal */
} ShimStdin;

/* Makes the pipe and gives its other end, owned by the caller; data is copied, and the first that
 * the command reads. 0 or -errno. */
int shim_stdin_open(ShimStdin *in, const char *data, size_t size, int *ret_read_fd);
/* The same with our side of a terminal, non-blocking, which becomes ours in any case. */
int shim_stdin_open_terminal(ShimStdin *in, const char *data, size_t size, int fd,
                             char (*end_of_input)(int fd));
void shim_stdin_close(ShimStdin *in); /* what waits is of no use any more */

/* A message for the command, which gets it as a line. One too many, or one that comes too late, is
 * dropped. */
void shim_stdin_put(ShimStdin *in, const char *text);
/* The same with bytes, which it gets as they are: above SHIM_STDIN_MAX that wait. */
void shim_stdin_put_bytes(ShimStdin *in, const char *data, size_t size);
/* Nothing comes any more: closes it when all that came before is written. */
void shim_stdin_end(ShimStdin *in);

/* Writes as much as there is room for; at the end of the reader closes the pipe. */
void shim_stdin_write(ShimStdin *in);

/* What poll(2) is to look for; it tells of the end of the reader in any case. */
short shim_stdin_events(const ShimStdin *in);

void shim_stdin_add_fields(ShimStdin *in, Fields *fields);

/* Opens what the command is to read in place of all that: a file or a device, O_CLOEXEC. Never
 * waits. -ESPIPE for a FIFO or a socket, -EISDIR for a folder, or another -errno. */
int shim_stdin_open_file(const char *path);
