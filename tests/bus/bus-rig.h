#pragma once

#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>

#include "daemon/bus/bus-api.h"
#include "daemon/manager.h"
#include "tests/bus/fake-daemon.h"

/* The daemon's objects without a bus daemon: server and client are the two ends of a socket pair,
 * both on one event loop in one thread. All functions fail the test when something goes wrong. */
typedef struct BusRig {
    sd_event *event;
    Manager *manager; /* the real one, or */
    FakeDaemon *fake; /* not owned */
    sd_bus *server, *client;
    char dir[64];
} BusRig;

/* config: text of longrun.conf. */
void bus_rig_setup(BusRig *rig, const char *config);
/* With the fake behind the bus, which is initialised here and done at teardown. */
void bus_rig_setup_fake(BusRig *rig, FakeDaemon *fake);
void bus_rig_teardown(BusRig *rig);

/* Calls a method and runs the loop until the answer is there. The answer is an error when the
 * method failed; the caller unrefs it. types "" for no arguments. */
sd_bus_message *bus_rig_call(BusRig *rig, const char *path, const char *interface,
                             const char *member, const char *types, ...);

/* The same, when the answer must be good or must be the error with the name (of
 * org.longrun.Longrun1.Error.*). */
sd_bus_message *bus_rig_call_good(BusRig *rig, const char *path, const char *interface,
                                  const char *member, const char *types, ...);

/* Fails unless the answer is the error with this name and a part of its text; unrefs the answer. */
void bus_rig_assert_error(sd_bus_message *answer, const char *name, const char *part);

/* Starts a task, gives its id. */
uint64_t bus_rig_start(BusRig *rig, const char *kind, const char *params);

/* Waits for the end of a task; gives the final state, a constant string. */
const char *bus_rig_wait(BusRig *rig, uint64_t id);

void bus_rig_task_path(char path[64], uint64_t id);

/* Runs the loop until the condition holds, at most 20 s. */
void bus_rig_run_until(BusRig *rig, bool (*holds)(void *userdata), void *userdata);
