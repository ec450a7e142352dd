#pragma once

#include "daemon/core/task.h"
#include "tests/unit/unit.h"

/* Tasks for tests of what holds them. */

/* A queued task of kind "noop", created at 1000 + id, freed by task_free() or by its table. */
static inline Task *unit_task_new(uint64_t id) {
    TaskDefaults defaults = {.cwd = "/"};
    TaskSpec *spec = task_spec_new("noop", &defaults);
    Task *t = spec ? task_new(id, spec, 1000 + id) : NULL;

    MUST(t);
    return t;
}

/* Replaces one of the strings of a spec. */
static inline void unit_set(char **field, const char *value) {
    free(*field);
    *field = strdup(value);
    MUST(*field);
}

/* A string of n times the character; the caller frees it. */
static inline char *unit_repeat(char c, size_t n) {
    char *s = malloc(n + 1);

    MUST(s);
    memset(s, c, n);
    s[n] = '\0';
    return s;
}
