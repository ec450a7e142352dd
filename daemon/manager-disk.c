#include <errno.h>
#include <stdio.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/parse.h"
#include "daemon/bus/bus-emit.h"
#include "daemon/disk-space.h"
#include "daemon/manager-private.h"

/* Nothing is started while its state could not be written, or its log could not be kept. */

#define LOOK_INTERVAL_USEC (1 * USEC_PER_SEC)

/* Those that wait say why: see manager_reason(). */
static void set_blocked(Manager *m, char *why) {
    free(m->blocked);
    m->blocked = why;
    manager_take_back_ahead(m);
}

static void set_low_disk(Manager *m, bool low) {
    if (m->low_disk == low)
        return;
    m->low_disk = low;
    bus_emit_manager_property(m->bus->bus, "LowDisk");
}

static void look(Manager *m) {
    char has[FORMAT_MAX], needs[FORMAT_MAX], *why;
    uint64_t bytes;
    int r = disk_space_free(m->dirs.state, &bytes);

    m->disk_checked = clock_usec(CLOCK_MONOTONIC);
    if (r < 0) {
        log_warning_errno(r, "Cannot tell the room in %s, ignoring", m->dirs.state);
        return;
    }
    if (bytes >= m->config.min_free_disk) {
        if (m->low_disk) {
            log_notice("There is room in %s again", m->dirs.state);
            set_blocked(m, NULL);
        }
        set_low_disk(m, false);
        return;
    }
    if (asprintf(&why,
                 "the disk of %s is nearly full: %s are free, and starts need %s "
                 "(MinFreeDisk=). Make room, they go on by themselves",
                 m->dirs.state, format_size(has, bytes),
                 format_size(needs, m->config.min_free_disk)) < 0)
        return;
    if (!m->low_disk)
        log_warning("Nothing is started: %s", why);
    set_blocked(m, why);
    set_low_disk(m, true);
}

bool manager_disk_has_room(Manager *m) {
    uint64_t now = clock_usec(CLOCK_MONOTONIC);

    /* The check may have been turned off meanwhile. */
    if ((m->config.min_free_disk > 0 || m->low_disk) && now - m->disk_checked >= LOOK_INTERVAL_USEC)
        look(m);
    if (!m->low_disk)
        return true;
    (void)sd_event_source_set_time(m->disk_timer, now + LOOK_INTERVAL_USEC);
    (void)sd_event_source_set_enabled(m->disk_timer, SD_EVENT_ONESHOT);
    return false;
}

static int on_disk_timer(sd_event_source *s, uint64_t usec, void *userdata) {
    manager_schedule(userdata);
    return 0;
}

/* The commit queue itself starts nothing that is not on disk: here it is said why. */
void manager_disk_error(Manager *m, int error) {
    char *why;

    if (error == 0) {
        if (m->blocked && !m->low_disk)
            set_blocked(m, NULL);
        return;
    }
    if (asprintf(&why, "the state cannot be written to %s: %s", m->dirs.state, strerror(-error)) >=
        0)
        set_blocked(m, why);
}

int manager_init_disk(Manager *m) {
    int r = sd_event_add_time(m->event, &m->disk_timer, CLOCK_MONOTONIC, 0, 0, on_disk_timer, m);

    if (r < 0)
        return r;
    if (disk_is_memory(m->dirs.state))
        log_warning("The state folder %s lies in memory (tmpfs): all tasks and logs are lost when "
                    "the machine restarts",
                    m->dirs.state);
    return sd_event_source_set_enabled(m->disk_timer, SD_EVENT_OFF);
}
