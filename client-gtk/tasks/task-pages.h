#pragma once

#include "client-gtk/tasks/task-query.h"
#include "dbus/dbus-proxies.h"

/* Asks the daemon for pages of the list: of each sort one at a time. */
typedef struct TaskPages TaskPages;

typedef enum TaskPageSort {
    TASK_PAGE_FIRST, /* the newest, with all that rows show */
    TASK_PAGE_OLDER, /* the next of all the others: ids and states */
    TASK_PAGE_DOUBT, /* a part of which the signals do not say enough: ids and states */
    TASK_PAGE_SHOWN, /* all about those that are seen */
    TASK_PAGE_RATES, /* when those at work will be done */
    _TASK_PAGE_MAX,
} TaskPageSort;

/* Tasks with top >= id > bottom that match: all of them, the newest first. As new as any signal
 * that was told before it. */
typedef struct TaskPage {
    TaskPageSort sort;
    guint64 top, bottom;
    GVariant *tasks; /* aa{sv} */
} TaskPage;

/* error: instead of the page; never for a call that was cancelled. */
typedef void (*TaskPagesFunc)(gpointer userdata, TaskPageSort sort, const TaskPage *page,
                              const GError *error);

TaskPages *task_pages_new(TaskPagesFunc func, gpointer userdata);
void task_pages_free(TaskPages *self);

/* NULL: nobody is there to be asked. Answers that are due are dropped. */
void task_pages_set_manager(TaskPages *self, DbusManager *manager);

/* Nobody wants the answers that are due any more. */
void task_pages_cancel(TaskPages *self);

gboolean task_pages_is_busy(TaskPages *self, TaskPageSort sort);

/* Whether something can be asked now: there is a daemon, and nothing of that sort is due. */
gboolean task_pages_is_free(TaskPages *self, TaskPageSort sort);

/* top: G_MAXUINT64 for the newest. */
void task_pages_ask(TaskPages *self, TaskPageSort sort, const TaskQuery *query, guint64 top,
                    guint limit);
