#pragma once

#include "client-gtk/backends/backend-list.h"
#include "client-gtk/base/daemon-link.h"

/* Keeps a list of backends as the daemon has them: asks, listens, and asks anew when another daemon
 * is there. Only items that somebody wants to see are asked for, and few at a time.
 *
 * Signal: "changed" (nothing besides), when the state is another. */
#define LONGRUN_TYPE_BACKEND_SOURCE (backend_source_get_type())
G_DECLARE_FINAL_TYPE(BackendSource, backend_source, LONGRUN, BACKEND_SOURCE, GObject)

typedef enum BackendSourceState {
    BACKEND_SOURCE_LOADING, /* nothing is known yet */
    BACKEND_SOURCE_READY,   /* the list is as the daemon has it, or has had it */
    BACKEND_SOURCE_FAILED,
} BackendSourceState;

BackendSource *backend_source_new(DaemonLink *link);

BackendSourceState backend_source_get_state(BackendSource *self);
/* Why it is BACKEND_SOURCE_FAILED, else "". */
const char *backend_source_get_reason(BackendSource *self);
BackendList *backend_source_get_list(BackendSource *self);

void backend_source_reload(BackendSource *self);

/* item: asks for it now, and again whenever a signal says that there is something new. */
void backend_source_want(BackendSource *self, BackendItem *item);

/* Asks again for this one, and for those that somebody wants and that are polled: of what polls
 * bring, no signal tells. To be called once a second by who shows them. item: or NULL. */
void backend_source_refresh(BackendSource *self, BackendItem *item);
