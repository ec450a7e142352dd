#pragma once

#include "client-gtk/base/daemon-link.h"
#include "client-gtk/task/task-can.h"
#include "client-gtk/task/task-history.h"

/* What there is to know about one task: its properties, which follow its signals and are asked for
 * anew when the daemon is back, and once a second while somebody looks.
 *
 * Signals: "changed": properties, or the standing; "moved": time has passed, or nothing but the
 * progress and the status changed. Both come often: compare before something is drawn. */
typedef enum TaskStanding {
    TASK_STANDING_LOADING, /* nothing is known yet */
    TASK_STANDING_LIVE,
    TASK_STANDING_ADRIFT, /* the daemon has gone: this is what was known last */
    TASK_STANDING_GONE,   /* no such task; what was known last stays, see is_known */
    TASK_STANDING_FAILED, /* it could not be asked for: see the reason */
} TaskStanding;

/* Messages that are kept. */
#define LONGRUN_TASK_NOTES_MAX 200

#define LONGRUN_TYPE_TASK_DETAILS (task_details_get_type())
G_DECLARE_FINAL_TYPE(TaskDetails, task_details, LONGRUN, TASK_DETAILS, GObject)

/* link: followed from now on; NULL: somebody calls task_details_open(). */
TaskDetails *task_details_new(DaemonLink *link, guint64 id);

/* The daemon is at name (NULL: at the other end of the connection) now; connection NULL: it has
 * gone. */
void task_details_open(TaskDetails *self, GDBusConnection *connection, const char *name);

/* Somebody looks at it. */
void task_details_set_awake(TaskDetails *self, gboolean awake);

/* Asks for everything anew, as after a call that changes the task. */
void task_details_reload(TaskDetails *self);

guint64 task_details_get_id(TaskDetails *self);
TaskStanding task_details_get_standing(TaskDetails *self);
/* Why it is TASK_STANDING_FAILED, for people; "" else. */
const char *task_details_get_reason(TaskDetails *self);
/* There were properties, now or before. */
gboolean task_details_is_known(TaskDetails *self);

/* Never NULL, empty while nothing is known. Owned by self, as are all that follow. */
TaskProps *task_details_get_props(TaskDetails *self);
/* As task_can(), and nothing while it is not TASK_STANDING_LIVE, or what is under way already. */
TaskCan task_details_can(TaskDetails *self);
TaskHistory *task_details_get_history(TaskDetails *self);
/* Of TaskNote, oldest first: what came while it was shown, LONGRUN_TASK_NOTES_MAX at the most. */
GListModel *task_details_get_notes(TaskDetails *self);

/* For calls; NULL before it is TASK_STANDING_LIVE. It has no properties. */
DbusTask *task_details_get_proxy(TaskDetails *self);

/* CloseStdin was answered: there is nobody to send to until it is started again. */
void task_details_set_stdin_closed(TaskDetails *self);
