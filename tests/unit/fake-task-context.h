#pragma once

#include "daemon/kinds/task-context.h"

/* A TaskContext for tests of kinds: puts down every event in order, as a line such as
 * "progress 1/3", "log Task started..." or "sleep 50000", lets no time pass in a sleep, and can
 * cancel. To wait for a message in vain is a sleep, too. It holds each kind to what task-context.h
 * says of progress: it never falls within a phase and is never above the total. */

typedef struct FakeTaskContext FakeTaskContext;

struct FakeTaskContext {
    TaskContext context;

    /* Set by the test. The cancel comes during the n-th sleep, or before the n-th look at
     * cancelled(); 0 = never. The hook is told of each event and, as "look", of each look. */
    unsigned cancel_at_sleep, cancel_at_look;
    size_t result_max;
    const char *const *inbox; /* messages to the task, NULL at the end; NULL = none */
    void (*hook)(FakeTaskContext *f, const char *event);
    void *userdata;

    char **events; /* NULL-terminated */
    size_t n_events;
    char *message, *result; /* the last, or NULL */
    uint64_t done, total;
    bool complete; /* done == total was reported */
    bool cancelled;
    unsigned sleeps, looks;
};

void fake_task_context_init(FakeTaskContext *f);
void fake_task_context_done(FakeTaskContext *f);

/* Fails the test unless the events are these, NULL at the end. */
void fake_task_context_expect(const FakeTaskContext *f, const char *const *expected);
bool fake_task_context_has(const FakeTaskContext *f, const char *event);
/* The first event that begins with the text, or NULL. */
const char *fake_task_context_find(const FakeTaskContext *f, const char *beginning);
