#pragma once

#include "daemon/config-backends.h"
#include "daemon/core/error.h"
#include "daemon/core/resource.h"

/* The configuration file longrun.conf: INI, sections [Manager], [Resources] and [Backend NAME],
 * and the files of backend.d beside it. */
typedef struct Config {
    unsigned max_parallel; /* tasks that run at a time, 0 = no limit; default: the number of CPUs */
    unsigned max_queued;   /* tasks that wait for a slot */
    unsigned history_max;  /* ended tasks that are kept */
    uint64_t history_max_age_usec; /* since their end, for how long; 0 = no limit */
    uint64_t logs_max;             /* bytes of the logs of ended tasks together */
    uint64_t stop_timeout_usec;
    uint64_t log_max;        /* bytes of a task's log */
    bool journal;            /* what tasks print goes to the journal, too */
    uint64_t result_max;     /* bytes of a task's result */
    uint64_t min_free_disk;  /* bytes free where the state lies, below which no task is started */
    ResourceTable resources; /* a line each in [Resources], none is used; owned */
    char *network_probe;     /* url that tells whether this machine is online; NULL = none */
    ConfigBackends backends;
} Config;

void config_done(Config *c);

/* Reads the file over the defaults. One that is not there is an error only when it is required. 0,
 * -EREMOTE with the error set, or -ENOMEM; then *ret is untouched. Unknown keys are warned of. Of
 * backend.d only what is good is taken, the rest is logged. */
int config_load(const char *path, bool required, Config *ret, Error *error);
