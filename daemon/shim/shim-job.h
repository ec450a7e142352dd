#pragma once

#include <sys/types.h>

#include "common/macro.h"
#include "common/terminal-size.h"

/* UINT64_MAX: no limit. */
typedef struct ShimLimits {
    uint64_t timeout_usec, idle_timeout_usec;
    uint64_t memory_max, pids_max;
} ShimLimits;

/* The job that the shim was handed, as common/shim-protocol.h describes it. */
typedef struct ShimJob {
    char *buffer; /* the whole file; the strings below point into it */
    uint64_t id;
    char **argv, **env; /* NULL-terminated */
    const char *cwd;    /* NULL: where the shim is */
    bool has_umask;
    mode_t umask;
    uint64_t nofile;            /* 0: that of the shim */
    int nice;                   /* added to that of the shim */
    uint64_t stop_timeout_usec; /* USEC_INFINITY: never */
    ShimLimits limits;
    uint64_t cpu_weight; /* 0: as it is */
    const char *runtime_dir;
    const char *log_dir;
    uint64_t log_max;
    const char *journal; /* NULL: nothing goes there */
    const char *label, *identifier;
    const char *stdin_data; /* NULL: /dev/null */
    size_t stdin_size;
    bool stdin_open;
    const char *stdin_file; /* NULL: none */
    bool has_terminal;
    TerminalSize terminal_size;

    size_t env_count;
    char *notify_env; /* a string of env that is not in the buffer, or NULL */
} ShimJob;

/* Reads the file to its end. -EINVAL for one that is no job, -EFBIG over SHIM_SPEC_MAX; nothing is
 * left to free then. */
int shim_job_read(int fd, ShimJob *ret);
void shim_job_done(ShimJob *job);

/* Puts NOTIFY_SOCKET with this path into env, in place of one that is there. */
int shim_job_set_notify_env(ShimJob *job, const char *path);

/* Puts the string "TERM=..." into env, which is not copied, unless there is one that says
 * something.
 */
void shim_job_set_default_term(ShimJob *job, const char *string);
