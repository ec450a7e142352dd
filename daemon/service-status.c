#include "daemon/service-status.h"

#include <systemd/sd-daemon.h>

static void send_or_wait(ServiceStatus *s) {
    sd_event *event = sd_event_source_get_event(s->timer);
    uint64_t now;

    if (sd_event_now(event, CLOCK_MONOTONIC, &now) < 0)
        return;
    if (coalescer_take(&s->rate, now, false))
        (void)sd_notifyf(false, "STATUS=%u running, %u queued", s->running, s->queued);
    else if (s->rate.pending) {
        (void)sd_event_source_set_time(s->timer, coalescer_due(&s->rate));
        (void)sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
    }
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
    send_or_wait(userdata);
    return 0;
}

int service_status_init(ServiceStatus *s, sd_event *event) {
    *s = (ServiceStatus){.rate = {.interval_usec = USEC_PER_SEC}};
    int r = sd_event_add_time(event, &s->timer, CLOCK_MONOTONIC, 0, 0, on_timer, s);
    return r < 0 ? r : sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
}

void service_status_done(ServiceStatus *s) {
    s->timer = sd_event_source_disable_unref(s->timer);
}

void service_status_update(ServiceStatus *s, unsigned running, unsigned queued) {
    if (running == s->running && queued == s->queued)
        return;
    s->running = running;
    s->queued = queued;
    coalescer_add(&s->rate);
    send_or_wait(s);
}
