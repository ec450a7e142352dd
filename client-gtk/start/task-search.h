#pragma once

#include "client-gtk/base/daemon-link.h"

/* Tasks by a part of their label, or by their number; the newest, and not too many. A GListModel of
 * TaskMatch. */
#define LONGRUN_TYPE_TASK_SEARCH (task_search_get_type())
G_DECLARE_FINAL_TYPE(TaskSearch, task_search, LONGRUN, TASK_SEARCH, GObject)

#define LONGRUN_TYPE_TASK_MATCH (task_match_get_type())
G_DECLARE_FINAL_TYPE(TaskMatch, task_match, LONGRUN, TASK_MATCH, GObject)

#define TASK_SEARCH_MAX 30

TaskSearch *task_search_new(DaemonLink *link);

/* Asks for them: what comes replaces what is there; an answer to an older question does not count.
 */
void task_search_ask(TaskSearch *self, const char *text);

guint64 task_match_get_id(TaskMatch *self);
const char *task_match_get_label(TaskMatch *self);
const char *task_match_get_state(TaskMatch *self);
