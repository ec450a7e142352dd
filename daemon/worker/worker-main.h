#pragma once

#include "daemon/kinds/kind.h"

/* A program that runs built-in kinds, one in a process. */
typedef struct WorkerProgram {
    const char *name;         /* "longrun-worker" */
    const Kind *const *kinds; /* NULL-terminated; those without `run` are another program's */
} WorkerProgram;

/* Its main(): see the usage that it prints. */
int worker_main(const WorkerProgram *program, int argc, char **argv);
