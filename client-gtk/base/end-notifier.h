#pragma once

#include <gio/gio.h>

#include "client-gtk/base/daemon-link.h"

/* Tells people of the ends of tasks by a notification, while they look at something else. However
 * many end, there is one notification, which changes at most every two seconds; a look at the
 * window takes it away. A click on it is app.show-task(t), or app.show-tasks for several. */
#define LONGRUN_TYPE_END_NOTIFIER (end_notifier_get_type())
G_DECLARE_FINAL_TYPE(EndNotifier, end_notifier, LONGRUN, END_NOTIFIER, GObject)

/* Both are to outlive it. */
EndNotifier *end_notifier_new(GApplication *app, DaemonLink *link);

/* Whether there is a window, and nobody looks at any: what ends then is told. */
void end_notifier_set_away(EndNotifier *self, gboolean away);
