#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/command.h"
#include "common/task-state.h"

/* Which states somebody asks for, by options --state, and as the key "states" of a filter. */

typedef enum StatesOf {
    STATES_PENDING = 1 << 0, /* not started */
    STATES_STARTED = 1 << 1,
    STATES_FINAL = 1 << 2,
    STATES_ACTIVE = STATES_PENDING | STATES_STARTED,
    STATES_ANY = STATES_ACTIVE | STATES_FINAL,
} StatesOf;

/* Those given; all that are allowed when none is. 0, or EXIT_USAGE after a message. */
int states_parse(const Invocation *inv, StatesOf allowed, bool ret[_TASK_STATE_MAX]);

/* Appends those of the set that are wanted to an open a{sv}. 0, or -errno after a message. */
int states_append(const bool states[_TASK_STATE_MAX], StatesOf wanted, sd_bus_message *call);

/* Whether one of the set is wanted. */
bool states_any(const bool states[_TASK_STATE_MAX], StatesOf wanted);
