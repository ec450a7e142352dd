#pragma once

#include <glib.h>

#include "common/task-state.h"

/* What there is to tell people of tasks that have ended since they last looked: of one its name, of
 * more how many. Bounded: it keeps the first one, and counts. */
typedef struct EndNews EndNews;

EndNews *end_news_new(void);
void end_news_free(EndNews *n);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EndNews, end_news_free)

void end_news_clear(EndNews *n);

/* An end in this state is worth telling: nobody needs to hear that what they have cancelled has
 * ended, or that what was to come after a failure did not run. Children, and the runs of a series,
 * are a part of something, and worth it only when they went wrong. */
gboolean end_news_wants(TaskState state, gboolean is_child);

/* label: as it is, it may have anything in it; NULL: it is not known, and the task is counted. */
void end_news_add(EndNews *n, guint64 id, const char *label, TaskState state, int exit_code);

guint end_news_count(const EndNews *n);

/* The task that it is about, 0 for several. */
guint64 end_news_task(const EndNews *n);

/* Translated, plain text; free with g_free(). The label is in the title alone: there are servers
 * that take the body for markup. */
char *end_news_title(const EndNews *n);
char *end_news_body(const EndNews *n);

#define END_NEWS_LABEL_MAX 80 /* characters of a label that are shown */
