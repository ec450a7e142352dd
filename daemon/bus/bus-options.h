#pragma once

#include "daemon/bus/bus-api.h"
#include "daemon/core/task-options.h"

/* Reads an entry, of which the key has been read: its value, a variant. 0 or negative. */
typedef int (*BusEntryFunc)(sd_bus_message *m, const char *key, void *userdata, Error *error);

/* Reads a{sv}, up to the first entry for which func does not give 0, and gives what it gave. */
int bus_entries_read(sd_bus_message *m, BusEntryFunc func, void *userdata, Error *error);

/* Reads the options of a task, a{sv}, from the message into the spec. 0, -EREMOTE with the error
 * set (unknown option, wrong type, two of one, odd JSON is not looked at here), or -errno of a
 * message that does not parse. */
int bus_options_read(sd_bus_message *m, const BusApi *api, void *api_userdata, TaskSpec *spec,
                     Error *error);

/* Reads the value, a variant, of one option, and notes it in spec->given. As above. */
int bus_option_read(sd_bus_message *m, const BusApi *api, void *api_userdata, const TaskOption *o,
                    TaskSpec *spec, Error *error);

/* Reads a variant with a value of one basic type. what: as it is called in errors. */
int bus_option_read_basic(sd_bus_message *m, const char *what, const char *type, void *ret,
                          Error *error);

/* The same for an array of strings, which the caller frees. */
int bus_option_read_strings(sd_bus_message *m, const char *what, char ***ret, Error *error);

/* Appends the value of an option alone. 0 or -errno. */
int bus_option_append(sd_bus_message *m, const TaskOption *o, const TaskSpec *spec);

/* Appends the options in spec->given, a{sv}. spec may be NULL. */
int bus_options_append_given(sd_bus_message *m, const TaskSpec *spec);

/* Reads a filter, a{sv}. Its strings point into the message. fields: where the names of the option
 * "fields" go (strv, owned by the caller), or NULL for a method whose filter has no such option;
 * cursor, limit and newest-first are known with it only, too. */
int bus_filter_read(sd_bus_message *m, TaskFilter *ret, char ***fields, Error *error);
/* Whether it names none but final states. does: "Prune removes tasks". 0, or -EREMOTE. */
int bus_filter_check_final(const TaskFilter *f, const char *does, Error *error);
