#pragma once

#include <sys/types.h>

#include "daemon/exec/shim-end.h"

/* A message of a shim, taken apart; see common/shim-protocol.h. What a command says on its
 * NOTIFY_SOCKET comes through here: numbers that are none are no reading. */
typedef struct ShimMessage {
    pid_t started_pid;    /* 0 = not in it */
    uint64_t log_size;    /* 0 = not in it */
    unsigned left_behind; /* processes; 0 = not in it */
    int paused;           /* 1 or 0; -1 = not in it */
    bool has_inbox;       /* the next four */
    uint64_t received, taken;
    bool stdin_ended, stdin_closed;
    bool has_stdin; /* the next two */
    uint64_t bytes_received, bytes_taken;
    uint64_t messages_dropped;
    bool has_usage;
    TaskUsage usage;                            /* 0 = not in it */
    const char *phase, *status, *final_message; /* into the data; NULL = not in it */
    bool has_progress;
    double fraction; /* -1 = look at done and total */
    uint64_t done, total;
    bool has_unit, bytes;  /* has_unit: it is said; bytes: done and total are */
    ProgressSource source; /* NONE = not in it */
    bool is_end;           /* the last one */
    ShimEnd end;
} ShimMessage;

/* Changes the NUL-terminated data in place; the message points into it. */
void shim_message_parse(char *data, ShimMessage *ret);

/* Reads the exit record of a task, which is such a message: what was told last, and the end. 0,
 * -ENOENT when there is none, -EBADMSG when it tells of no end, or another -errno. The message
 * points into *ret_data, which the caller frees. */
int shim_record_read(const char *runtime_dir, char **ret_data, ShimMessage *ret);
