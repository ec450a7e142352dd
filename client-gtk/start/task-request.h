#pragma once

#include "client-gtk/start/field.h"

/* What is wrong with a field. */
typedef struct FormProblem {
    const Field *field; /* of a table, not owned */
    char *message;
    bool is_missing; /* it is needed, and nothing is there yet */
} FormProblem;

/* A task as Start takes it: made of all that was said. */
typedef struct TaskRequest {
    char *kind;
    GVariant *options;   /* a{sv}; NULL when there are problems */
    GPtrArray *problems; /* of FormProblem, in the order of the form */
} TaskRequest;

/* Fields that say nothing to this kind, or with what else was said, do not count, whatever is in
 * them. values may have more than is known. */
TaskRequest *task_request_new(const char *kind, FormValues *values, gint64 now_usec);
void task_request_free(TaskRequest *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TaskRequest, task_request_free)

/* What it will be called: its label, its command line, or its kind, shortened. To be freed with
 * g_free(). */
char *task_request_name(const char *kind, FormValues *values);
