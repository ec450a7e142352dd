#include "daemon/bus/bus-caller.h"

#include <stdio.h>

#include "common/log.h"

static int on_owner_changed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    const char *name, *old_owner, *new_owner;
    BusCaller *c = userdata;

    if (sd_bus_message_read(m, "sss", &name, &old_owner, &new_owner) >= 0 && isempty(new_owner))
        c->left(c->userdata);
    return 0;
}

static int on_checked(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    BusCaller *c = userdata;
    int has_owner;

    if (!sd_bus_message_is_method_error(m, NULL) && sd_bus_message_read(m, "b", &has_owner) >= 0 &&
        !has_owner)
        c->left(c->userdata);
    return 0;
}

/* The bus has the match: whoever leaves from now on is seen, who has left before is found by
 * asking. */
static int on_match_installed(sd_bus_message *m, void *userdata, sd_bus_error *error) {
    BusCaller *c = userdata;
    int r = sd_bus_call_method_async(sd_bus_message_get_bus(m), &c->check, "org.freedesktop.DBus",
                                     "/org/freedesktop/DBus", "org.freedesktop.DBus",
                                     "NameHasOwner", on_checked, c, "s", c->name);
    if (r < 0)
        log_warning_errno(r, "Cannot see whether a caller who waits is there, ignoring");
    return 0;
}

int bus_caller_watch(BusCaller *c, sd_bus_message *call, void (*left)(void *userdata),
                     void *userdata) {
    char match[512];

    *c = (BusCaller){.name = sd_bus_message_get_sender(call), .left = left, .userdata = userdata};
    if (!c->name)
        return 0;
    snprintf(match, sizeof(match),
             "type='signal',sender='org.freedesktop.DBus',path='/org/freedesktop/DBus',"
             "interface='org.freedesktop.DBus',member='NameOwnerChanged',arg0='%s'",
             c->name);
    return sd_bus_add_match_async(sd_bus_message_get_bus(call), &c->match, match, on_owner_changed,
                                  on_match_installed, c);
}

void bus_caller_done(BusCaller *c) {
    c->match = sd_bus_slot_unref(c->match);
    c->check = sd_bus_slot_unref(c->check);
}
