#include "daemon/clock-watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>
#include <time.h>

#include "common/clock.h"
#include "common/log.h"

/* Less is not worth the trouble, and may come from the time that it takes to read two clocks. */
#define JUMP_MIN_USEC (100 * USEC_PER_MSEC)

struct ClockWatch {
    const ClockEvents *events;
    void *userdata; /* not owned */
    int fd;         /* timerfd */
    sd_event_source *timer, *zone;
    sd_event_source *news; /* enabled: the clock was set */
    const char *zone_name; /* of the file, without its folder; in zone_path */
    char *zone_path;
    uint64_t armed; /* what the timer is set to; 0 = not at all */
    int64_t offset; /* CLOCK_REALTIME - CLOCK_BOOTTIME */
};

static int64_t wall_offset(void) {
    return (int64_t)clock_usec(CLOCK_REALTIME) - (int64_t)clock_usec(CLOCK_BOOTTIME);
}

/* ---- the alarm ---- */

/* A timer that is set is told of each change of the clock (TFD_TIMER_CANCEL_ON_SET), so there
 * always is one, however far away. -ECANCELED: it is set, and this is the news of a change. */
static int arm(ClockWatch *w, uint64_t usec) {
    uint64_t sec = MIN(usec / USEC_PER_SEC, (uint64_t)INT32_MAX * 2);
    struct itimerspec spec = {
        .it_value.tv_sec = (time_t)sec,
        .it_value.tv_nsec = (long)(usec % USEC_PER_SEC * NSEC_PER_USEC),
    };
    int flags = TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET;

    w->armed = usec;
    return timerfd_settime(w->fd, flags, &spec, NULL) < 0 ? -errno : 0;
}

static void look_at_clock(ClockWatch *w) {
    int64_t offset = wall_offset(), jump = offset - w->offset;

    if (llabs(jump) < (int64_t)JUMP_MIN_USEC)
        return;
    w->offset = offset;
    w->events->jumped(w->userdata, jump);
}

static int on_news(sd_event_source *s, void *userdata) {
    look_at_clock(userdata);
    return 0;
}

static int on_prepare(sd_event_source *s, void *userdata) {
    ClockWatch *w = userdata;
    uint64_t next = MAX(w->events->next(w->userdata), UINT64_C(1)); /* 0 would turn it off */
    int r = next == w->armed ? 0 : arm(w, next);

    if (r == -ECANCELED)
        return sd_event_source_set_enabled(w->news, SD_EVENT_ONESHOT);
    if (r < 0)
        log_error_errno(r, "Cannot set the alarm on the wall clock, ignoring");
    return 0;
}

static int on_timer(sd_event_source *s, int fd, uint32_t revents, void *userdata) {
    ClockWatch *w = userdata;
    uint64_t expirations;
    ssize_t n = read(fd, &expirations, sizeof(expirations));

    if (n < 0 && errno != ECANCELED)
        return 0; /* set anew meanwhile */
    w->armed = 0;
    if (n < 0)
        look_at_clock(w);
    else
        w->events->alarm(w->userdata);
    return 0;
}

/* ---- the time zone ---- */

static int on_zone(sd_event_source *s, const struct inotify_event *e, void *userdata) {
    ClockWatch *w = userdata;

    if (e->len == 0 || !streq(e->name, w->zone_name))
        return 0;
    tzset();
    w->events->zone_changed(w->userdata);
    return 0;
}

/* The folder, since the file is replaced by another one. */
static int watch_zone(ClockWatch *w, sd_event *event, const char *path) {
    char *slash;
    int r;

    w->zone_path = strdup(path);
    if (!w->zone_path)
        return -ENOMEM;
    slash = strrchr(w->zone_path, '/');
    *slash = '\0';
    w->zone_name = slash + 1;
    r = sd_event_add_inotify(event, &w->zone, w->zone_path,
                             IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR, on_zone, w);
    if (r < 0)
        log_warning_errno(r, "Cannot watch %s for another time zone, ignoring", w->zone_path);
    return 0;
}

/* ---- life ---- */

int clock_watch_new(ClockWatch **ret, sd_event *event, const char *localtime,
                    const ClockEvents *events, void *userdata) {
    _cleanup_(clock_watch_freep) ClockWatch *w = malloc(sizeof(ClockWatch));
    int r;

    if (!w)
        return -ENOMEM;
    *w = (ClockWatch){.events = events, .userdata = userdata, .offset = wall_offset()};
    w->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
    if (w->fd < 0)
        return -errno;
    r = sd_event_add_io(event, &w->timer, w->fd, EPOLLIN, on_timer, w);
    if (r >= 0)
        r = sd_event_source_set_prepare(w->timer, on_prepare);
    if (r >= 0)
        r = sd_event_add_defer(event, &w->news, on_news, w);
    if (r >= 0)
        r = sd_event_source_set_enabled(w->news, SD_EVENT_OFF);
    if (r >= 0)
        r = watch_zone(w, event, localtime);
    if (r < 0)
        return r;
    *ret = TAKE_PTR(w);
    return 0;
}

ClockWatch *clock_watch_free(ClockWatch *w) {
    if (!w)
        return NULL;
    sd_event_source_disable_unref(w->timer);
    sd_event_source_disable_unref(w->news);
    sd_event_source_disable_unref(w->zone);
    close_fd(w->fd);
    free(w->zone_path);
    free(w);
    return NULL;
}
