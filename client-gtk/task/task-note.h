#pragma once

#include <glib-object.h>

/* A message that came to a task, or that it sent. */
#define LONGRUN_TYPE_TASK_NOTE (task_note_get_type())
G_DECLARE_FINAL_TYPE(TaskNote, task_note, LONGRUN, TASK_NOTE, GObject)

/* usec: when it came; from: id of the task that sent it, 0: a client. */
TaskNote *task_note_new(gint64 usec, guint64 from, const char *text);

gint64 task_note_get_time(TaskNote *self);
guint64 task_note_get_from(TaskNote *self);
const char *task_note_get_text(TaskNote *self);
