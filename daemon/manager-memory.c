#include <malloc.h>

#include "daemon/manager-private.h"

/* Memory goes back to the system when much of it was needed for a moment: a call that starts 10,000
 * tasks takes several times what they take once they wait. */

/* Tasks in one commit from which on it is worth the time. */
#define MANY_TASKS 1000

static int on_rest(sd_event_source *s, void *userdata) {
    malloc_trim(0);
    return 0;
}

int manager_init_memory(Manager *m) {
    int r = sd_event_add_defer(m->event, &m->trimming, on_rest, m);

    /* When there is nothing else to do: by then the call and its answer are gone, too. */
    if (r >= 0)
        r = sd_event_source_set_priority(m->trimming, SD_EVENT_PRIORITY_IDLE);
    return r < 0 ? r : sd_event_source_set_enabled(m->trimming, SD_EVENT_OFF);
}

void manager_trim_after(Manager *m, size_t n_tasks) {
    if (n_tasks >= MANY_TASKS)
        (void)sd_event_source_set_enabled(m->trimming, SD_EVENT_ONESHOT);
}
