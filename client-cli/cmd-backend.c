#include "client-cli/cmd-backend.h"

#include <inttypes.h>
#include <stdio.h>

#include "client-cli/append.h"
#include "client-cli/backend-gather.h"
#include "client-cli/backend-option-table.h"
#include "client-cli/backend-options.h"
#include "client-cli/backend.h"
#include "client-cli/client.h"
#include "client-cli/commands.h"
#include "client-cli/output.h"
#include "client-cli/table.h"
#include "common/parse.h"

/* longrun backend list, show, add, remove, poll, start, stop */

const Option backend_json_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    OPTIONS_END,
};

/* clang-format off */
static const Option add_options[] = {
    {OPT_JSON, 'j', "json", NULL, "print JSON"},
    BACKEND_OPTIONS,
    OPTIONS_END,
};
/* clang-format on */

/* ---- what all of them share ---- */

static bool has_name(const cJSON *names, const char *name) {
    const cJSON *item;

    cJSON_ArrayForEach (item, names)
        if (streq(item->valuestring, name))
            return true;
    return false;
}

cJSON *backend_names_given(const Invocation *inv) {
    _cleanup_json_ cJSON *names = must(cJSON_CreateArray());

    for (size_t i = 0; i < inv->n_args; i++) {
        if (text_check("the name", inv->args[i]) != 0)
            return NULL;
        if (!has_name(names, inv->args[i]))
            cJSON_AddItemToArray(names, must(cJSON_CreateString(inv->args[i])));
    }
    return TAKE_PTR(names);
}

const char *backend_state_colour(const char *state) {
    if (streq(state, "online"))
        return state_colour("succeeded");
    return state_colour(streq(state, "offline") ? "failed" : "waiting");
}

const char *backend_reason(const cJSON *backend) {
    const char *reason = json_string(backend, "reason");

    if (*reason || streq(json_string(backend, "state"), "online"))
        return reason;
    return json_string(backend, "last-error");
}

/* ---- list ---- */

const char *backend_format_latency(char buf[FORMAT_MAX], const cJSON *backend) {
    uint64_t usec = json_u64(backend, "latency");

    if (json_u64(backend, "last-update") == 0)
        snprintf(buf, FORMAT_MAX, "-");
    else if (usec < 10 * USEC_PER_MSEC)
        snprintf(buf, FORMAT_MAX, "%.1fms", (double)usec / USEC_PER_MSEC);
    else
        format_span(buf, usec);
    return buf;
}

static bool any_reason(const cJSON *backends) {
    const cJSON *backend;

    cJSON_ArrayForEach (backend, backends)
        if (*backend_reason(backend))
            return true;
    return false;
}

static void add_backend(Table *table, const cJSON *backend, bool with_reason) {
    const char *state = json_string(backend, "state");
    char when[TIME_MAX], latency[FORMAT_MAX];

    table_add(table, json_string(backend, "name"), COLOUR_BOLD);
    table_add(table, state, backend_state_colour(state));
    table_add(table, json_is_true(backend, "polling") ? "yes" : "no", NULL);
    table_add(table, backend_format_latency(latency, backend), NULL);
    table_add(table, format_time(when, json_u64(backend, "last-update")), NULL);
    table_add(table, json_string(backend, "url"), NULL);
    if (with_reason)
        table_add(table, backend_reason(backend), NULL);
}

static void print_backends(const cJSON *backends) {
    static const Column columns[] = {{"BACKEND", false}, {"STATE", false},       {"POLLING", false},
                                     {"LATENCY", true},  {"LAST ANSWER", false}, {"URL", false},
                                     {"REASON", false}};
    bool with_reason = any_reason(backends);
    Table table = {.columns = columns, .n_columns = ELEMENTSOF(columns) - !with_reason};
    const cJSON *backend;

    cJSON_ArrayForEach (backend, backends)
        add_backend(&table, backend, with_reason);
    table_print(&table);
    table_done(&table);
}

static int cmd_backend_list(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_json_ cJSON *names = NULL, *backends = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = backend_names(bus, &names);
    if (r == 0)
        r = backend_gather_properties(bus, names, &backends);
    if (r != 0)
        return r;
    if (invocation_has(inv, OPT_JSON))
        return json_print(backends);
    if (backends->child)
        print_backends(backends);
    else
        puts("There are no backends; \"longrun backend add NAME URL\" makes one.");
    return EXIT_SUCCESS;
}

/* ---- show ---- */

static void print_state(const cJSON *backend) {
    const char *state = json_string(backend, "state");
    const char *colour = output_has_colour() ? backend_state_colour(state) : "";
    _cleanup_free_ char *reason = text_display(backend_reason(backend));

    printf("%10s: %s%s%s%s%s%s\n", "State", colour, state, colour[0] ? COLOUR_OFF : "",
           reason[0] ? " (" : "", reason, reason[0] ? ")" : "");
}

static void print_pace(const cJSON *backend) {
    char span[FORMAT_MAX], text[FORMAT_MAX + 16];

    snprintf(text, sizeof(text), "every %s",
             format_span(span, json_u64(backend, "status-interval")));
    print_field("Checks", text);
    snprintf(text, sizeof(text), "every %s", format_span(span, json_u64(backend, "poll-interval")));
    print_field("Polls", json_is_true(backend, "polling")
                             ? text
                             : "none; \"longrun backend start\" begins them");
}

static void print_answers(const cJSON *backend) {
    uint64_t last = json_u64(backend, "last-update"), next = json_u64(backend, "next-check");
    char when[TIME_MAX], latency[FORMAT_MAX], text[TIME_MAX + FORMAT_MAX + 16];

    snprintf(text, sizeof(text), "%s, after %s", format_time(when, last),
             backend_format_latency(latency, backend));
    print_field("Answered", last > 0 ? text : "never");
    if (next > 0)
        print_field("Next check", format_time(when, next));
    print_field("Last error", json_string(backend, "last-error"));
}

/* "status-path /health, timeout 2.0s": those that say something. */
static void print_settings(const cJSON *settings) {
    _cleanup_free_ char *line = NULL;
    size_t size;
    FILE *f = must(open_memstream(&line, &size));

    for (const BackendOption *o = backend_options(); o->name; o++) {
        _cleanup_free_ char *value =
            backend_option_format(o, cJSON_GetObjectItemCaseSensitive(settings, o->name));
        if (*value)
            fprintf(f, "%s%s %s", ftell(f) > 0 ? ", " : "", o->name, value);
    }
    fclose(f);
    print_field("Settings", must(line));
}

static void print_backend(const cJSON *backend) {
    print_field("Backend", json_string(backend, "name"));
    print_field("URL", json_string(backend, "url"));
    print_field("Type", json_string(backend, "type"));
    print_state(backend);
    print_answers(backend);
    print_pace(backend);
    print_settings(cJSON_GetObjectItemCaseSensitive(backend, "settings"));
    print_field("From", json_string(backend, "origin"));
    print_field("Peer", json_string(backend, "current-peer"));
    print_field("Status", json_string(backend, "status"));
}

static int cmd_backend_show(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_json_ cJSON *backend = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = backend_properties(bus, inv->args[0], &backend);
    if (r != 0)
        return r;
    if (invocation_has(inv, OPT_JSON))
        return json_print(backend);
    print_backend(backend);
    return EXIT_SUCCESS;
}

/* ---- add, remove ---- */

static int report(const Invocation *inv, const char *title) {
    _cleanup_json_ cJSON *object = must(cJSON_CreateObject());

    if (!invocation_has(inv, OPT_JSON)) {
        printf("%s backend %s\n", title, inv->args[0]);
        return EXIT_SUCCESS;
    }
    cJSON_AddStringToObject(object, "name", inv->args[0]);
    return json_print(object);
}

static int append_name(const char *name, sd_bus_message *call) {
    int r = text_check("the name", name);

    if (r != 0)
        return r;
    r = sd_bus_message_append_basic(call, 's', name);
    return r < 0 ? client_report(NULL, r) : 0;
}

static int append_settings(const Invocation *inv, sd_bus_message *call) {
    int r = append_open(call);

    if (r == 0)
        r = append_string(call, "url", inv->args[1]);
    if (r == 0)
        r = backend_options_append(inv, call);
    return r != 0 ? r : append_close(call);
}

static int cmd_backend_add(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = client_new_call(bus, "AddBackend", &call);
    if (r == 0)
        r = append_name(inv->args[0], call);
    if (r == 0)
        r = append_settings(inv, call);
    if (r == 0)
        r = client_send(bus, call, 0, NULL);
    return r != 0 ? r : report(inv, "Added");
}

static int cmd_backend_remove(const Invocation *inv) {
    _cleanup_bus_ sd_bus *bus = NULL;
    _cleanup_message_ sd_bus_message *call = NULL;
    int r;

    r = client_connect(&bus);
    if (r == 0)
        r = client_new_call(bus, "RemoveBackend", &call);
    if (r == 0)
        r = append_name(inv->args[0], call);
    if (r == 0)
        r = client_send(bus, call, 0, NULL);
    return r != 0 ? r : report(inv, "Removed");
}

/* ---- poll, start, stop ---- */

/* It may take as long as the backend takes to answer. */
static int change(sd_bus *bus, const char *name, const char *member) {
    _cleanup_message_ sd_bus_message *call = NULL;
    int r = backend_new_call(bus, name, CLIENT_BACKEND, member, &call);

    return r != 0 ? r : client_send(bus, call, CLIENT_FOREVER, NULL);
}

/* What cannot be done to one does not keep the others from it. */
static int change_all(const Invocation *inv, const char *member, const char *title) {
    _cleanup_json_ cJSON *names = backend_names_given(inv);
    _cleanup_bus_ sd_bus *bus = NULL;
    uint32_t done = 0, failed = 0;
    const cJSON *name;

    if (!names)
        return EXIT_FAILURE;
    int r = client_connect(&bus);
    if (r < 0)
        return r;
    cJSON_ArrayForEach (name, names) {
        if (change(bus, name->valuestring, member) == 0)
            done++;
        else
            failed++;
    }
    if (invocation_has(inv, OPT_JSON))
        json_print_number("changed", done);
    else if (done > 0)
        printf("%s: %" PRIu32 "\n", title, done);
    return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int cmd_backend_poll(const Invocation *inv) {
    return change_all(inv, "Poll", "Polled");
}

static int cmd_backend_start(const Invocation *inv) {
    return change_all(inv, "StartPolling", "Polling");
}

static int cmd_backend_stop(const Invocation *inv) {
    return change_all(inv, "StopPolling", "Not polling");
}

/* clang-format off */
const Command backend_commands[] = {
    {"backend list", "", 0, 0,
     "show the backends: which are online, how fast they answer, and why not", backend_json_options,
     "In JSON, an array; times are microseconds since the epoch, 0 = not yet.", false, cmd_backend_list},
    {"backend add", "NAME URL [OPTIONS]", 2, 2,
     "let the daemon watch an HTTP service", add_options,
     "As in: longrun backend add home http://localhost:8080 --status-path /health --expect '/ok == true'\n"
     "Secrets lie in files; neither options nor the URL take one. Those of longrun.conf come from there.\n\n"
     BACKEND_SETTINGS_HELP, false, cmd_backend_add},
    {"backend show", "NAME", 1, 1,
     "show all about a backend", backend_json_options, NULL, false, cmd_backend_show},
    {"backend check", "NAME…", 1, SIZE_MAX,
     "ask backends now whether they are online", backend_json_options,
     "Exit status: 0 when all of them are, else 1.", false, cmd_backend_check},
    {"backend watch", "NAME… | all", 1, SIZE_MAX,
     "print what is found out about backends, line by line", backend_watch_options,
     "Each check, its answer, changes of what is polled, and errors; until Ctrl-C.\n"
     "In JSON an object a line.", false, cmd_backend_watch},
    {"backend poll", "NAME…", 1, SIZE_MAX,
     "poll backends now", backend_json_options, NULL, false, cmd_backend_poll},
    {"backend start", "NAME…", 1, SIZE_MAX,
     "poll backends by themselves from now on; it stays so over restarts", backend_json_options, NULL, false, cmd_backend_start},
    {"backend stop", "NAME…", 1, SIZE_MAX,
     "check and poll them no more by themselves; it stays so over restarts", backend_json_options, NULL, false, cmd_backend_stop},
    {"backend request", "NAME METHOD PATH [BODY | - | @FILE]", 3, 4,
     "send a request to a backend and print the answer", backend_request_options,
     "As in: longrun backend request home POST /api/friends '{\"username\": \"bob\"}'\n"
     "- is standard input. Exit status: 0 when the HTTP status is 2xx, else 1.", false, cmd_backend_request},
    {"backend remove", "NAME", 1, 1,
     "forget a backend", backend_json_options, NULL, false, cmd_backend_remove},
    {},
};
/* clang-format on */
