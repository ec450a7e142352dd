#include "daemon/bus/bus-group.h"

#include <errno.h>
#include <stdio.h>

#include "common/strv.h"
#include "daemon/bus/bus-error.h"
#include "daemon/bus/bus-message.h"
#include "daemon/bus/bus-options.h"
#include "daemon/bus/bus-reply.h"

/* ---- what is to be changed ---- */

/* The options that a group can have a default of, in a row. */
static char *known_defaults(char buf[512]) {
    size_t n = 0;

    buf[0] = '\0';
    for (const TaskOption *o = task_options(); o->name && n < 512; o++)
        if (o->flags & TASK_OPTION_DEFAULT)
            n += (size_t)snprintf(buf + n, 512 - n, "%s%s", n > 0 ? ", " : "", o->name);
    return buf;
}

/* -EREMOTE, or the option in *ret. */
static int find_default(const char *name, const TaskOption **ret, Error *error) {
    const TaskOption *o = task_option_by_name(name);
    char known[512];

    if (!o)
        return error_set(error, ERROR_UNKNOWN_OPTION,
                         "There is no property \"%.100s\" of a group. Known are: max-parallel, "
                         "max-queued, unset, and as defaults of its tasks: %s",
                         name, known_defaults(known));
    if (!(o->flags & TASK_OPTION_DEFAULT))
        return error_set(error, ERROR_INVALID_OPTION,
                         "A group cannot have a default of %s, each task gives its own. It can "
                         "have one of: %s",
                         name, known_defaults(known));
    *ret = o;
    return 0;
}

static int read_default(sd_bus_message *m, const Bus *b, const char *name, GroupChange *change,
                        Error *error) {
    const TaskOption *o;
    int r = find_default(name, &o, error);

    if (r < 0)
        return r;
    if (change->defaults->given & task_option_bit(o))
        return error_set(error, ERROR_INVALID_OPTION, "%s is given twice", name);
    return bus_option_read(m, b->api, b->api_userdata, o, change->defaults, error);
}

static int read_number(sd_bus_message *m, const char *name, bool *given, uint32_t *ret,
                       Error *error) {
    if (*given)
        return error_set(error, ERROR_INVALID_OPTION, "%s is given twice", name);
    *given = true;
    return bus_option_read_basic(m, name, "u", ret, error);
}

static int read_unset(sd_bus_message *m, GroupChange *change, Error *error) {
    _cleanup_(strv_freep) char **names = NULL;
    const TaskOption *o;
    int r = bus_option_read_strings(m, "unset", &names, error);

    if (r < 0)
        return r;
    STRV_FOREACH (name, names) {
        r = find_default(*name, &o, error);
        if (r < 0)
            return r;
        change->unset |= task_option_bit(o);
    }
    return 0;
}

typedef struct ChangeReader {
    const Bus *bus;
    GroupChange *change;
} ChangeReader;

static int read_property(sd_bus_message *m, const char *name, void *userdata, Error *error) {
    const ChangeReader *to = userdata;
    GroupChange *change = to->change;

    if (streq(name, "max-parallel"))
        return read_number(m, name, &change->has_max_parallel, &change->max_parallel, error);
    if (streq(name, "max-queued"))
        return read_number(m, name, &change->has_max_queued, &change->max_queued, error);
    if (streq(name, "unset"))
        return read_unset(m, change, error);
    return read_default(m, to->bus, name, change, error);
}

static int check_unset(const GroupChange *change, Error *error) {
    for (const TaskOption *o = task_options(); o->name; o++)
        if (change->defaults->given & change->unset & task_option_bit(o))
            return error_set(error, ERROR_INVALID_OPTION, "%s is both given and to be unset",
                             o->name);
    return 0;
}

static int read_change(sd_bus_message *m, const Bus *b, GroupChange *change, Error *error) {
    ChangeReader to = {.bus = b, .change = change};
    int r = bus_entries_read(m, read_property, &to, error);

    return r < 0 ? r : check_unset(change, error);
}

int bus_method_configure_group(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    GroupChange change = {
        .defaults = b->api->new_spec(b->api_userdata, TASK_KIND_COMMAND),
    };
    const char *name;
    int r = change.defaults ? sd_bus_message_read_basic(m, 's', &name) : -ENOMEM;

    if (r >= 0)
        r = read_change(m, b, &change, &error);
    if (r >= 0)
        r = b->api->configure_group(b->api_userdata, name, &change, &error);
    task_spec_free(change.defaults);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    return bus_reply_nothing(b, m);
}

int bus_method_remove_group(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    Bus *b = userdata;
    const char *name;
    int r = sd_bus_message_read_basic(m, 's', &name);

    if (r >= 0)
        r = b->api->remove_group(b->api_userdata, name, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    return bus_reply_nothing(b, m);
}

/* ---- pausing ---- */

static int order(sd_bus_message *m, Bus *b, GroupOrder order, sd_bus_error *ret_error) {
    _cleanup_error_ Error error = {};
    const char *name;
    int r = sd_bus_message_read_basic(m, 's', &name);

    if (r >= 0)
        r = b->api->order_group(b->api_userdata, name, order, &error);
    if (r < 0)
        return bus_error_from(ret_error, r, &error);
    return bus_reply_nothing(b, m);
}

int bus_method_pause(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return order(m, userdata, GROUP_PAUSE, ret_error);
}

int bus_method_resume(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return order(m, userdata, GROUP_RESUME, ret_error);
}

int bus_method_drain(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    return order(m, userdata, GROUP_DRAIN, ret_error);
}

/* ---- looking ---- */

static int append_numbers(sd_bus_message *m, const Group *g) {
    /* As their states are shown: in a group that is paused, nobody is queued. */
    const struct {
        const char *key;
        uint32_t number;
    } numbers[] = {
        {"max-parallel", g->max_parallel},
        {"max-queued", g->max_queued},
        {"active", g->active},
        {"running", g->running},
        {"queued", g->paused ? 0 : g->queued},
        {"waiting", g->waiting + (g->paused ? g->queued : 0)},
        {"succeeded", g->succeeded},
        {"failed", g->failed},
    };
    int r = 0;

    for (size_t i = 0; r >= 0 && i < ELEMENTSOF(numbers); i++)
        r = sd_bus_message_append(m, "{sv}", numbers[i].key, "u", numbers[i].number);
    return r;
}

static int append_defaults(sd_bus_message *m, const Group *g) {
    int r = sd_bus_message_open_container(m, 'e', "sv");

    if (r >= 0)
        r = sd_bus_message_append_basic(m, 's', "defaults");
    if (r >= 0)
        r = sd_bus_message_open_container(m, 'v', "a{sv}");
    if (r >= 0)
        r = bus_options_append_given(m, g->defaults);
    if (r >= 0)
        r = sd_bus_message_close_container(m);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

static int append_group(sd_bus_message *m, const Group *g) {
    int r = sd_bus_message_open_container(m, 'a', "{sv}");

    if (r >= 0)
        r = sd_bus_message_append(m, "{sv}{sv}{sv}", "name", "s", g->name, "paused", "b",
                                  (int)g->paused, "draining", "b", (int)g->draining);
    if (r >= 0)
        r = append_numbers(m, g);
    if (r >= 0)
        r = append_defaults(m, g);
    return r < 0 ? r : sd_bus_message_close_container(m);
}

int bus_method_list_groups(sd_bus_message *m, void *userdata, sd_bus_error *ret_error) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    Bus *b = userdata;
    int r = sd_bus_message_new_method_return(m, &reply);

    if (r >= 0)
        r = sd_bus_message_open_container(reply, 'a', "a{sv}");
    for (const Group *g = NULL; r >= 0 && (g = b->api->next_group(b->api_userdata, g));)
        r = append_group(reply, g);
    if (r >= 0)
        r = sd_bus_message_close_container(reply);
    return r < 0 ? r : sd_bus_send(NULL, reply, NULL);
}

int bus_property_get_groups(sd_bus *bus, const char *path, const char *interface,
                            const char *property, sd_bus_message *reply, void *userdata,
                            sd_bus_error *error) {
    Bus *b = userdata;
    int r = sd_bus_message_open_container(reply, 'a', "s");

    for (const Group *g = NULL; r >= 0 && (g = b->api->next_group(b->api_userdata, g));)
        r = sd_bus_message_append_basic(reply, 's', g->name);
    return r < 0 ? r : sd_bus_message_close_container(reply);
}
