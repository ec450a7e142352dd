#pragma once

#include <sys/types.h>
#include <systemd/sd-event.h>

#include "common/macro.h"

/* Writes our standard input to that of a task, in a process of its own, which ends with us. The
 * first attempt gets it; those after it read the end of file. So does the first one when that
 * process fails: nobody waits for what does not come. */
typedef struct StdinStream {
    uint64_t id;             /* of the task; all else is private */
    pid_t pid;               /* 0 = there is none */
    int pidfd;               /* valid with pid */
    sd_event *event;         /* owned */
    sd_event_source *source; /* owned */
    bool closes;             /* it reads nothing */
} StdinStream;

/* To be called with what is all 0; the default loop is to run then. 0, or -errno after a message.
 */
int stdin_stream_begin(StdinStream *s, uint64_t id);
void stdin_stream_end(StdinStream *s);
