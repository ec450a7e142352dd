#pragma once

#include <systemd/sd-event.h>

#include "common/cleanup.h"
#include "common/macro.h"

/* When a calendar expression of systemd.time(7), "Mon..Fri 09:00", elapses next. systemd itself
 * says so: a question is a run of systemd-analyze(1), outside the loop, a few at a time; those that
 * ask for the same share one. How long the queue of questions gets is up to who asks.
 *
 * An answer is the one that systemd gives for its timers, in the time zone of the daemon or in the
 * one that the expression names. So a run at 02:30 is left out in the night that has no such hour;
 * and of an hour that comes twice the first one counts. Parts of seconds are rounded up. */

typedef struct Calendar Calendar;
typedef struct CalendarQuestion CalendarQuestion;

/* r: 0, with the moment in next (CLOCK_REALTIME, microseconds; USEC_INFINITY: never again). -EINVAL
 * when the expression is none, or another -errno when it cannot be told now; then why has words for
 * people, else it is NULL. The question is freed before this is called. */
typedef void (*CalendarFunc)(void *userdata, int r, uint64_t next, const char *why);

int calendar_new(Calendar **ret, sd_event *event); /* 0 or -errno */
/* Nobody is called any more. NULL-safe, gives NULL. */
Calendar *calendar_free(Calendar *c);
DEFINE_CLEANUP(Calendar *, calendar_free)

/* Asks for the first whole second later than `after` (CLOCK_REALTIME, microseconds). func is called
 * later, from the loop, unless the question is freed before. Belongs to the caller until then, but
 * not longer than the Calendar. 0 or -ENOMEM. */
int calendar_ask(CalendarQuestion **ret, Calendar *c, const char *expression, uint64_t after,
                 CalendarFunc func, void *userdata);
CalendarQuestion *calendar_question_free(CalendarQuestion *q); /* NULL-safe, gives NULL */

/* The last answers are kept: each holds up to the moment that it names. True when the answer to
 * this question is among them; it is given as above. */
bool calendar_is_known(const Calendar *c, const char *expression, uint64_t after, uint64_t *ret);
void calendar_forget(Calendar *c); /* the time zone is another one */

#define CALENDAR_KNOWN_MAX 64

/* Runs of systemd-analyze at a time, and how long one may take before it is ended; the second can
 * be changed for tests. */
#define CALENDAR_PARALLEL 4
#define CALENDAR_TIMEOUT_USEC (30 * USEC_PER_SEC)
void calendar_set_timeout(Calendar *c, uint64_t usec);
unsigned calendar_running(const Calendar *c);

/* Reads what systemd-analyze prints. 0, with the moment as above; -EBADMSG when it is not that. */
int calendar_parse(const char *text, uint64_t *ret);
