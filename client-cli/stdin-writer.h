#pragma once

#include "client-cli/client.h"

/* Writes to the standard input of a task what is read from a descriptor. Functions give 0, or
 * -errno after a message. */
typedef struct StdinWriter {
    sd_bus *bus; /* not owned */
    uint64_t id;
    uint64_t before;  /* bytes that others had written by then */
    uint64_t written; /* by us, so far */
    uint32_t attempt; /* of the task */
    bool may_close;   /* nothing is said when the command reads no more, or the attempt is over */
    /* Called before each piece, with what was written up to then; NULL: nobody is told. */
    void (*tell)(const struct StdinWriter *w);
} StdinWriter;

/* Waits until the task has started. To be called with may_close and tell set, and all else 0. */
int stdin_writer_begin(StdinWriter *w, sd_bus *bus, uint64_t id);

/* To the end of the file. Waits for the command to read, and, should the daemon go away, for the
 * next one, which knows how much was taken. */
int stdin_writer_copy(StdinWriter *w, int fd);

/* The command reads the end of file then. */
int stdin_writer_close(StdinWriter *w);

/* The same, and so do the attempts that come later: gives 0 when the task is over. */
int stdin_writer_close_all(StdinWriter *w);
