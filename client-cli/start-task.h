#pragma once

#include "client-cli/command.h"

/* What starts a task, and looks on at it where that is asked for: longrun start, run, download,
 * operation. */

/* clang-format off */
#define WAY_OPTIONS                                                                                \
    {OPT_FOLLOW, 'f', "follow", NULL, "show its log as it grows, end as it ends"},                 \
    {OPT_QUIET, 'q', "quiet", NULL, "print the id alone; with --follow the log alone"},            \
    {OPT_JSON, 'j', "json", NULL, "print JSON"}
/* clang-format on */

typedef struct StartRequest {
    const char *kind;   /* NULL: the arguments are a command */
    const char *params; /* of the kind, a JSON object; NULL: none */
    const char *label;  /* where none is given; NULL: none */
    bool makes_files;   /* with the caller's umask, as a command would */
} StartRequest;

/* 0: it was started, or, with OPT_FOLLOW, has succeeded; another exit status, or -errno, after a
 * message. */
int start_task(const Invocation *inv, const StartRequest *request);
