#pragma once

#include <systemd/sd-bus.h>

#include "client-cli/command.h"
#include "client-cli/states.h"

/* Which tasks a command is about: those that match all of the options of a filter, or those whose
 * ids are given. */

/* clang-format off */
#define FILTER_OPTIONS                                                                             \
    {OPT_STATE, 's', "state", "STATE", "only tasks in this state; may be given several times"},    \
    {OPT_LABEL, 'l', "label", "PART", "only tasks with this in the label"},                        \
    {OPT_KIND, 'k', "kind", "KIND", "only tasks of this kind"},                                    \
    {OPT_GROUP, 'g', "group", "GROUP", "only tasks of this group"},                                \
    {OPT_PARENT, 0, "parent", "ID", "only children of this task"}
/* clang-format on */

typedef struct Filter {
    const Invocation *inv; /* not owned */
    bool states[_TASK_STATE_MAX];
    uint64_t parent;     /* 0: of any */
    uint64_t until_usec; /* created before; 0: at any time */
    bool restricted;     /* it may leave some out */
} Filter;

/* Takes the options that the command has, and that were given. Without --state, the states are all
 * that are allowed. 0, EXIT_USAGE or EXIT_FAILURE after a message. */
int filter_parse(const Invocation *inv, StatesOf allowed, Filter *ret);

/* Appends the keys of the filter to an open a{sv}. 0, or -errno after a message. */
int filter_append(const Filter *f, StatesOf wanted, sd_bus_message *call);
/* A call of a method of the manager whose first argument is the filter. 0, or -errno after a
 * message. */
int filter_new_call(const Filter *f, StatesOf wanted, sd_bus *bus, const char *member,
                    sd_bus_message **ret);

typedef struct Targets {
    uint64_t *ids; /* owned; NULL: those that match the filter */
    size_t n_ids;
    Filter filter;
} Targets;

/* Takes ids from the arguments, or a filter from the options; OPT_ALL stands for one that leaves
 * none out. It must be one of the two. first: index of the argument with the first id. 0,
 * EXIT_USAGE or EXIT_FAILURE after a message. Release with targets_done(). */
int targets_parse(const Invocation *inv, size_t first, StatesOf allowed, Targets *ret);
void targets_done(Targets *t);
