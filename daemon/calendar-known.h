#pragma once

#include <sys/queue.h>

#include "common/macro.h"

/* What systemd said last of calendars: each answer holds up to the moment that it names. */

typedef struct KnownCalendar KnownCalendar;

typedef struct KnownCalendars {
    TAILQ_HEAD(KnownCalendarList, KnownCalendar) list; /* the last one first */
    unsigned n;                                        /* at most CALENDAR_KNOWN_MAX */
} KnownCalendars;

void known_calendars_init(KnownCalendars *k);
/* True: the first moment later than second `base` is known. It is given in microseconds. */
bool known_calendars_find(const KnownCalendars *k, const char *expression, uint64_t base,
                          uint64_t *ret);
/* From second `from` on, the next moment is `next`. Takes the expression, whatever it had before is
 * forgotten. */
void known_calendars_add(KnownCalendars *k, char *expression, uint64_t from, uint64_t next);
void known_calendars_forget(KnownCalendars *k); /* all of them */
