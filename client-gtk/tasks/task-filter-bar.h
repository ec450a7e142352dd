#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* Which tasks are wanted: by state, group, and a part of the label.
 *
 * Signal "changed", when that has not changed again for a moment. */
#define LONGRUN_TYPE_TASK_FILTER_BAR (task_filter_bar_get_type())
G_DECLARE_FINAL_TYPE(TaskFilterBar, task_filter_bar, LONGRUN, TASK_FILTER_BAR, AdwBin)

/* The groups there are. NULL: keep what was known. */
void task_filter_bar_set_manager(TaskFilterBar *self, DbusManager *manager);

/* Bits 1 << TaskState; 0: any. */
guint task_filter_bar_get_states(TaskFilterBar *self);
/* "": any. */
const char *task_filter_bar_get_group(TaskFilterBar *self);
const char *task_filter_bar_get_text(TaskFilterBar *self);

/* Everything is wanted again. */
void task_filter_bar_reset(TaskFilterBar *self);

/* Typing into the page goes there, too. */
void task_filter_bar_search(TaskFilterBar *self);
void task_filter_bar_set_key_capture(TaskFilterBar *self, GtkWidget *widget);
