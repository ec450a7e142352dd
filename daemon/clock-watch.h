#pragma once

#include <systemd/sd-event.h>

#include "common/cleanup.h"
#include "common/macro.h"

/* The wall clock (CLOCK_REALTIME): an alarm on it, and news when somebody sets it, or changes the
 * time zone. A machine that sleeps does not count as one whose clock was set. */

typedef struct ClockWatch ClockWatch;

#define CLOCK_WATCH_LOCALTIME "/etc/localtime"

typedef struct ClockEvents {
    /* Before each wait of the loop: when the alarm is to come, microseconds of CLOCK_REALTIME;
     * USEC_INFINITY: never. */
    uint64_t (*next)(void *userdata);
    /* That time has come. It is asked again what is next; who says the same is called again. */
    void (*alarm)(void *userdata);
    /* The clock was set forward by so many microseconds, or back (negative). */
    void (*jumped)(void *userdata, int64_t usec);
    /* The file with the local time zone is another one, or its name a link to another. */
    void (*zone_changed)(void *userdata);
} ClockEvents;

/* localtime: path of the file with the time zone, see above. Where its folder cannot be watched,
 * nobody is told. 0 or -errno. */
int clock_watch_new(ClockWatch **ret, sd_event *event, const char *localtime,
                    const ClockEvents *events, void *userdata);
ClockWatch *clock_watch_free(ClockWatch *w); /* NULL-safe, gives NULL */
DEFINE_CLEANUP(ClockWatch *, clock_watch_free)
