#pragma once

#include <sys/types.h>

#include "common/macro.h"

/* A job for longrun-shim, as common/shim-protocol.h lays it down. Nothing is owned. */
typedef struct ShimSpec {
    uint64_t id;
    unsigned attempt; /* 1 = the first */
    char *const *argv;
    char *const *env; /* VARIABLE=VALUE, on top of the daemon's own environment */
    bool clear_env;   /* or instead of it */
    const char *cwd;
    mode_t umask;
    uint64_t nofile;        /* soft RLIMIT_NOFILE; 0 = the daemon's own */
    int nice;               /* added to the keeper's own */
    const char *stdin_data; /* may have NULs; NULL: none */
    size_t stdin_size;
    bool stdin_open;        /* stdin stays open for messages and bytes; the data comes first */
    const char *stdin_file; /* path; NULL or "": none. Without all three: /dev/null */
    const char *terminal;   /* "COLUMNSxROWS": a terminal of this size in place of pipes, or NULL */
    uint64_t stop_timeout_usec;
    uint64_t timeout_usec, idle_timeout_usec; /* 0 = none, as all limits below */
    uint64_t memory_max;                      /* bytes */
    uint64_t pids_max;
    uint32_t cpu_weight;
    const char *log_dir;
    uint64_t log_max;
    const char *journal; /* socket of the journal; NULL: nothing goes there */
    const char *label, *identifier;
    uint64_t result_max;
    const char *runtime_dir; /* of this task */
} ShimSpec;

/* Writes the job into a memory file. Gives its descriptor, which the caller closes, or -errno. */
int shim_spec_to_memfd(const ShimSpec *s);
