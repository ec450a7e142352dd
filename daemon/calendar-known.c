#include "daemon/calendar-known.h"

#include <stdlib.h>

#include "daemon/calendar.h"

struct KnownCalendar {
    char *expression;
    uint64_t from, next;
    TAILQ_ENTRY(KnownCalendar) link;
};

void known_calendars_init(KnownCalendars *k) {
    *k = (KnownCalendars){};
    TAILQ_INIT(&k->list);
}

bool known_calendars_find(const KnownCalendars *k, const char *expression, uint64_t base,
                          uint64_t *ret) {
    const KnownCalendar *c;

    TAILQ_FOREACH (c, &k->list, link)
        if (base >= c->from && base < c->next / USEC_PER_SEC && streq(c->expression, expression)) {
            *ret = c->next;
            return true;
        }
    return false;
}

static void forget(KnownCalendars *k, KnownCalendar *c) {
    TAILQ_REMOVE(&k->list, c, link);
    k->n--;
    free(c->expression);
    free(c);
}

static void forget_expression(KnownCalendars *k, const char *expression) {
    KnownCalendar *c;

    TAILQ_FOREACH (c, &k->list, link)
        if (streq(c->expression, expression)) {
            forget(k, c);
            return;
        }
}

void known_calendars_add(KnownCalendars *k, char *expression, uint64_t from, uint64_t next) {
    KnownCalendar *c = malloc(sizeof(KnownCalendar));

    if (!c) { /* then it is asked again */
        free(expression);
        return;
    }
    forget_expression(k, expression);
    if (k->n == CALENDAR_KNOWN_MAX)
        forget(k, TAILQ_LAST(&k->list, KnownCalendarList));
    *c = (KnownCalendar){.expression = expression, .from = from, .next = next};
    TAILQ_INSERT_HEAD(&k->list, c, link);
    k->n++;
}

void known_calendars_forget(KnownCalendars *k) {
    while (!TAILQ_EMPTY(&k->list))
        forget(k, TAILQ_FIRST(&k->list));
}
