#pragma once

#include <systemd/sd-event.h>

#include "daemon/core/coalesce.h"

/* The STATUS= line that `systemctl status` shows (sd_notify(3)), renewed at most once a second. */
typedef struct ServiceStatus {
    sd_event_source *timer;
    Coalescer rate;
    unsigned running, queued;
} ServiceStatus;

int service_status_init(ServiceStatus *s, sd_event *event);
void service_status_done(ServiceStatus *s);
void service_status_update(ServiceStatus *s, unsigned running, unsigned queued);
