#pragma once

#include "common/macro.h"

/* Which tasks have been begun on threads of the daemon: numbers in a file of the runtime folder
 * that is mapped into memory, so that noting one costs next to nothing and outlives the daemon all
 * the same (but not the machine). The next daemon tells by it what was only claimed from what ran.
 */

typedef struct StartTrace StartTrace;

/* As many tasks as can be in it at a time. */
#define START_TRACE_MAX 4096

/* Opens or makes the file. 0 or -errno. */
int start_trace_open(StartTrace **ret, const char *runtime_dir);
StartTrace *start_trace_close(StartTrace *t); /* NULL-safe, gives NULL; what is in it stays */

/* A place for one task; -ENOBUFS when all are taken. */
int start_trace_reserve(StartTrace *t);
/* The task begins now. From any thread. */
void start_trace_note(StartTrace *t, int place, uint64_t id);
/* What was noted there is forgotten. */
void start_trace_release(StartTrace *t, int place);

/* For the start of a daemon. The place of a task that was noted, or -ENOENT. */
int start_trace_find(const StartTrace *t, uint64_t id);
/* Forgets all but these: once it has looked. */
void start_trace_keep(StartTrace *t, bool (*keep)(void *userdata, uint64_t id), void *userdata);
