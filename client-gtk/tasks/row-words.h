#pragma once

#include "client-gtk/tasks/task-item.h"

/* What rows say about tasks, translated. All are freed with g_free(), and never NULL. */

char *row_words_title(const TaskFacts *f);

/* What it is at, what it waits for, or how it ended; or what will become of it. */
char *row_words_detail(const TaskFacts *f);

/* How long it still takes, how long it has been at work, or when it will be: "2min left". now_usec:
 * since the epoch. */
char *row_words_time(const TaskFacts *f, guint64 now_usec);
